"""The command `python -m syncer` (installed as `nlb-sync`).

Before Ctrl-C ends the process, only light modules such as `signal` are imported: the other imports take 0.3
s, and Python's default handler would print a traceback from the middle of the imports.
"""

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NoReturn


def entry() -> NoReturn:
    """Run the whole process: signals, streams, the command and its exit code.

    The process ends at once after the command. The interpreter would wait for every thread of a pool, and so
    for a server that does not respond: AWS, the API server, a name server.
    """
    _end_at_once(signal.SIGINT)
    if os.getpid() == 1:
        _end_at_once(signal.SIGTERM)
    from syncer.text import streams  # noqa: PLC0415 - see above

    streams.prepare()
    try:
        code = main()
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 0 if error.code is None else 1
    finally:
        _end_at_once(signal.SIGINT)  # asyncio restores Python's default handler
    streams.settle()
    os._exit(code)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code, 2 if the arguments or the environment are wrong."""
    with _ended_by_ctrl_c():
        from syncer.commands.execute import execute  # noqa: PLC0415 - see above

        return execute(argv)


def _end_at_once(number: signal.Signals) -> None:
    """Let a signal end the process at once without output, unless the signal is ignored (nohup).

    The kernel ignores a signal without a handler for process 1. In a container the syncer is process 1.
    """
    if signal.getsignal(number) is signal.SIG_IGN:
        return
    signal.signal(number, _leave if os.getpid() == 1 else signal.SIG_DFL)


def _leave(number: int, _frame: object) -> NoReturn:
    os._exit(128 + number)  # exit code as in a shell


@contextmanager
def _ended_by_ctrl_c() -> Iterator[None]:
    """Let Ctrl-C end a command at once, and restore Python's handler afterwards.

    Python's default prints a traceback only after every call in flight has timed out.
    """
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.default_int_handler:  # already set, ignored, or another owner's handler
        yield
        return
    _end_at_once(signal.SIGINT)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


if __name__ == "__main__":
    entry()
