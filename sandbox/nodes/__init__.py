"""Node machines of the sandbox: EC2 instances with NodePorts, heartbeats and the syncer's Pods."""
