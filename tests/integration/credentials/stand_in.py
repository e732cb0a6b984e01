"""A real HTTP server on loopback in the place of STS, the Pod Identity agent, instance metadata and ELB."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs

HOST = "127.0.0.1"
KEYS = {
    "AccessKeyId": "ASIAQWERTYUIOPASDFGH",
    "SecretAccessKey": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "SessionToken": "IQoJb3JpZ2luX2VjEXAMPLE+token/with==signs",
    "Expiration": "2099-01-01T00:00:00Z",
}
_NAMESPACE = 'xmlns="http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"'
NO_TARGETS = (
    f"<DescribeTargetHealthResponse {_NAMESPACE}><DescribeTargetHealthResult><TargetHealthDescriptions/>"
    "</DescribeTargetHealthResult></DescribeTargetHealthResponse>"
)


def refusal(status: int, code: str, message: str) -> tuple[int, str]:
    """How the query APIs of AWS refuse a call."""
    return status, (
        f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
        "<RequestId>1</RequestId></ErrorResponse>"
    )


def session(action: str) -> tuple[int, str]:
    """What STS answers to an AssumeRole of any kind."""
    fields = "".join(f"<{name}>{value}</{name}>" for name, value in KEYS.items())
    return 200, (
        f'<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{action}Result>'
        f"<Credentials>{fields}</Credentials></{action}Result></{action}Response>"
    )


def agents_keys() -> tuple[int, str]:
    """What the Pod Identity agent answers."""
    return 200, json.dumps(
        {**{k: v for k, v in KEYS.items() if k != "SessionToken"}, "Token": KEYS["SessionToken"]}
    )


@dataclass(slots=True)
class Request:
    """One request: method, path, headers, and the fields of its form."""

    method: str
    path: str
    headers: dict[str, str]
    form: dict[str, str]

    @property
    def what(self) -> str:
        """The action of a query API, else method and path."""
        return self.form.get("Action") or f"{self.method} {self.path}"


Answer = Callable[[Request], tuple[int, str] | None]


def answers(request: Request) -> tuple[int, str] | None:
    """All is well: STS and the agent give keys, ELB lists no target."""
    if request.what.startswith("AssumeRole"):
        return session(request.what)
    if request.what == "GET /v1/credentials":
        return agents_keys()
    if request.what == "DescribeTargetHealth":
        return 200, NO_TARGETS
    return refusal(404, "NotHere", "not here")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "_Server"

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0)).decode()
        form = {name: values[0] for name, values in parse_qs(body, keep_blank_values=True).items()}
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, headers, form)
        self.server.stand_in.requests.append(request)
        said = self.server.stand_in.answer(request)
        if said is None:
            self.server.stand_in.closing.wait(90)
            self.close_connection = True
            return
        status, text = said
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_CONNECT = _answer  # noqa: N815

    def log_message(self, *_: Any) -> None:
        """Nothing: the test reads `requests`."""


class _Server(ThreadingHTTPServer):
    stand_in: "StandIn"
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that is stopped hangs up."""


@dataclass(slots=True)
class StandIn:
    """Change `answer` at any time; None keeps the connection open without an answer."""

    answer: Answer = answers
    requests: list[Request] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)
    url: str = ""
    _server: _Server | None = None

    def __enter__(self) -> Self:
        self._server = _Server((HOST, 0), _Handler)
        self._server.stand_in = self
        self.url = f"http://{HOST}:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()

    def asked(self, what: str) -> list[Request]:
        """The requests of this kind."""
        return [request for request in list(self.requests) if request.what == what]
