"""The only kind of error that the `sandbox` command shows to users."""


class SandboxError(Exception):
    """The cause, the place and the remedy, in one line."""
