"""The command line: `run` and the other commands."""

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NoReturn, cast

from syncer.commands import fileflags, flags
from syncer.commands.printing import complain, show_text
from syncer.text.quote import one_line
from syncer.version import VERSION

if TYPE_CHECKING:
    from _typeshed import SupportsWrite


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse the arguments; on an error, print a single line and end the process with exit code 2."""
    return _parser().parse_args(argv)


class _OneLine(argparse.ArgumentParser):
    """Reports an error in one line, as for a wrong variable, without the usage before the error.

    `closing` returns the end of the help.
    """

    closing: Callable[[], str] | None = None

    def print_help(self, file: "SupportsWrite[str] | None" = None) -> None:
        """Print the help like any other output: argparse itself ignores a full disk."""
        del file
        if self.closing is not None:
            self.epilog = self.closing()
        show_text(self.format_help())

    def error(self, message: str) -> NoReturn:
        """Report the error and end the process."""
        complain(f"{one_line(' '.join(message.split()))}; see `{self.prog} --help`")
        sys.exit(2)


class _Version(argparse.Action):
    """Prints the version like any other output: argparse's own action ignores a full disk."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        """Print the version and end the process."""
        del namespace, values, option_string
        show_text(f"nlb-sync {VERSION}")
        parser.exit()


def _environment() -> str:
    from syncer.config import settings  # noqa: PLC0415 - only for this help

    return f"environment:\n{settings.as_help()}"


def _parser() -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = _OneLine(
        prog="python -m syncer",
        description="Keeps the target groups of an NLB in step with a cluster's nodes.",
        epilog="exit codes: 0 well, 1 not well or timeout, 2 wrong flag, file or variable, "
        "3 not possible or unknown node, 70 unexpected error",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run = commands.add_parser(
        "run",
        help="keep the target groups filled until SIGTERM",
        description="Keeps the target groups filled until SIGTERM. The settings are environment variables.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    cast("_OneLine", run).closing = _environment
    run.add_argument(
        "--once",
        action="store_true",
        help="end after one pass; exit code 1 if the pass fails or cannot begin within 30 s",
    )
    run.add_argument("--dry-run", action="store_true", help="write nothing to AWS, log the calls instead")
    fileflags.add_parsers(commands)
    flags.add_parsers(commands)
    return parser
