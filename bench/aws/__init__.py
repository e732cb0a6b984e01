"""A small and fast ELBv2 in a process of its own: it keeps AWS's rules and notes every call."""
