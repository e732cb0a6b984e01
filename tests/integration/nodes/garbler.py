"""A server before AWS or the API server that passes everything on, or answers nonsense."""

import asyncio
import contextlib
import re
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sandbox.layout import HOST

_LENGTH = re.compile(rb"(?i)content-length: *(\d+)")
# Whole HTTP answers, by what is wrong with them. None: it accepts, and never answers.
NONSENSE: dict[str, bytes | None] = {
    "not XML": b"HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n\x00\xff{not XML at all",
    "empty": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "a list": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n[]",
    "null items": b'HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n{"items": null, "revision": 7}',
    "wrong shape": b"HTTP/1.1 200 OK\r\nContent-Length: 59\r\n\r\n"
    b"<DescribeInstancesResponse><a/></DescribeInstancesResponse>",
    "another document": b"HTTP/1.1 200 OK\r\nContent-Length: 26\r\n\r\n<html><body></body></html>",
    "500": b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\n\r\nboom",
    "403": b"HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\nboom",
    "cut off": b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n<Describe",
    "no HTTP": b"220 mail.example ESMTP\r\n",
    "closed": b"",
    "hang": None,
}


@dataclass
class Garbler:
    """Passes connections to `target` as they are, or to a server that answers each request with nonsense.

    `tls` is what that server speaks, where the target does.
    """

    target: int
    tls: ssl.SSLContext | None = None
    nonsense: str | None = None
    port: int = 0
    requests: int = 0
    _own: int = 0
    _open: set[asyncio.WriteTransport] = field(default_factory=set)
    _loop: asyncio.AbstractEventLoop | None = None

    @contextmanager
    def serving(self) -> Iterator["Garbler"]:
        """Serve on a thread of its own for as long as the block runs."""
        begun, over = threading.Event(), asyncio.Event()

        async def serve() -> None:
            self._loop = asyncio.get_running_loop()
            own = await asyncio.start_server(self._garble, HOST, 0, ssl=self.tls)
            self._own = own.sockets[0].getsockname()[1]
            front = await asyncio.start_server(self._accepted, HOST, self.port)
            begun.set()
            await over.wait()
            for server in (front, own):
                server.close()
            self._cut()
            await asyncio.sleep(0.1)

        thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
        thread.start()
        assert begun.wait(10)
        try:
            yield self
        finally:
            assert self._loop
            self._loop.call_soon_threadsafe(over.set)
            thread.join(10)

    def answer(self, nonsense: str | None) -> None:
        """From now on answer so, or (None) pass everything on; connections are cut."""
        self.nonsense, self.requests = nonsense, 0
        assert self._loop
        self._loop.call_soon_threadsafe(self._cut)

    def _cut(self) -> None:
        for transport in list(self._open):
            transport.abort()

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        near = writer.transport
        try:
            port = self.target if self.nonsense is None else self._own
            far_reader, far_writer = await asyncio.open_connection(HOST, port)
        except OSError:
            near.abort()
            return
        both = {near, far_writer.transport}
        self._open |= both
        try:
            await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        finally:
            self._open -= both
            for transport in both:
                transport.abort()

    async def _garble(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            head = await reader.readuntil(b"\r\n\r\n")
            if length := _LENGTH.search(head):
                await reader.readexactly(int(length[1]))
            self.requests += 1
            said = NONSENSE[self.nonsense or "hang"]
            if said is None:
                await reader.read()  # until the client gives up
            else:
                writer.write(said)
                await writer.drain()
        writer.close()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
        if sink.can_write_eof():
            sink.write_eof()
