"""What people and scripts ask, of files or of what is there now; all but `leave` and `confirm` only read."""
