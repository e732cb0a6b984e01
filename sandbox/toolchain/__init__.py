"""The sandbox's programs: found, downloaded or built, in pinned versions.

`ensure` is the interface for the rest of the sandbox; `python -m sandbox.toolchain` is the command.
"""

from sandbox.toolchain.errors import ToolchainError
from sandbox.toolchain.progress import Progress, Report, Step
from sandbox.toolchain.resolve import ensure

__all__ = ["Progress", "Report", "Step", "ToolchainError", "ensure"]
