"""The command `python -m syncer` (installed as `nlb-sync`)."""

import asyncio
import os
import sys
from argparse import Namespace
from collections.abc import Sequence

from syncer.asking.printing import Exit, complain, finish
from syncer.cli import parse
from syncer.errors import MisconfiguredError, NotBegunError, UnreadError


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the arguments say; the exit code, 2 when they or the environment are wrong."""
    arguments = parse(argv)
    try:
        if arguments.command == "run":
            return asyncio.run(run(arguments))
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


async def run(arguments: Namespace) -> int:
    """Keep the target groups filled until SIGTERM; 1 when `--once` met a failure, or could not begin."""
    from syncer.assembly import assemble, attended  # noqa: PLC0415 - boto3 only where it is needed

    controller = assemble(os.environ, dry_run=arguments.dry_run)
    try:
        async with attended(controller):
            await controller.run(once=arguments.once)
    except NotBegunError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return int(arguments.once and any(group.problem or group.read_problem for group in controller.groups))


if __name__ == "__main__":
    sys.exit(main())
