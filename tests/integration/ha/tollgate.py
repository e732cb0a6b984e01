"""The way from one replica to AWS: each write that arrives is noted, and takes as long as AWS takes."""

import threading
import time
import urllib.error
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs
from urllib.request import Request, urlopen

from sandbox.layout import HOST

_WRITES = frozenset({"RegisterTargets", "DeregisterTargets"})
# What a call of the real ELBv2 takes, about; a replica is often frozen while one is under way.
_TAKES_S = 0.05


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        assert isinstance(self.server, _Server)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        asked = parse_qs(body.decode())
        self.server.gate.note(asked["Action"][0], asked.get("TargetGroupArn", [""])[0])
        time.sleep(_TAKES_S)
        headers = {name: self.headers[name] for name in ("Authorization", "Content-Type", "X-Amz-Date")}
        status, answer = _forwarded(Request(self.server.gate.aws, body, headers))  # noqa: S310
        self.send_response(status)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        """Nothing: the test reads `arrived`."""


def _forwarded(request: Request) -> tuple[int, bytes]:
    try:
        with urlopen(request, timeout=30) as answer:  # noqa: S310
            return answer.status, answer.read()
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.read()


class _Server(ThreadingHTTPServer):
    gate: "Tollgate"
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A replica that is killed hangs up."""


@dataclass(slots=True)
class Tollgate:
    """One replica's own endpoint for AWS. `arrived` are its writes: monotonic time and the group's ARN."""

    aws: str
    arrived: list[tuple[float, str]] = field(default_factory=list)
    url: str = ""
    _server: _Server | None = None

    def note(self, action: str, group: str) -> None:
        if action in _WRITES:
            self.arrived.append((time.monotonic(), group))

    def since(self, moment: float) -> Counter[str]:
        """How many writes of each group have arrived since."""
        return Counter(group for when, group in self.arrived if when >= moment)

    def __enter__(self) -> Self:
        self._server = _Server((HOST, 0), _Handler)
        self._server.gate = self
        self.url = f"http://{HOST}:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()
