"""The flags of the questions that are not answered from files; their code is loaded when asked."""

import argparse
import math
from importlib import import_module
from urllib.parse import urlsplit

DEFAULT_URL = "http://127.0.0.1:8080"


def add_parsers(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add each question; it sets `answer`, a function of the parsed arguments to an exit code."""
    _add_status(subparsers)


def _add_status(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    status = subparsers.add_parser("status", help="what the running syncer knows, as a table")
    status.add_argument(
        "--url", default=DEFAULT_URL, type=_url, help="where the syncer answers HTTP; default: %(default)s"
    )
    status.add_argument(
        "--stale-after",
        type=_seconds,
        default=180.0,
        metavar="S",
        help="a group whose last good pass is older than this is not well; default: %(default)g",
    )
    _asks(status, "syncer.asking.status", "status")


def _asks(parser: argparse.ArgumentParser, module: str, function: str) -> None:
    """Let `function` of `module` answer, loaded no sooner than it is asked."""

    def answer(args: argparse.Namespace) -> int:
        code: int = getattr(import_module(module), function)(args)
        return code

    parser.add_argument("--json", action="store_true", help="for programs; without it a table")
    parser.set_defaults(answer=answer)


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise argparse.ArgumentTypeError(f"{text!r} is not a URL such as {DEFAULT_URL}")
    return text.rstrip("/").removesuffix("/status")


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return value
