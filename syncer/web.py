"""One HTTP port for probes, metrics and status, on the controller's own loop; slow clients hold up nobody."""

import asyncio
import contextlib
import json
import logging
import os
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from syncer.errors import MisconfiguredError

log = logging.getLogger(__name__)

# A probe asks and reads within a second; who is slower than this is cut off.
_PATIENCE_S = 5.0
_HEAD_BYTES = 8192
_CLIENTS = 64

_PHRASES = {
    200: "OK",
    302: "Found",
    404: "Not Found",
    405: "Method Not Allowed",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a path answers."""

    status: int
    body: bytes
    content_type: str = "text/plain; charset=utf-8"
    location: str = ""


Routes = Mapping[str, Callable[[], Answer]]


def text(status: int, line: str) -> Answer:
    """One line of text."""
    return Answer(status, line.encode() + b"\n")


def document(value: Any) -> Answer:
    """A JSON document, on one line: with an indent Python's own encoder is ten times as slow."""
    return Answer(200, json.dumps(value).encode() + b"\n", "application/json")


@contextlib.asynccontextmanager
async def serving(routes: Routes, address: str, port: int) -> AsyncIterator[None]:
    """Serve `routes` while the block runs; an empty address is every address of this host."""
    clients: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None and len(clients) < _CLIENTS:
            clients.add(task)
            await _serve(routes, reader, writer)
            clients.discard(task)
        writer.close()

    try:
        server = await asyncio.start_server(accept, address or None, port, limit=_HEAD_BYTES)
    except OSError as error:
        where, why = f"{address or '*'}:{port}", os.strerror(error.errno or 0).lower()
        raise MisconfiguredError(
            f"cannot listen on {where}: {why}; set NLB_SYNC_ADDRESS and NLB_SYNC_PORT"
        ) from None
    try:
        yield
    finally:
        server.close()
        for task in list(clients):
            task.cancel()


async def _serve(routes: Routes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One request, one answer, and the connection is closed."""
    try:
        async with asyncio.timeout(_PATIENCE_S):
            head = await reader.readuntil(b"\r\n\r\n")
            writer.write(_answer(routes, head))
            await writer.drain()
    except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        writer.transport.abort()


def _answer(routes: Routes, head: bytes) -> bytes:
    method, _, rest = head.split(b"\r\n", 1)[0].decode("latin-1").partition(" ")
    path = rest.partition(" ")[0].partition("?")[0]
    route = routes.get(path)
    if method not in {"GET", "HEAD"}:
        answer = text(405, "only GET and HEAD")
    elif route is None:
        answer = text(404, f"there is {', '.join(sorted(routes))}")
    else:
        try:
            answer = route()
        except Exception:
            log.exception("cannot answer %s", path)
            answer = text(500, "see the log")
    return _bytes(answer, with_body=method != "HEAD")


def _bytes(answer: Answer, *, with_body: bool) -> bytes:
    lines = [
        f"HTTP/1.1 {answer.status} {_PHRASES[answer.status]}",
        f"Content-Type: {answer.content_type}",
        f"Content-Length: {len(answer.body)}",
        "Cache-Control: no-store",
        "Connection: close",
    ]
    if answer.location:
        lines.append(f"Location: {answer.location}")
    head = "\r\n".join([*lines, "", ""]).encode("latin-1")
    return head + answer.body if with_body else head
