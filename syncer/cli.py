"""The command line: `run`, and the questions."""

import argparse
from collections.abc import Sequence

from syncer import ask, settings
from syncer.asking import flags


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The arguments; ends the process with a usage message and code 2 when they are wrong."""
    return _parser().parse_args(argv)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
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
    ask.add_parsers(commands)
    flags.add_parsers(commands)
    return parser
