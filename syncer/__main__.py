"""The command `python -m syncer` (installed as `nlb-sync`).

Nothing but `signal` is imported before Ctrl-C ends the process: the other imports take 0.3 s, and Python's
own handler would print a traceback from the middle of them.
"""

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NoReturn


def entry() -> NoReturn:
    """Be the whole process: signals, streams, the command, and its exit code.

    The process ends at once after the command. The interpreter would wait for each thread of a pool, thus for
    whatever does not answer it: AWS, the API server, a name server.
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
        _end_at_once(signal.SIGINT)  # asyncio leaves Python's handler behind
    streams.settle()
    os._exit(code)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code, 2 when the arguments or the environment are wrong."""
    with _ended_by_ctrl_c():
        from syncer.commands.execute import execute  # noqa: PLC0415 - see above

        return execute(argv)


def _end_at_once(number: signal.Signals) -> None:
    """Let a signal end the process at once and without output, unless it is ignored, as after nohup.

    The kernel ignores a signal without a handler for process 1, which we are in a container.
    """
    if signal.getsignal(number) is signal.SIG_IGN:
        return
    signal.signal(number, _leave if os.getpid() == 1 else signal.SIG_DFL)


def _leave(number: int, _frame: object) -> NoReturn:
    os._exit(128 + number)  # as a shell counts it


@contextmanager
def _ended_by_ctrl_c() -> Iterator[None]:
    """Let Ctrl-C end a command at once, whatever it waits for, and put Python's handler back after it.

    Python's own way is a traceback, after every call in flight has run into its time-out.
    """
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.default_int_handler:  # ours already, ignored, or not ours to change
        yield
        return
    _end_at_once(signal.SIGINT)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


if __name__ == "__main__":
    entry()
