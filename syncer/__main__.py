"""The command `python -m syncer` (installed as `nlb-sync`)."""

import asyncio
import os
import signal
import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from syncer.asking.printing import Exit, complain, finish
from syncer.cli import parse
from syncer.errors import MisconfiguredError, NotBegunError, UnreadError


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the arguments say; the exit code, 2 when they or the environment are wrong."""
    arguments = parse(argv)
    try:
        if arguments.command == "run":
            return asyncio.run(run(arguments))
        with _ended_by_ctrl_c():
            code: int = arguments.answer(arguments)
            finish()
    except MisconfiguredError as error:
        if arguments.debug:
            raise
        sys.stderr.write(f"{error}\n")
        return Exit.MISUSE
    except UnreadError as error:
        if str(error):
            complain(error)
        return Exit.NOT_WELL
    return code


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
    try:
        async with attended(controller, os.environ):
            await controller.run(once=arguments.once)
    except NotBegunError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return int(arguments.once and any(group.last_good_pass is None for group in controller.groups))


if __name__ == "__main__":
    sys.exit(main())
