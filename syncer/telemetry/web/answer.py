"""The response of a path, and its bytes on the wire."""

import gzip
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from syncer.text.redaction import redacted, redacted_values

# For a smaller body compression saves no packet. Level 1 makes 60 kB of 2.1 MB (5,000 nodes) in 10 ms.
_WORTH_COMPRESSING = 1400
_COMPRESSION = 1
# The C encoder keeps the interpreter lock for a whole call: 90 ms for /status of 5,000 nodes, 1 ms for a
# piece.
_ELEMENTS_AT_ONCE = 100
# Fields that change while the state stays the same.
_CLOCKS = re.compile(rb'"(now|last_good_pass_age)": [^,}]*')

_PHRASES = {
    200: "OK",
    304: "Not Modified",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    421: "Misdirected Request",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
    505: "HTTP Version Not Supported",
}


@dataclass(frozen=True)
class Answer:
    """Status, body and headers. An answer shared by many clients is compressed once."""

    status: int
    body: bytes
    content_type: str = "text/plain; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()
    etag: str = ""

    @cached_property
    def compressed(self) -> bytes:
        """The body in gzip."""
        return gzip.compress(self.body, _COMPRESSION, mtime=0)


Route = Callable[[], Answer | Future[Answer]]
Routes = Mapping[str, Route]


def text(status: int, line: str) -> Answer:
    """Return one line of text."""
    return Answer(status, redacted(line).encode() + b"\n")


def document(value: Mapping[str, Any]) -> Answer:
    """Return a JSON document on one line; its ETag ignores changes of the clock fields.

    With an indent Python's own encoder is ten times as slow.
    """
    pieces = list(_pieces(value))
    whole = "".join(pieces)  # redaction piece by piece would take 0.9 s
    if redacted(whole) != whole:
        pieces = list(_pieces(redacted_values(value)))
    del whole
    body, digest = bytearray(), hashlib.blake2b(digest_size=12)
    for piece in pieces:
        encoded = piece.encode()
        body += encoded
        digest.update(_CLOCKS.sub(b"", encoded))
    body += b"\n"
    answer = Answer(200, bytes(body), "application/json", etag=f'W/"{digest.hexdigest()}"')
    if len(body) > _WORTH_COMPRESSING:
        _ = answer.compressed  # in the rendering thread, not in the thread that answers probes
    return answer


def _pieces(value: Any) -> Iterator[str]:
    """Yield the text of json.dumps in pieces; other threads run between pieces."""
    if isinstance(value, Mapping) and any(isinstance(each, list) for each in value.values()):
        opening = "{"
        for key, each in value.items():
            if isinstance(each, list | Mapping):
                yield f"{opening}{json.dumps(key)}: "
                yield from _pieces(each)
            else:
                yield f"{opening}{json.dumps(key)}: {json.dumps(each)}"  # in one piece, for _CLOCKS
            opening = ", "
        yield "}"
    elif isinstance(value, list) and len(value) > _ELEMENTS_AT_ONCE:
        opening = "["
        for start in range(0, len(value), _ELEMENTS_AT_ONCE):
            yield opening + json.dumps(value[start : start + _ELEMENTS_AT_ONCE])[1:-1]
            opening = ", "
        yield "]"
    elif isinstance(value, list) and any(isinstance(each, Mapping) for each in value):
        opening = "["
        for each in value:
            yield opening
            yield from _pieces(each)
            opening = ", "
        yield "]"
    else:
        yield json.dumps(value)


def encoded(answer: Answer, headers: Mapping[str, str], *, with_body: bool) -> tuple[bytes, bytes]:
    """Return head and body for a client that sent `headers` (names in lower case)."""
    status, body, more = answer.status, answer.body, list(answer.headers)
    if answer.etag:
        more.append(("ETag", answer.etag))
        if _has_it(answer.etag, headers.get("if-none-match", "")):
            status, body = 304, b""
    if len(body) > _WORTH_COMPRESSING and _takes_gzip(headers.get("accept-encoding", "")):
        body = answer.compressed
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
    return "\r\n".join([*lines, "", ""]).encode("latin-1"), body if with_body else b""


def _has_it(etag: str, if_none_match: str) -> bool:
    """Return whether the client has this version; weak comparison of RFC 9110, 8.8.3.2."""
    held = {each.strip().removeprefix("W/") for each in if_none_match.split(",")}
    return "*" in held or etag.removeprefix("W/") in held


def _takes_gzip(accept_encoding: str) -> bool:
    for each in accept_encoding.lower().split(","):
        coding, _, weight = each.partition(";")
        if coding.strip() == "gzip":
            return not re.fullmatch(r"\s*q\s*=\s*0(\.0*)?\s*", weight)
    return False
