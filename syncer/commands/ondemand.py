"""The code of a command, imported when the command runs: `--help` imports none."""

from argparse import Namespace
from importlib import import_module


def loaded(module: str, function: str, arguments: Namespace) -> int:
    """Call `function` of `module` with the parsed arguments; return the exit code."""
    code: int = getattr(import_module(module), function)(arguments)
    return code
