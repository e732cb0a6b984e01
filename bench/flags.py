"""The command line and its error messages."""

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from bench.contender import SYNCER, Contender
from bench.figures import MEASURES
from bench.measures import Measure

WRONG = 2
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
_MOST_NODES = 100_000  # more nodes would take hours to create


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Parsed flags. `nodes`: the number for every row, None for the number in the row."""

    measures: tuple[Measure, ...]
    contenders: tuple[Contender, ...]
    nodes: int | None
    quick: bool
    limited: bool
    logs: Path | None
    json: bool
    list: bool
    debug: bool


def parse(words: Sequence[str] | None) -> Options:
    """Read the command line. Raises SystemExit with code 2 and a line on stderr for a wrong flag."""
    parser = _parser()
    said = parser.parse_args(words)
    contenders = (*([] if said.no_syncer else [SYNCER]), *said.contender)
    if not contenders:
        parser.error("--no-syncer leaves nobody to measure")
    if len({contender.name for contender in contenders}) < len(contenders):
        parser.error("two contenders of one name")
    return Options(
        measures=tuple(each for each in MEASURES if not said.rows or each.name in said.rows),
        contenders=contenders,
        nodes=said.nodes,
        quick=said.quick,
        limited=not said.unlimited,
        logs=said.logs,
        json=said.json,
        list=said.list,
        debug=said.debug,
    )


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Exit with a single line, without argparse's usage text."""
        self.exit(WRONG, f"{self.prog}: {message}; see {self.prog} --help\n")


def _parser() -> _Parser:
    about = "What the syncer costs and how fast it reacts, beside its peers: docs/bench.md."
    parser = _Parser(prog="python -m bench", description=about)
    add = parser.add_argument
    add("rows", nargs="*", type=_row, metavar="ROW", help="rows to measure (default: all)")
    add("--list", action="store_true", help="list the rows, measure nothing")
    add("--json", action="store_true", help="print JSON instead of a table")
    add(
        "--contender",
        action="append",
        default=[],
        type=_contender,
        metavar="NAME=COMMAND",
        help="another contender, a line for the shell",
    )
    add("--no-syncer", action="store_true", help="measure the other contenders alone")
    add("--nodes", type=_nodes, metavar="N", help="N nodes in every row, instead of each row's own number")
    add("--quick", action="store_true", help="short waits and few events: figures to look at, not to quote")
    add(
        "--unlimited",
        action="store_true",
        help="without AWS's limit of 4 writes a second after a burst of 20",
    )
    add("--logs", type=Path, metavar="DIR", help="keep every process's log in DIR")
    add("--debug", action="store_true", help="show the traceback of an error")
    return parser


def _row(text: str) -> str:
    known = [each.name for each in MEASURES]
    if text not in known:
        raise argparse.ArgumentTypeError(f"{text!r} is no row; rows are {', '.join(known)}")
    return text


def _contender(text: str) -> Contender:
    name, _, command = text.partition("=")
    if not _NAME.fullmatch(name) or not command.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=COMMAND with a NAME of a-z, 0-9 and -")
    return Contender(name, command)


def _nodes(text: str) -> int:
    if not text.isdecimal() or int(text) > _MOST_NODES:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to {_MOST_NODES}")
    return int(text)
