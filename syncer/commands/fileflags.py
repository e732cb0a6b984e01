"""The flags of `explain` and `plan`, which read files, or the cluster and AWS."""

import argparse
from functools import partial

from syncer.commands.ondemand import loaded
from syncer.decide.policy import Ownership
from syncer.text.numbers import port
from syncer.text.quote import quoted

_FILES = "syncer.commands.files"
_NODES = "output of `kubectl get nodes -o json` (a List or one Node); - is standard input"
_TARGETS = "output of `aws elbv2 describe-target-health --output json`; - is standard input"


def add_parsers(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `explain` and `plan`; both set `answer`, a function of the parsed arguments to an exit code."""
    explaining = subparsers.add_parser("explain", help="show for each node why it is a target or not")
    explaining.add_argument(
        "node", nargs="*", metavar="NODE", help="name of a Node, or instance id; default: all nodes"
    )
    _add_files(explaining, f"{_TARGETS}; once for each group; default: no registered targets")
    explaining.set_defaults(answer=partial(loaded, _FILES, "explain"))
    planning = subparsers.add_parser("plan", help="show the next calls to AWS, and the holds")
    _add_files(planning, f"{_TARGETS}; once for each group")
    planning.add_argument(
        "--port",
        action="append",
        default=[],
        type=_port,
        metavar="N",
        help="the NodePort of the targets; once for all groups, or once for each",
    )
    planning.add_argument(
        "--target-group",
        action="append",
        default=[],
        metavar="ARN",
        help="the group's name in the output, once for each; default: the name of the targets file",
    )
    planning.add_argument(
        "--ownership",
        choices=[each.value for each in Ownership],
        help="default: NLB_SYNC_OWNERSHIP, else tracked",
    )
    planning.set_defaults(answer=partial(loaded, _FILES, "plan"), node=[])


def _add_files(parser: argparse.ArgumentParser, targets: str) -> None:
    """Add the flags of both commands."""
    parser.add_argument("-f", "--nodes", metavar="FILE", help=f"{_NODES}; default: cluster and AWS are read")
    parser.add_argument("--targets", action="append", default=[], metavar="FILE", help=targets)
    parser.add_argument("--node-selector", metavar="SELECTOR", help="default: NLB_SYNC_NODE_SELECTOR")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def _port(text: str) -> int:
    try:
        return port(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{quoted(text)} is not a port from 1 to 65535") from None
