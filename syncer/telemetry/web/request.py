"""The head of a request (RFC 9112), parsed strictly: ambiguous heads are refused."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from syncer.telemetry.web.answer import Answer, text
from syncer.telemetry.web.hosts import ALLOWED, Hosts

_LINE = re.compile(
    r"(?P<method>[!#$%&'*+.^_`|~0-9A-Za-z-]+) (?P<target>[!-~\x80-\xff]+) HTTP/(?P<version>\d\.\d)"
)
_FIELD = re.compile(r"(?P<name>[!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(?P<value>[^\0\r\n]*?)[ \t]*")
_ABSOLUTE = re.compile(r"https?://(?P<authority>[^/?#]*)(?P<path>[^?#]*)", re.IGNORECASE)
_SHOWN = 80


class RefusedError(Exception):
    """The request is refused; `answer` has the status and the reason in one line."""

    def __init__(self, status: int, line: str, *headers: tuple[str, str]) -> None:
        super().__init__(line)
        self.answer: Answer = replace(text(status, line), headers=headers)


@dataclass(frozen=True, slots=True)
class Request:
    """Method, path, headers with names in lower case, and the query as sent, without `?`."""

    method: str
    path: str
    headers: Mapping[str, str]
    query: str = ""


def parse(head: bytes, hosts: Hosts) -> Request:
    """Parse a head without its empty line; RefusedError for a malformed head or another host."""
    first, *lines = head.decode("latin-1").split("\r\n")
    line = _LINE.fullmatch(first)
    if not line:
        raise RefusedError(400, f"malformed request line: {_shown(first)}; allowed: GET /PATH HTTP/1.1")
    if line["version"] not in {"1.0", "1.1"}:
        raise RefusedError(505, f"unknown version: HTTP/{line['version']}; allowed: HTTP/1.0, HTTP/1.1")
    fields = [_field(each) for each in lines]
    named = [value for name, value in fields if name == "host"]
    if len(named) > 1:
        raise RefusedError(400, "more than one Host; allowed: one")
    if not named and line["version"] == "1.1":
        raise RefusedError(400, "Host is missing; HTTP/1.1 needs one")
    target, _, query = line["target"].partition("?")
    if absolute := _ABSOLUTE.fullmatch(target.partition("#")[0]):
        named.append(absolute["authority"])  # replaces Host (RFC 9112, 3.2.2); both must be allowed
    for host in named:
        if not hosts.allow(host):
            raise RefusedError(421, f"Host is not a name of this syncer: {_shown(host)}; {ALLOWED}")
    if line["method"] not in {"GET", "HEAD"}:
        allowed = ("Allow", "GET, HEAD")
        raise RefusedError(405, f"method is {line['method'][:_SHOWN]}; allowed: GET, HEAD", allowed)
    path = (absolute["path"] or "/") if absolute else target
    return Request(line["method"], path, dict(fields), query)


def _field(line: str) -> tuple[str, str]:
    field = _FIELD.fullmatch(line)
    if not field:
        raise RefusedError(400, f"malformed header: {_shown(line)}; allowed: NAME: VALUE")
    return field["name"].lower(), field["value"]


def _shown(text_of_client: str) -> str:
    """Quote the client's text, in ASCII and shortened."""
    return ascii(text_of_client[:_SHOWN])
