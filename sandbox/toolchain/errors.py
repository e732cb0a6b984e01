"""What can go wrong with a tool, in words for people."""


class ToolchainError(Exception):
    """A tool cannot be had; the message is one line that says why and what to do."""


class DownloadError(Exception):
    """A release was not downloaded; the message says why. Building the tool is the way on."""


class BuildError(Exception):
    """A tool was not built; the message is what Go said last."""


class GoUnusableError(Exception):
    """There is no Go here that could build the tools; the message says which there is, if any."""
