"""The NLB's packet path: a TCP forwarder on the loopback Elastic IPs, with its health checks and firewall."""
