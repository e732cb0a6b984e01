"""Read a file, a pipe or standard input to its end, within limits of size and time."""

import io
import os
import select
import stat
import sys
import time
from dataclasses import dataclass

from syncer.decide.documents import DocumentError

# 5,000 Nodes with 50 images each are 100 MB as kubectl prints them.
_MOST_BYTES = 256 * 1024 * 1024
# kubectl prints nothing before the last page of a list is read: minutes on a slow connection.
_SILENCE_S = 120.0
# The wait for a named pipe without a writer would never end.
_NO_WRITER_S = 10.0
_WHOLE_S = 900.0
_LOOK_S = 0.1
_PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits in bytes, and in seconds: without a byte, without a writer, and in all."""

    most: int = _MOST_BYTES
    silence: float = _SILENCE_S
    no_writer: float = _NO_WRITER_S
    whole: float = _WHOLE_S


def read_whole(name: str, limits: Limits | None = None) -> bytes:
    """Read the content of `name`; `-` is standard input.

    Raises:
        DocumentError: unreadable, too large, or no data for too long.

    """
    limits = limits or Limits()
    try:
        if name == "-":
            return _standard_input(limits)
        # Standard input stays without these flags: a terminal shares the flags with other programs.
        number = os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        try:
            return _read(number, limits)
        finally:
            os.close(number)
    except OSError as error:
        raise _unreadable(error.strerror) from None


def _standard_input(limits: Limits) -> bytes:
    if sys.stdin is None:
        raise _unreadable("the stream is closed")
    try:
        number = sys.stdin.fileno()
    except io.UnsupportedOperation:  # text in memory
        return sys.stdin.buffer.read()
    return _read(number, limits)


def _read(number: int, limits: Limits) -> bytes:
    status = os.fstat(number)
    if stat.S_ISDIR(status.st_mode):
        raise _unreadable("Is a directory")
    if stat.S_ISREG(status.st_mode) and status.st_size > limits.most:
        raise _too_much(limits)
    named_pipe = stat.S_ISFIFO(status.st_mode) and not os.get_blocking(number)
    pieces: list[bytes] = []
    size, began = 0, time.monotonic()
    while piece := _piece(number, limits, began, awaits_writer=named_pipe and not pieces):
        pieces.append(piece)
        size += len(piece)
        if size > limits.most:
            raise _too_much(limits)
    return b"".join(pieces)


def _piece(number: int, limits: Limits, began: float, *, awaits_writer: bool) -> bytes:
    """Wait for the next bytes; empty at the end."""
    since = time.monotonic()
    poll = select.poll()
    poll.register(number, select.POLLIN)
    while not poll.poll(_LOOK_S * 1000):
        now = time.monotonic()
        if now - since > limits.silence:
            raise _nothing_came(f"no data for {limits.silence:g} s")
        if now - began > limits.whole:
            raise _nothing_came(f"no end of data within {limits.whole:g} s")
        if awaits_writer and now - since > limits.no_writer:
            try:
                # A pipe without a writer is at its end; with a writer the read would block.
                if not (piece := os.read(number, _PIECE)):
                    raise _nothing_came(f"no writer of the pipe for {limits.no_writer:g} s")
            except BlockingIOError:
                awaits_writer = False
            else:
                return piece
    return os.read(number, _PIECE)


def _unreadable(why: str | None) -> DocumentError:
    return DocumentError(f"cannot be read: {why}; allowed: a file, or - for standard input")


def _too_much(limits: Limits) -> DocumentError:
    return DocumentError(
        f"is larger than {limits.most // (1024 * 1024)} MiB; give the output of kubectl or aws"
    )


def _nothing_came(why: str) -> DocumentError:
    return DocumentError(f"cannot be read: {why}; check the command that writes it")
