"""The command line: `run`, and the questions."""

import argparse
from collections.abc import Sequence
from typing import NoReturn

from syncer import settings
from syncer.asking import files, flags
from syncer.redaction import redacted_input


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The arguments; ends the process with one line and exit code 2 when they are wrong."""
    return _parser().parse_args(argv)


class _OneLine(argparse.ArgumentParser):
    """Says what is wrong in one line, as a wrong variable does, without the usage before it."""

    def error(self, message: str) -> NoReturn:
        """End the process."""
        said = redacted_input(" ".join(message.split()))
        self.exit(2, f"nlb-sync: {said}; see `{self.prog} --help`\n")


def _parser() -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = _OneLine(
        prog="python -m syncer",
        description="Keeps the target groups of an NLB in step with a cluster's nodes.",
        epilog="exit codes: 0 all is well, 1 not well, or not in time, 2 a flag, file or variable is wrong, "
        "3 not possible, or no such node",
    )
    parser.add_argument("--debug", action="store_true", help="show where an error comes from")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run = commands.add_parser(
        "run",
        help="keep the target groups filled until SIGTERM",
        description="Keeps the target groups filled until SIGTERM. Everything is set by the environment.",
        epilog=f"environment:\n{settings.as_help()}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    run.add_argument(
        "--once",
        action="store_true",
        help="end after one pass; exit code 1 if it failed or could not begin within 30 s",
    )
    run.add_argument("--dry-run", action="store_true", help="write nothing to AWS, say what would be written")
    files.add_parsers(commands)
    flags.add_parsers(commands)
    return parser
