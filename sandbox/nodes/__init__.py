"""Node machines of the sandbox: EC2 instances that answer NodePorts, heartbeat, and run the syncer's Pods."""
