"""A small, fast ELBv2 in a separate process: follows AWS's rules and records every call."""
