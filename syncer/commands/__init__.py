"""Commands, read from files or from the live system. All commands except `leave` and `confirm` only read."""
