"""Run a command line and translate the outcome into an exit code."""

import logging
import os
import signal
import sys
import traceback
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout

from syncer.commands.cli import parse
from syncer.commands.printing import Exit, complain, finish
from syncer.config.environment import prepare
from syncer.errors import MisconfiguredError, NotBegunError, SyncerError, UnreadError
from syncer.text.redaction import RedactedStream
from syncer.text.streams import write_error


def execute(argv: Sequence[str] | None = None) -> int:
    """Run the command; an error is a single line on standard error, with `--debug` also a traceback.

    Raises:
        SystemExit: the arguments are wrong, or ask for help.

    """
    prepare(os.environ)
    with redirect_stdout(RedactedStream.over(sys.stdout)), redirect_stderr(RedactedStream.over(sys.stderr)):
        debug = False
        try:
            arguments = _parsed(argv)
            debug = arguments.debug
            return _run(arguments)
        except Exception as error:  # noqa: BLE001 - one line, whatever it is
            if debug and not isinstance(error, UnreadError):
                traceback.print_exc()
            return _failed(error)


def _run(arguments: Namespace) -> int:
    if arguments.command == "run":
        import asyncio  # noqa: PLC0415 - only `run` needs the loop

        with _ended_by_sigterm():
            return asyncio.run(run(arguments))
    with _warnings_in_lines(traced=arguments.debug):
        code: int = arguments.answer(arguments)
        finish()
    return code


def _parsed(argv: Sequence[str] | None) -> Namespace:
    """Parse the arguments; flush standard output after `--help`, to detect a failed write."""
    try:
        return parse(argv)
    except SystemExit:
        finish()
        raise


def _failed(error: Exception) -> int:
    """Report the error as a line and return the exit code."""
    match error:
        case MisconfiguredError():
            write_error(error)
            return Exit.MISUSE
        case NotBegunError():
            write_error(error)
            return Exit.NOT_WELL
        case SyncerError():
            if str(error):
                complain(error)
            return Exit.NOT_WELL
    complain(unexpected(error))
    return Exit.UNEXPECTED


def unexpected(error: Exception) -> str:
    """Describe an unforeseen error: class, message and place of the raise."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    place = f" at {frames[-1].f_globals.get('__name__')}:{frames[-1].f_lineno}" if frames else ""
    what = f"{type(error).__name__}: {error}{place}"
    return f"unexpected error: {what}; `nlb-sync --debug COMMAND` shows the traceback"


async def run(arguments: Namespace) -> int:
    """Keep the target groups filled until SIGTERM; return 1 when `--once` failed or could not begin."""
    from syncer.run import assemble, attended  # noqa: PLC0415 - boto3 only where it is needed

    controller = assemble(os.environ, dry_run=arguments.dry_run)
    async with attended(controller, os.environ):
        await controller.run(once=arguments.once)
    return int(arguments.once and any(group.report.last_good_pass is None for group in controller.groups))


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Let SIGTERM end the process during start (PID 1 has no default): a kubeconfig's plugin may hang."""
    before = signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _warnings_in_lines(*, traced: bool) -> Iterator[None]:
    """Print a warning as a line on standard error; tracebacks of libraries only with --debug."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setLevel(logging.WARNING)
    handler.setFormatter(logging.Formatter("nlb-sync: %(message)s") if traced else _OneLine())
    root, credentials = logging.getLogger(), logging.getLogger("botocore.credentials")
    before = credentials.level
    root.addHandler(handler)
    if not traced:
        credentials.setLevel(logging.ERROR)  # the failing call reports the cause
    try:
        yield
    finally:
        root.removeHandler(handler)
        credentials.setLevel(before)


class _OneLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return f"nlb-sync: {' '.join(record.getMessage().split())}"
