"""The one kind of error that the `sandbox` command shows to people."""


class SandboxError(Exception):
    """What was wrong, where, and what to do, in one line."""
