"""One client's connection: reads one head, sends one answer, and closes."""

import contextlib
import socket
import struct
from collections.abc import Mapping
from enum import IntEnum

from syncer.web.answer import Answer, encoded

HEAD_BYTES = 8192
_END = b"\r\n\r\n"
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: on, 0 s


class Phase(IntEnum):
    """What a connection is doing; where there are too many, the lowest is closed first."""

    CLOSING = 0  # all is sent: the client has yet to close
    SILENT = 1  # the head is not complete
    SENDING = 2
    WAITING = 3  # for a document that is being made


class Connection:
    """A socket and how far its one exchange has come. `deadline` (monotonic) is set by the server."""

    def __init__(self, sock: socket.socket, source: str, deadline: float) -> None:
        self.sock, self.source, self.deadline = sock, source, deadline
        self.phase = Phase.SILENT
        self.method, self.headers = "GET", dict[str, str]()
        self._head = bytearray()
        self._unsent: list[memoryview] = []
        sock.setblocking(False)

    def read(self) -> bytes | None:
        """Read what is there; the head once it is complete (b"" where it is too long), None until then.

        OSError when the client has closed the connection.
        """
        try:
            data = self.sock.recv(HEAD_BYTES)
        except (BlockingIOError, InterruptedError):
            return None
        if not data:
            raise ConnectionAbortedError
        if self.phase is not Phase.SILENT:
            return None  # a body, or more requests: read only so that closing does not reset the answer
        self._head += data
        head, found, _ = self._head.partition(_END)
        if found:
            return bytes(head)
        return b"" if len(self._head) > HEAD_BYTES else None

    @property
    def begun(self) -> bool:
        """Whether the client has sent anything."""
        return bool(self._head)

    def answer(self, answer: Answer, method: str, headers: Mapping[str, str]) -> None:
        """Begin to send. A body that many clients get is not copied for each."""
        head, body = encoded(answer, headers, with_body=method != "HEAD")
        self._unsent = [memoryview(part) for part in (head, body) if part]
        self.phase = Phase.SENDING

    def send(self) -> bool:
        """Send as much as the client takes now; True when all is sent."""
        try:
            sent = self.sock.sendmsg(self._unsent)  # at most SO_SNDBUF
        except (BlockingIOError, InterruptedError):
            return False
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
        """Close; what the client has not taken is dropped, so that slow readers hold no memory."""
        if self._unsent:
            with contextlib.suppress(OSError):
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.sock.close()
