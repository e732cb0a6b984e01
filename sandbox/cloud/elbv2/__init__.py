"""ELBv2 of the sandbox: Network Load Balancers, listeners, target groups and the life of their targets."""
