"""HTTP/1.1 with keep-alive: requests of a client, and responses, some of them in chunks."""

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit

HEAD_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Request:
    """`head` is the request line with all headers as received."""

    head: bytes
    body: bytes

    @property
    def method(self) -> str:
        """Return the method."""
        return self.head.split(b" ", 1)[0].decode()

    @property
    def path(self) -> str:
        """Return the path without the query."""
        return urlsplit(self._target).path

    @property
    def query(self) -> dict[str, str]:
        """Return the query."""
        return dict(parse_qsl(urlsplit(self._target).query))

    def json(self) -> Any:
        """Return the parsed body."""
        return json.loads(self.body)

    @property
    def _target(self) -> str:
        return self.head.split(b" ", 2)[1].decode()


async def read(reader: asyncio.StreamReader) -> Request:
    """Read a request. Raises IncompleteReadError at the end of the connection."""
    head = await reader.readuntil(HEAD_END)
    return Request(head, await reader.readexactly(int(header(head, "content-length") or 0)))


def header(head: bytes, name: str) -> str:
    """Return the header's value; empty if absent."""
    for line in head.decode("latin-1").split("\r\n"):
        found, _, value = line.partition(":")
        if found.lower() == name:
            return value.strip()
    return ""


def answer(writer: asyncio.StreamWriter, content: Iterable[bytes], status: int = HTTPStatus.OK) -> None:
    """Write a JSON response."""
    pieces = list(content)
    head = f"HTTP/1.1 {int(status)} -\r\nContent-Type: application/json\r\n"
    writer.write(f"{head}Content-Length: {sum(map(len, pieces))}\r\n\r\n".encode())
    writer.writelines(pieces)


def refuse(writer: asyncio.StreamWriter, status: HTTPStatus, message: str) -> None:
    """Write an error response as the API server does."""
    answer(writer, [json.dumps(failure(status, message)).encode()], status)


def failure(status: HTTPStatus, message: str) -> Mapping[str, Any]:
    """Return the API server's object for an error."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "message": message,
        "code": int(status),
    }


def begin_chunks(writer: asyncio.StreamWriter) -> None:
    """Begin a JSON response of unknown length."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")


def chunk(writer: asyncio.StreamWriter, content: bytes) -> None:
    """Write a part of the response; an empty part ends it."""
    writer.write(b"%x\r\n%b\r\n" % (len(content), content))
