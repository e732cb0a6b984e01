"""AWS's rules for the targets of target groups: one state machine without I/O, for every simulated AWS.

Time is an argument (seconds of any clock that never goes back), randomness an injected `random.Random`. The
users supply instances, load balancers and limits (`sandbox.elbv2.account`), and add transport and clock: the
sandbox's AWS (`sandbox.cloud.elbv2`), the bench's (`bench.aws`) and the simulation's (`tests.simulation`).
"source N" is a source in `sandbox.cloud`.
"""
