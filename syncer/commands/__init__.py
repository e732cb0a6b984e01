"""Commands for users and scripts, on files or the live system; all but `leave` and `confirm` only read."""
