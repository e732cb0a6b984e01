"""Relays requests to the real API server, byte by byte."""

import asyncio
import ssl
from dataclasses import dataclass, field

from bench.apiserver.http import HEAD_END, Request, header
from sandbox.layout import HOST


@dataclass(slots=True)
class Relay:
    """A connection to the real API server on behalf of one client's connection."""

    port: int
    context: ssl.SSLContext
    _streams: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(default_factory=list)

    async def send(self, request: Request, writer: asyncio.StreamWriter) -> None:
        """Send the request; write the response to `writer` as the parts arrive."""
        if not self._streams:
            self._streams.append(await asyncio.open_connection(HOST, self.port, ssl=self.context))
        reader, server = self._streams[0]
        server.write(request.head + request.body)
        head = await reader.readuntil(HEAD_END)
        writer.write(head)
        if header(head, "transfer-encoding") == "chunked":
            await _chunks(reader, writer)
        else:
            writer.write(await reader.readexactly(int(header(head, "content-length") or 0)))
        await writer.drain()

    def close(self) -> None:
        """Close the connection."""
        for _, server in self._streams:
            server.close()


async def _chunks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    size = -1
    while size:
        line = await reader.readuntil(b"\r\n")
        size = int(line, base=16)
        writer.write(line + await reader.readexactly(size + len(b"\r\n")))
        await writer.drain()
