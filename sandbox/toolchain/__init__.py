"""The programs that the sandbox runs: found, downloaded or built, each in one pinned version.

`ensure` is the whole of it for the rest of the sandbox; `python -m sandbox.toolchain` does it by hand.
"""

from sandbox.toolchain.errors import ToolchainError
from sandbox.toolchain.progress import Progress, Report, Step
from sandbox.toolchain.resolve import ensure

__all__ = ["Progress", "Report", "Step", "ToolchainError", "ensure"]
