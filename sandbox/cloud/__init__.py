"""The AWS API of the sandbox: moto behind a thin front that enforces IAM, and the sandbox's own ELBv2.

docs/sandbox-cloud.md lists the behaviour of AWS that is simulated, and the differences. "facts N" in a
docstring or comment names the section of facts.md with the source of a rule; "model" is botocore's elbv2
service model.
"""
