"""The errors of the toolchain, with messages for users."""


class ToolchainError(Exception):
    """A tool is not available; the message is one line with the cause and the remedy."""


class DownloadError(Exception):
    """A release was not downloaded; the message has the cause. The tool is then built."""


class BuildError(Exception):
    """A tool was not built; the message is Go's error."""


class GoUnusableError(Exception):
    """No Go on this machine can build the tools; the message has the found version, if any."""
