"""One HTTP port for probes, metrics and status, on the controller's own loop; slow clients hold up nobody."""

import asyncio
import contextlib
import gzip
import logging
import os
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from syncer.errors import MisconfiguredError
from syncer.redaction import redacted, redacted_json

log = logging.getLogger(__name__)

# A probe asks and reads within a second; who is slower than this is cut off.
_PATIENCE_S = 5.0
_HEAD_BYTES = 8192
_CLIENTS = 64

# Below this a compressed answer saves no packet. Level 1 makes 60 kB of 2.1 MB (5,000 nodes) in 10 ms.
_WORTH_COMPRESSING = 1400
_COMPRESSION = 1
# A costly answer is shared for so many times what it took: /status of 5,000 nodes takes 0.1 s.
_KEPT_FOR = 9

_PHRASES = {
    200: "OK",
    304: "Not Modified",
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
    headers: tuple[tuple[str, str], ...] = ()
    etag: str = ""


Routes = Mapping[str, Callable[[], Answer]]


def text(status: int, line: str) -> Answer:
    """One line of text."""
    return Answer(status, redacted(line).encode() + b"\n")


def document(value: Any) -> Answer:
    """A JSON document, on one line: with an indent Python's own encoder is ten times as slow."""
    return Answer(200, redacted_json(value).encode() + b"\n", "application/json")


def shared(route: Callable[[], Answer]) -> Callable[[], Answer]:
    """`route`, taking a tenth of the loop's time at most, however many ask; nothing is kept for long."""
    kept: list[Answer] = []

    def answer() -> Answer:
        if not kept:
            began = time.perf_counter()
            kept.append(route())
            asyncio.get_running_loop().call_later(_KEPT_FOR * (time.perf_counter() - began), kept.clear)
        return kept[0]

    return answer


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
        # A name that cannot be resolved has a number of its own kind, below 0, and words.
        number = error.errno or 0
        why = (os.strerror(number) if number > 0 else error.strerror or str(error)).lower()
        raise MisconfiguredError(
            f"cannot listen on {address or '*'}:{port}: {why}; set NLB_SYNC_ADDRESS and NLB_SYNC_PORT"
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
    first, _, rest = head.decode("latin-1").partition("\r\n")
    method, _, target = first.partition(" ")
    path = target.partition(" ")[0].partition("?")[0]
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
    return _bytes(answer, _headers(rest), with_body=method != "HEAD")


def _headers(lines: str) -> Mapping[str, str]:
    """The request's headers, names in lower case."""
    pairs = (line.partition(":") for line in lines.split("\r\n"))
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _bytes(answer: Answer, asked: Mapping[str, str], *, with_body: bool) -> bytes:
    """The whole answer; what has an ETag may be kept by the browser and is only compared."""
    status, body, more = answer.status, answer.body, list(answer.headers)
    if answer.etag:
        more.append(("ETag", answer.etag))
        if answer.etag in asked.get("if-none-match", ""):
            status, body = 304, b""
    if len(body) > _WORTH_COMPRESSING and "gzip" in asked.get("accept-encoding", ""):
        body = gzip.compress(body, _COMPRESSION)
        more.append(("Content-Encoding", "gzip"))
    lines = [
        f"HTTP/1.1 {status} {_PHRASES[status]}",
        f"Content-Type: {answer.content_type}",
        f"Content-Length: {len(body)}",
        f"Cache-Control: {'no-cache' if answer.etag else 'no-store'}",
        "Vary: Accept-Encoding",
        "X-Content-Type-Options: nosniff",
        "Connection: close",
        *(f"{name}: {value}" for name, value in more),
    ]
    head = "\r\n".join([*lines, "", ""]).encode("latin-1")
    return head + body if with_body else head
