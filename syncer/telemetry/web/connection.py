"""A client's connection: read a head, send an answer, close."""

import contextlib
import socket
import struct
import time
from collections.abc import Mapping
from enum import Enum, auto

from syncer.telemetry.web.answer import Answer, encoded

HEAD_BYTES = 8192
_END = b"\r\n\r\n"
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: on, 0 s


class Phase(Enum):
    """The phase of a connection."""

    SILENT = auto()  # the head is not complete
    WAITING = auto()  # for a document in the making
    SENDING = auto()
    CLOSING = auto()  # all is sent: the client has yet to close


class Connection:
    """A socket and the progress of its one exchange.

    Times are monotonic: `moved_at` is the time of accept or of the last sent part of the answer (received
    bytes do not count); the server sets `deadline`.
    """

    def __init__(self, sock: socket.socket, source: str) -> None:
        self.sock, self.source = sock, source
        self.phase = Phase.SILENT
        self.moved_at = self.deadline = time.monotonic()
        self.method, self.headers = "GET", dict[str, str]()
        self._head = bytearray()
        self._unsent: list[memoryview] = []
        sock.setblocking(False)

    def read(self) -> bytes | None:
        """Read the available bytes; return the complete head (b"" if too long), or None until then.

        OSError when the client has closed the connection.
        """
        try:
            data = self.sock.recv(HEAD_BYTES)
        except (BlockingIOError, InterruptedError):
            return None
        if not data:
            raise ConnectionAbortedError
        if self.phase is not Phase.SILENT:
            return None  # a body, or more requests: unread bytes would reset the answer on close
        self._head += data
        head, found, _ = self._head.partition(_END)
        if found:
            return bytes(head)
        return b"" if len(self._head) > HEAD_BYTES else None

    @property
    def begun(self) -> bool:
        """Whether the client has sent any byte."""
        return bool(self._head)

    def answer(self, answer: Answer, method: str, headers: Mapping[str, str]) -> None:
        """Begin to send. A shared body is not copied for each client."""
        head, body = encoded(answer, headers, with_body=method != "HEAD")
        self._unsent = [memoryview(part) for part in (head, body) if part]
        self.phase = Phase.SENDING

    def send(self) -> bool:
        """Send as much as the client accepts now; True when all is sent."""
        try:
            sent = self.sock.sendmsg(self._unsent)  # at most SO_SNDBUF
        except (BlockingIOError, InterruptedError):
            return False
        self.moved_at = time.monotonic()
        while self._unsent and sent >= len(self._unsent[0]):
            sent -= len(self._unsent.pop(0))
        if self._unsent:
            self._unsent[0] = self._unsent[0][sent:]
            return False
        self.phase = Phase.CLOSING
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_WR)
        return True

    def close(self) -> None:
        """Close the socket and drop unsent bytes, so that slow readers hold no memory."""
        if self._unsent:
            with contextlib.suppress(OSError):
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.sock.close()
