"""A request to the AWS API over WSGI, and its answer."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl

from sandbox.cloud.errors import AwsError
from sandbox.layout import REGION

Environ = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], Any]

# Calls with their own proof of identity: SDKs do not sign them.
UNSIGNED = frozenset({"AssumeRoleWithWebIdentity"})
# Services whose actions IAM has under another name than signatures.
_PREFIXES = {"monitoring": "cloudwatch"}
_SCOPE_PARTS = 5  # key/date/region/service/aws4_request


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A call: access key and session token, service, action, and its form fields or its body."""

    access_key: str
    token: str
    region: str
    service: str
    action: str
    fields: dict[str, str]
    method: str
    path: str
    body: bytes
    query: str = ""
    user_agent: str = ""

    def parameters(self) -> dict[str, str]:
        """Return the query string; the last value of a repeated name."""
        return dict(parse_qsl(self.query))

    def values(self, name: str) -> list[str]:
        """Return all values of a query string parameter."""
        return [value for key, value in parse_qsl(self.query) if key == name]


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer."""

    status: int
    content_type: str
    body: bytes


def parse(environ: Environ) -> Request:
    """Parse the request in `environ`; its body can be read again. Raises AwsError if unsigned."""
    body = read_body(environ)
    set_body(environ, body)
    fields = dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
    fields.update(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
    target = str(environ.get("HTTP_X_AMZ_TARGET", ""))
    action = fields.get("Action") or target.rpartition(".")[2]
    scope = _credential(environ)
    if len(scope) != _SCOPE_PARTS:
        if action not in UNSIGNED:
            raise AwsError("MissingAuthenticationToken", "Request is missing Authentication Token", 403)
        scope = ["", "", REGION, "sts", ""]
    return Request(
        access_key=scope[0],
        token=str(environ.get("HTTP_X_AMZ_SECURITY_TOKEN", "")),
        region=scope[2],
        service=_PREFIXES.get(scope[3], scope[3]),
        action=action,
        fields=fields,
        method=str(environ["REQUEST_METHOD"]),
        path=_path(environ),
        body=body,
        query=str(environ.get("QUERY_STRING", "")),
        user_agent=str(environ.get("HTTP_USER_AGENT", "")),
    )


def service_of(environ: Environ) -> str:
    """Return the service in the signature; `unknown` for an unsigned request."""
    scope = _credential(environ)
    return _PREFIXES.get(scope[3], scope[3]) if len(scope) == _SCOPE_PARTS else "unknown"


def read_body(environ: Environ) -> bytes:
    """Return the body; it can be read only once."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    read: bytes = environ["wsgi.input"].read(length) if length else b""
    return read


def set_body(environ: Environ, body: bytes) -> None:
    """Replace the body."""
    environ["wsgi.input"] = BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))


def send(
    start_response: StartResponse, answer: Answer, headers: Iterable[tuple[str, str]] = ()
) -> list[bytes]:
    """Send `answer`."""
    own = [("Content-Type", answer.content_type), ("Content-Length", str(len(answer.body)))]
    status = f"{answer.status} {'OK' if answer.status < 400 else 'Refused'}"  # noqa: PLR2004
    start_response(status, [*own, *headers])
    return [answer.body]


def _path(environ: Environ) -> str:
    """Return the path with the server's escapes if available: an ARN in the path contains slashes."""
    raw = str(environ.get("RAW_URI") or environ.get("REQUEST_URI") or environ.get("PATH_INFO", "/"))
    return raw.partition("?")[0]


def _credential(environ: Environ) -> list[str]:
    """Split the credential scope of a Signature Version 4 header; empty if the request is not signed."""
    _, found, rest = str(environ.get("HTTP_AUTHORIZATION", "")).partition("Credential=")
    return rest.split(",")[0].strip().split("/") if found else []
