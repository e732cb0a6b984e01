"""The command `python -m syncer` (installed as `nlb-sync`)."""

import asyncio
import logging
import os
import signal
import sys
import traceback
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from typing import NoReturn

from syncer.asking.printing import Exit, complain, finish
from syncer.cli import parse
from syncer.environment import prepare
from syncer.errors import MisconfiguredError, NotBegunError, SyncerError, UnreadError
from syncer.redaction import RedactedStream


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the arguments say; the exit code, 2 when they or the environment are wrong."""
    prepare(os.environ)
    with redirect_stdout(RedactedStream(sys.stdout)), redirect_stderr(RedactedStream(sys.stderr)):
        arguments = parse(argv)
        try:
            if arguments.command == "run":
                with _ended_by_sigterm():
                    return asyncio.run(run(arguments))
            with _ended_by_ctrl_c(), _warnings_in_lines(traced=arguments.debug):
                code: int = arguments.answer(arguments)
                finish()
        except Exception as error:  # noqa: BLE001 - one line, whatever it is
            if arguments.debug and not isinstance(error, UnreadError):
                traceback.print_exc()
            return _failed(error)
        return code


def _failed(error: Exception) -> int:
    """Report in one line what ended the command; the exit code."""
    if isinstance(error, MisconfiguredError | NotBegunError):
        sys.stderr.write(f"{error}\n")
        return Exit.MISUSE if isinstance(error, MisconfiguredError) else Exit.NOT_WELL
    if isinstance(error, SyncerError):
        if str(error):
            complain(error)
    else:
        said = " ".join(str(error).split())
        complain(f"unforeseen fault: {type(error).__name__}: {said}; --debug shows where")
    return Exit.NOT_WELL


def process() -> NoReturn:
    """Run the command as a process, which ends at once then.

    The interpreter would wait for each thread of a pool, thus for whatever does not answer it: AWS, the API
    server, a name server.
    """
    try:
        code = main()
    except SystemExit as exit_:
        code = exit_.code if isinstance(exit_.code, int) else Exit.MISUSE
    with suppress(OSError, ValueError, AttributeError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Let SIGTERM end the process while it starts (PID 1 has no default): a kubeconfig's plugin may hang."""
    before = signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _warnings_in_lines(*, traced: bool) -> Iterator[None]:
    """Show warnings in one line each on standard error; libraries add tracebacks, which --debug shows."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setLevel(logging.WARNING)
    handler.setFormatter(logging.Formatter("nlb-sync: %(message)s") if traced else _OneLine())
    root, credentials = logging.getLogger(), logging.getLogger("botocore.credentials")
    before = credentials.level
    root.addHandler(handler)
    if not traced:
        credentials.setLevel(logging.ERROR)  # the call that fails for it reports it
    try:
        yield
    finally:
        root.removeHandler(handler)
        credentials.setLevel(before)


class _OneLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return f"nlb-sync: {' '.join(record.getMessage().split())}"


@contextmanager
def _ended_by_ctrl_c() -> Iterator[None]:
    """Let Ctrl-C end a question at once and without a word, whatever it waits for: it may be asked again.

    Python's own way is a traceback, after every call in flight has run into its time-out.
    """
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.default_int_handler:  # ignored, as after nohup, or not ours to change
        yield
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


async def run(arguments: Namespace) -> int:
    """Keep the target groups filled until SIGTERM; 1 when `--once` met a failure, or could not begin."""
    from syncer.assembly import assemble, attended  # noqa: PLC0415 - boto3 only where it is needed

    controller = assemble(os.environ, dry_run=arguments.dry_run)
    async with attended(controller, os.environ):
        await controller.run(once=arguments.once)
    return int(arguments.once and any(group.last_good_pass is None for group in controller.groups))


if __name__ == "__main__":
    process()
