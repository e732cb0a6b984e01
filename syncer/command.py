"""Runs one command line and makes an exit code of whatever it ends with."""

import asyncio
import os
import traceback
from argparse import Namespace
from collections.abc import Sequence

from syncer.asking.printing import Exit, complain, finish, tell
from syncer.cli import parse
from syncer.errors import MisconfiguredError, NotBegunError, UnreadError


def execute(argv: Sequence[str] | None = None) -> int:
    """Run the command; every error is one line on standard error, with `--debug` also a traceback.

    Raises:
        SystemExit: where the arguments are wrong, or ask for help.

    """
    debug = False
    try:
        arguments = _parsed(argv)
        debug = arguments.debug
        if arguments.command == "run":
            return asyncio.run(run(arguments))
        code: int = arguments.answer(arguments)
        finish()
    except MisconfiguredError as error:
        if debug:
            raise
        tell(error)
        return Exit.MISUSE
    except UnreadError as error:
        if str(error):
            complain(error)
        return Exit.NOT_WELL
    except Exception as error:
        if debug:
            raise
        complain(unexpected(error))
        return Exit.UNEXPECTED
    return code


def _parsed(argv: Sequence[str] | None) -> Namespace:
    """The arguments; `--help` is an answer too, and is to reach its reader."""
    try:
        return parse(argv)
    except SystemExit:
        finish()
        raise


def unexpected(error: Exception) -> str:
    """Describe an error that nothing foresaw: its class, its message, and where it was raised."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    place = f" at {frames[-1].f_globals.get('__name__')}:{frames[-1].f_lineno}" if frames else ""
    what = f"{type(error).__name__}: {error}{place}"
    return f"unexpected error: {what}; `nlb-sync --debug COMMAND` shows the traceback"


async def run(arguments: Namespace) -> int:
    """Keep the target groups filled until SIGTERM; 1 when `--once` met a failure, or could not begin."""
    from syncer.assembly import assemble, attended  # noqa: PLC0415 - boto3 only where it is needed

    controller = assemble(os.environ, dry_run=arguments.dry_run)
    try:
        async with attended(controller):
            await controller.run(once=arguments.once)
    except NotBegunError as error:
        tell(error)
        return 1
    return int(arguments.once and any(group.last_good_pass is None for group in controller.groups))
