"""What people and scripts ask of a cluster and its groups as they are now; all but `leave` only read."""
