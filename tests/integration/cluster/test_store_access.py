"""etcd holds every Secret: it answers the API server's certificate, and nobody else on the machine."""

import http.client
import json
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import cluster as control
from sandbox import trust
from sandbox.cluster.pki import STORE_CLIENT, Pki
from sandbox.layout import HOST, Layout
from sandbox.toolchain import ensure

pytestmark = pytest.mark.toolchain


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Layout]:
    layout = Layout.ephemeral(tmp_path_factory.mktemp("store"))
    try:
        control.start(layout, ensure(("etcd",), lambda _: None), ["etcd"])
        yield layout
    finally:
        control.stop(layout)


@pytest.mark.parametrize("path", ["/version", "/readyz", "/metrics", "/v3/kv/range"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_c2_a_client_without_certificate_is_refused(store: Layout, path: str, scheme: str) -> None:
    assert control.ready(store, "etcd")
    assert _answer(store.etcd_port, path, None if scheme == "http" else _trusting(store)) is None


@pytest.mark.parametrize("name", ["admin", "controller-manager", "scheduler"])
def test_c2_a_certificate_of_the_clusters_authority_is_refused(store: Layout, name: str) -> None:
    context = _trusting(store)
    stranger = Pki(store.pki).pair(name)
    context.load_cert_chain(stranger.certificate, stranger.key)

    assert _answer(store.etcd_port, "/v3/kv/range", context) is None


def test_c2_a_peer_without_certificate_is_refused(store: Layout) -> None:
    assert _answer(store.etcd_peer_port, "/members", None) is None
    assert _answer(store.etcd_peer_port, "/members", _trusting(store)) is None


def test_c2_the_api_servers_certificate_reads(store: Layout) -> None:
    assert control.ready(store, "etcd")
    status, body = _answer(store.etcd_port, "/v3/kv/range", control.store_context(store)) or (0, b"")
    assert (status, "header" in json.loads(body)) == (200, True)


def test_c2_the_key_that_opens_the_store_is_its_owners_alone(store: Layout) -> None:
    key = Pki(store.pki).store.pair(STORE_CLIENT).key

    assert key.stat().st_mode & 0o077 == 0
    assert Path(store.pki / "etcd").stat().st_mode & 0o077 == 0


def _trusting(layout: Layout) -> ssl.SSLContext:
    return trust.context(Pki(layout.pki).store.ca)


def _answer(port: int, path: str, context: ssl.SSLContext | None) -> tuple[int, bytes] | None:
    """Status and body; None where the server ends the connection or refuses plain HTTP."""
    connection = (
        http.client.HTTPConnection(HOST, port, timeout=5)
        if context is None
        else http.client.HTTPSConnection(HOST, port, timeout=5, context=context)
    )
    try:
        connection.request("POST", path, body=json.dumps({"key": "AA=="}))
        answer = connection.getresponse()
        status, body = answer.status, answer.read()
    except (ssl.SSLError, ConnectionError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    # Go's TLS server tells a client that speaks plain HTTP so, and nothing else.
    return None if b"HTTP request to an HTTPS server" in body else (status, body)
