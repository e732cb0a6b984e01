"""ELBv2 of the sandbox: Network Load Balancers, listeners, target groups and the lifecycle of targets."""
