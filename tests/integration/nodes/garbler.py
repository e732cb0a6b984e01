"""A server before AWS or the API server that passes everything on, or answers nonsense."""

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sandbox.layout import HOST

# Whole HTTP answers, by what is wrong with them. None: it accepts, and never answers.
NONSENSE: dict[str, bytes | None] = {
    "not XML": b"HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n\x00\xff{not XML at all",
    "empty": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "a list": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n[]",
    "null items": b'HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n{"items": null, "revision": 7}',
    "wrong shape": b"HTTP/1.1 200 OK\r\nContent-Length: 56\r\n\r\n"
    b"<DescribeInstancesResponse><a/></DescribeInstancesResponse>"[:56],
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
    """Passes connections to `target` as they are, or answers each request with `nonsense` itself.

    `trust` is the TLS that it serves when it answers itself.
    """

    target: int
    tls: ssl.SSLContext | None = None
    nonsense: str | None = None
    port: int = 0
    requests: int = 0
    _open: set[asyncio.StreamWriter] = field(default_factory=set)
    _loop: asyncio.AbstractEventLoop | None = None

    @contextmanager
    def serving(self) -> Iterator["Garbler"]:
        """Serve on a thread of its own for as long as the block runs."""
        begun, over = threading.Event(), asyncio.Event()

        async def serve() -> None:
            self._loop = asyncio.get_running_loop()
            server = await asyncio.start_server(self._accepted, HOST, self.port)
            begun.set()
            await over.wait()
            server.close()
            self._cut()

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
        for writer in list(self._open):
            writer.transport.abort()

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                await (self._pass(reader, writer) if self.nonsense is None else self._garble(reader, writer))
        finally:
            self._open.discard(writer)
            writer.transport.abort()

    async def _garble(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.tls:
            await writer.start_tls(self.tls)
        await reader.readuntil(b"\r\n\r\n")
        self.requests += 1
        said = NONSENSE[self.nonsense or ""]
        if said is None:
            await asyncio.sleep(3600)
        writer.write(said or b"")
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(HOST, self.target)
        self._open.add(far_writer)
        try:
            await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        finally:
            self._open.discard(far_writer)
            far_writer.transport.abort()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while data := await source.read(65536):
        sink.write(data)
        await sink.drain()
    sink.write_eof()
