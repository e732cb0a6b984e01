"""What is read of a request's head, and what is refused."""

import pytest

from syncer.telemetry.web.hosts import Hosts
from syncer.telemetry.web.request import RefusedError, Request, parse

OURS = Hosts(frozenset({"nlb-sync"}))


def head(*lines: str) -> bytes:
    return "\r\n".join(lines).encode("latin-1")


def refusal(*lines: str) -> tuple[int, str]:
    with pytest.raises(RefusedError) as raised:
        parse(head(*lines), OURS)
    line = raised.value.answer.body.decode()
    assert line.endswith("\n")
    assert line.count("\n") == 1
    assert line.isascii()
    return raised.value.answer.status, line


def test_method_path_headers_and_query_are_read() -> None:
    read = parse(head("GET /status?now=1 HTTP/1.1", "HOST:  nlb-sync\t", "Accept-Encoding: gzip"), OURS)
    assert read == Request("GET", "/status", {"host": "nlb-sync", "accept-encoding": "gzip"}, "now=1")


def test_s7_http_1_0_needs_no_host_and_http_1_1_does() -> None:
    assert parse(head("GET /healthz HTTP/1.0"), OURS).path == "/healthz"
    assert refusal("GET /healthz HTTP/1.1") == (400, "Host is missing; HTTP/1.1 needs one\n")
    assert refusal("GET /healthz HTTP/1.0", "Host: attacker.example")[0] == 421


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize("second", ["nlb-sync", "attacker.example", ""])
def test_s7_two_hosts_are_refused(version: str, second: str) -> None:
    lines = (f"GET / HTTP/{version}", "Host: nlb-sync", f"host: {second}")
    assert refusal(*lines) == (400, "more than one Host; allowed: one\n")


def test_s7_another_host_is_told_what_is_allowed_whatever_a_proxy_adds() -> None:
    status, line = refusal(
        "GET /status HTTP/1.1",
        "Host: attacker.example",
        "X-Forwarded-Host: localhost",
        "Forwarded: host=localhost",
    )
    assert status == 421
    assert line == (
        "Host is not a name of this syncer: 'attacker.example'; "
        "allowed: an IP address, localhost, a name of the Pod or its Service, "
        "or a name in NLB_SYNC_HTTP_HOSTS\n"
    )
    with_ours = ("GET /status HTTP/1.1", "Host: nlb-sync", "X-Forwarded-Host: attacker.example")
    assert parse(head(*with_ours), OURS).path == "/status"


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS", "BREW"])
@pytest.mark.parametrize("path", ["/status", "/", "/metrics", "/healthz", "/nothing", "*"])
def test_s7_the_host_is_checked_for_each_path_and_method(method: str, path: str) -> None:
    assert refusal(f"{method} {path} HTTP/1.1", "Host: attacker.example")[0] == 421


@pytest.mark.parametrize(
    ("target", "host", "status"),
    [
        ("http://attacker.example/status", "nlb-sync", 421),
        ("http://nlb-sync/status", "attacker.example", 421),
        ("HTTP://user@localhost/status", "localhost", 421),
        ("http://127.0.0.1.attacker.example:8080/status", "127.0.0.1:8080", 421),
        ("http:///status", "localhost", 421),
        ("http://attacker.example?/status", "localhost", 421),
        ("http://attacker.example#@localhost/status", "localhost", 421),
    ],
)
def test_s7_a_target_with_a_host_of_its_own_is_checked_too(target: str, host: str, status: int) -> None:
    assert refusal(f"GET {target} HTTP/1.1", f"Host: {host}")[0] == status


def test_s7_a_target_with_our_host_leads_to_its_path() -> None:
    assert (
        parse(head("GET http://127.0.0.1:8080/status?x HTTP/1.1", "Host: localhost"), OURS).path == "/status"
    )
    assert parse(head("GET https://NLB-SYNC HTTP/1.1", "Host: localhost"), OURS).path == "/"
    asked = parse(head("GET http://127.0.0.1/status?page=2 HTTP/1.1", "Host: localhost"), OURS)
    assert (asked.path, asked.query) == ("/status", "page=2")
    asked = parse(head("GET /status#?page=2 HTTP/1.1", "Host: localhost"), OURS)
    assert (asked.path, asked.query) == ("/status#", "page=2")


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (["GET /healthz"], 400),
        (["GET /healthz HTTP/2.0", "Host: nlb-sync"], 505),
        (["PRI * HTTP/2.0"], 505),
        (["GET  /healthz HTTP/1.1", "Host: nlb-sync"], 400),
        (["GET /healthz HTTP/1.1 ", "Host: nlb-sync"], 400),
        (["GET /a b HTTP/1.1", "Host: nlb-sync"], 400),
        (["", "GET /healthz HTTP/1.1", "Host: nlb-sync"], 400),
        (["\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"], 400),
        (["GET /healthz HTTP/1.1", "Host : nlb-sync"], 400),
        (["GET /healthz HTTP/1.1", "Host: nlb-sync", " attacker.example"], 400),
        (["GET /healthz HTTP/1.1", "Host: nlb-sync", "no colon"], 400),
        (["GET /healthz HTTP/1.1", "Host: nlb-sync\nX: y"], 400),
        (["GET /healthz HTTP/1.1", "Host: nlb-sync", ": nameless"], 400),
        (["POST /healthz HTTP/1.1", "Host: nlb-sync", "Transfer-Encoding: chunked"], 405),
        (["CONNECT nlb-sync:80 HTTP/1.1", "Host: nlb-sync"], 405),
    ],
)
def test_s1_garbage_is_refused_with_one_line(lines: list[str], status: int) -> None:
    assert refusal(*lines)[0] == status
