"""A small real HTTP server that answers as a sick API server does, and counts what it is asked."""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from sandbox.layout import HOST


@dataclass(slots=True)
class Request:
    """One request: when it came, whether it is a watch, and its query."""

    at: float
    watch: bool
    query: dict[str, str]


Answer = Callable[["Handler", Request], None]


def a_list(*names: str, version: str = "100", **metadata: str) -> Answer:
    """A page of Nodes."""
    items = [{"metadata": {"name": name, "resourceVersion": "50"}} for name in names]
    return a_document({"metadata": {"resourceVersion": version, **metadata}, "items": items})


def a_document(value: Any) -> Answer:
    """Any JSON."""
    return lambda handler, _: handler.reply(200, json.dumps(value).encode())


def a_refusal(status: int) -> Answer:
    """A Status object, as the API server says no."""
    body = json.dumps({"kind": "Status", "code": status, "message": f"refused with {status}"}).encode()
    return lambda handler, _: handler.reply(status, body)


def a_stream(*events: dict[str, Any], then: str = "end") -> Answer:
    """A watch that sends events and then ends, breaks off or hangs until the server closes."""

    def answer(handler: "Handler", _: Request) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for event in events:
            line = json.dumps(event).encode() + b"\n"
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
        if then == "end":
            handler.wfile.write(b"0\r\n\r\n")
        elif then == "hang":
            handler.wfile.flush()
            handler.faulty.closing.wait(30)
        handler.close_connection = True

    return answer


def event(kind: str, name: str, version: int, **extra: Any) -> dict[str, Any]:
    """A watch event of one Node."""
    return {"type": kind, "object": {"metadata": {"name": name, "resourceVersion": str(version)}, **extra}}


class Handler(BaseHTTPRequestHandler):
    """Asks the server's script for each answer."""

    protocol_version = "HTTP/1.1"

    @property
    def faulty(self) -> "FaultyServer":
        assert isinstance(self.server, _Server)
        return self.server.faulty

    def do_GET(self) -> None:
        query = {key: values[0] for key, values in parse_qs(urlsplit(self.path).query).items()}
        request = Request(time.monotonic(), "watch" in query, query)
        self.faulty.requests.append(request)
        (self.faulty.watches if request.watch else self.faulty.lists)(self, request)

    def reply(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing: the test reads `requests`."""


class _Server(ThreadingHTTPServer):
    faulty: "FaultyServer"
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is what some tests are about."""


@dataclass(slots=True)
class FaultyServer:
    """Change `lists` and `watches` at any time."""

    lists: Answer = field(default_factory=a_list)
    watches: Answer = field(default_factory=lambda: a_stream(then="hang"))
    requests: list[Request] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)
    url: str = ""
    _server: _Server | None = None

    def __enter__(self) -> Self:
        self._server = _Server((HOST, 0), Handler)
        self._server.faulty = self
        self.url = f"http://{HOST}:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()

    def count(self, *, watch: bool) -> int:
        return sum(request.watch is watch for request in self.requests)
