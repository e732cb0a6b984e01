"""A small real HTTP server that answers as a sick API server does, and counts what it is asked."""

import json
import re
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
    """One request: when it came, its method and path, whether it is a watch, its query, and who asks."""

    at: float
    method: str
    path: str
    watch: bool
    query: dict[str, str]
    token: str = ""
    user_agent: str = ""

    @property
    def plural(self) -> str:
        """The resource: `nodes`, `leases`."""
        *_, last = re.sub(r"^/apis?/(.*/)?v1/", "", self.path).removeprefix("namespaces/").split("/")[:2]
        return last

    @property
    def streams_list(self) -> bool:
        """Whether it is a watch that is to begin with the whole list."""
        return "sendInitialEvents" in self.query


Answer = Callable[["Handler", Request], None]


def a_list(*names: str, version: str = "100", **metadata: str) -> Answer:
    """A page of Nodes."""
    items = [{"metadata": {"name": name, "resourceVersion": "50"}} for name in names]
    return a_document({"metadata": {"resourceVersion": version, **metadata}, "items": items})


def a_document(value: Any) -> Answer:
    """Any JSON."""
    return a_raw_document(json.dumps(value).encode())


def a_raw_document(body: bytes) -> Answer:
    """Anything at all."""
    return lambda handler, _: handler.reply(200, body)


def a_refusal(status: int) -> Answer:
    """A Status object, as the API server says no."""
    body = json.dumps({"kind": "Status", "code": status, "message": f"refused with {status}"}).encode()
    return lambda handler, _: handler.reply(status, body)


def hang_up(handler: "Handler", _: Request) -> None:
    """No answer: the connection is closed."""
    handler.close_connection = True


def say_nothing(handler: "Handler", _: Request) -> None:
    """No answer, and the connection stays open."""
    handler.faulty.closing.wait(60)
    handler.close_connection = True


def a_stream(*events: Any, then: str = "end") -> Answer:
    """A watch that sends events (bytes as they are), then ends, breaks off or hangs until the server ends."""

    def answer(handler: "Handler", _: Request) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for event in events:
            line = event if isinstance(event, bytes) else json.dumps(event).encode() + b"\n"
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
        handler.wfile.flush()
        if then == "end":
            handler.wfile.write(b"0\r\n\r\n")
        elif then == "hang":
            handler.faulty.closing.wait(30)
        handler.close_connection = then != "end"

    return answer


def event(kind: str, name: str, version: int, **extra: Any) -> dict[str, Any]:
    """A watch event of one Node."""
    return {"type": kind, "object": {"metadata": {"name": name, "resourceVersion": str(version)}, **extra}}


def bookmark(version: int, *, list_ends: bool = False) -> dict[str, Any]:
    """A bookmark; `list_ends`: the one that ends a streamed list."""
    annotations = {"k8s.io/initial-events-end": "true"} if list_ends else {}
    metadata = {"resourceVersion": str(version), "annotations": annotations}
    return {"type": "BOOKMARK", "object": {"metadata": metadata}}


class Handler(BaseHTTPRequestHandler):
    """Asks the server's script for each answer."""

    protocol_version = "HTTP/1.1"
    body: dict[str, Any]

    @property
    def faulty(self) -> "FaultyServer":
        assert isinstance(self.server, _Server)
        return self.server.faulty

    def setup(self) -> None:
        super().setup()
        self.faulty.connections.add(self)

    def finish(self) -> None:
        self.faulty.connections.discard(self)
        super().finish()

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def do_PATCH(self) -> None:
        self._answer()

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        token = (self.headers["Authorization"] or "").rpartition(" ")[2]
        request = Request(time.monotonic(), self.command, parts.path, "watch" in query, query, token)
        request.user_agent = self.headers["User-Agent"] or ""
        self.body = json.loads(self.rfile.read(int(self.headers["Content-Length"] or 0)) or b"{}")
        self.faulty.requests.append(request)
        self.faulty.answer_to(request)(self, request)

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
    """Change `lists`, `watches`, `streams` and `sick` at any time.

    `streams` answers a watch that is to begin with the whole list: refused, as by a server that is too old
    for it. Single objects (Leases, ConfigMaps, Events) are kept. `sick` comes before all that, by plural.
    """

    lists: Answer = field(default_factory=a_list)
    watches: Answer = field(default_factory=lambda: a_stream(then="hang"))
    streams: Answer = field(default_factory=lambda: a_refusal(422))
    sick: dict[str, Answer] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    connections: set[Handler] = field(default_factory=set)
    closing: threading.Event = field(default_factory=threading.Event)
    url: str = ""
    kept: dict[str, dict[str, Any]] = field(default_factory=dict)
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

    def answer_to(self, request: Request) -> Answer:
        if request.plural in self.sick:
            return self.sick[request.plural]
        if request.streams_list:
            return self.streams
        if request.watch:
            return self.watches
        return self.lists if request.plural in {"nodes", "services"} else self.keep

    def count(self, *, watch: bool) -> int:
        return sum(request.watch is watch for request in self.requests)

    def starts(self, plural: str) -> dict[str, list[float]]:
        """When requests for this plural came, by kind."""
        found: dict[str, list[float]] = {}
        for request in self.requests:
            if request.plural == plural:
                found.setdefault("watch" if request.watch else request.method, []).append(request.at)
        return found

    def keep(self, handler: Handler, request: Request) -> None:
        """What an API server that is well does with one small object."""
        path = request.path
        if request.method == "POST":
            path = f"{path}/{handler.body['metadata']['name']}"
        before = self.kept.get(path)
        if before is None and request.method != "POST":
            a_refusal(404)(handler, request)
            return
        if request.method != "GET":
            merged = {**(before or {}), **handler.body}
            version = str(int((before or {}).get("metadata", {}).get("resourceVersion", 0)) + 1)
            merged["metadata"] = {**merged.get("metadata", {}), "resourceVersion": version}
            self.kept[path] = merged
        handler.reply(200, json.dumps(self.kept[path]).encode())
