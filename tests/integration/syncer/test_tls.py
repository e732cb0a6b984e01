"""The certificates that syncer and sandbox accept; the image's Python sets VERIFY_X509_STRICT."""

import base64
import datetime as dt
import http.client
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from botocore.exceptions import SSLError
from botocore.parsers import ResponseParserError

from sandbox import trust
from sandbox.layout import HOST
from syncer.cluster.access import configuration
from syncer.cluster.api import Api
from syncer.elb.session import new_session, source_of
from syncer.errors import ClusterError
from tests.integration.syncer.certificates import Authority, https
from tests.integration.syncer.wire import Wire

NODES = "/api/v1/nodes"
DAY = dt.timedelta(days=1)


def api(
    directory: Path, port: int, authority: str, user: dict[str, str] | None = None, **cluster: Any
) -> Api:
    """The syncer's client by a kubeconfig; `authority` is what it trusts, "" for this machine's CAs."""
    given = {"certificate-authority-data": base64.b64encode(authority.encode()).decode()} if authority else {}
    document = {
        "clusters": [
            {
                "name": "c",
                "cluster": {
                    "server": f"https://{HOST}:{port}",
                    **given,
                    **{key.replace("_", "-"): value for key, value in cluster.items()},
                },
            }
        ],
        "users": [{"name": "u", "user": user or {}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    path = directory / "kubeconfig"
    path.write_text(yaml.safe_dump(document))
    return Api(configuration({"KUBECONFIG": str(path)}))


def names(client: Api) -> list[str]:
    """The Nodes that it lists and those that it watches."""
    listed = [item["metadata"]["name"] for item in client.get(NODES, {})["items"]]
    stream = client.watch(NODES, {}, 5)
    return listed + [event["object"]["metadata"]["name"] for event in stream.events()]


def refusal(client: Api) -> str:
    with pytest.raises(ClusterError) as raised:
        client.get(NODES, {})
    assert "\n" not in str(raised.value)
    return str(raised.value)


@pytest.mark.parametrize(
    "authority",
    [
        Authority.make(),
        Authority.make(usage=False),
        Authority.make(form=True),
        Authority.make("intermediate", parent=Authority.make("root")),
        Authority.make("intermediate", form=True, parent=Authority.make("root")),
    ],
    ids=["as-of-EKS", "no-key-usage", "as-of-RFC-5280", "intermediate", "intermediate-RFC-5280"],
)
def test_b1_a_cluster_ca_of_any_form_is_trusted(authority: Authority, tmp_path: Path) -> None:
    with https(authority.issue(tmp_path)) as port:
        assert names(api(tmp_path, port, authority.pem)) == ["a", "b"]


def test_b1_a_chain_from_an_intermediate_ca_to_the_trusted_root_is_verified(tmp_path: Path) -> None:
    root = Authority.make("root")
    intermediate = Authority.make("intermediate", parent=root)
    with https(intermediate.issue(tmp_path)) as port:
        assert names(api(tmp_path, port, root.pem)) == ["a", "b"]


def test_b1_a_certificate_for_a_name_alone_is_accepted_by_tls_server_name(tmp_path: Path) -> None:
    authority = Authority.make()
    with https(authority.issue(tmp_path, names=["api.example"])) as port:
        assert names(api(tmp_path, port, authority.pem, tls_server_name="api.example")) == ["a", "b"]
        said = refusal(api(tmp_path, port, authority.pem, tls_server_name="other.example"))
        assert "certificate of the API server is refused: Hostname mismatch" in said


def test_b1_a_wrong_address_is_refused_with_the_cure(tmp_path: Path) -> None:
    authority = Authority.make()
    with https(authority.issue(tmp_path, names=["127.0.0.2", "api.example"])) as port:
        said = refusal(api(tmp_path, port, authority.pem))
    assert said.startswith(f"GET {NODES}: certificate of the API server is refused: IP address mismatch")
    assert said.endswith("; use a name or address of that certificate in the kubeconfig's server, "
                         "or set its tls-server-name")  # fmt: skip


@pytest.mark.parametrize("trusted", [Authority.make().pem, Authority.make("another").pem, ""])
def test_b1_an_unknown_ca_is_refused_with_the_cure(trusted: str, tmp_path: Path) -> None:
    """One of the same name and one of another; without any, this machine's CAs are asked."""
    with https(Authority.make().issue(tmp_path)) as port:
        said = refusal(api(tmp_path, port, trusted))
    assert said.startswith(f"GET {NODES}: certificate of the API server is refused: ")
    assert "; set the CA that issued it: certificate-authority of the kubeconfig, ca.crt of the" in said


@pytest.mark.parametrize(
    ("since", "until", "why"),
    [(-2 * DAY, -DAY, "certificate has expired"), (DAY, 2 * DAY, "certificate is not yet valid")],
)
def test_b1_a_certificate_out_of_its_time_is_refused_with_the_cure(
    since: dt.timedelta, until: dt.timedelta, why: str, tmp_path: Path
) -> None:
    authority = Authority.make()
    with https(authority.issue(tmp_path, since=since, until=until)) as port:
        said = refusal(api(tmp_path, port, authority.pem))
    assert said.endswith(f"is refused: {why}; renew that certificate, or set this machine's clock")


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
def test_b1_insecure_skip_tls_verify_still_accepts_any_certificate(tmp_path: Path) -> None:
    with https(Authority.make().issue(tmp_path, names=["elsewhere"])) as port:
        assert names(api(tmp_path, port, "", insecure_skip_tls_verify=True)) == ["a", "b"]


def test_b1_a_client_certificate_is_still_shown(tmp_path: Path) -> None:
    authority = Authority.make()
    mine = str(authority.issue(tmp_path, "me"))
    with https(authority.issue(tmp_path), clients=authority) as port:
        user = {"client-certificate": mine, "client-key": mine}
        assert names(api(tmp_path, port, authority.pem, user)) == ["a", "b"]
        assert "certificate of the API server" not in refusal(api(tmp_path, port, authority.pem))


def test_b1_a_ca_that_is_replaced_under_its_name_is_trusted_alone_by_the_next_connection(
    tmp_path: Path,
) -> None:
    """No key identifiers tell the two apart: the old one must be forgotten, not kept beside the new one."""
    old, new = Authority.make(), Authority.make()
    file = tmp_path / "ca.crt"
    file.write_text(old.pem)
    with (
        https(old.issue(tmp_path, "old")) as before,
        https(new.issue(tmp_path, "new")) as after,
        Wire(_Port(before)) as wire,  # type: ignore[arg-type]
    ):
        client = api(tmp_path, wire.port, "", certificate_authority=str(file))
        assert names(client) == ["a", "b"]
        wire.layout = _Port(after)  # type: ignore[assignment]
        file.write_text(new.pem)
        wire.cut()
        assert names(client) == ["a", "b"]
        wire.layout = _Port(before)  # type: ignore[assignment]
        wire.cut()
        assert "certificate of the API server is refused" in refusal(client)


class _Port:
    """What a wire wants to know of a layout."""

    def __init__(self, port: int) -> None:
        self.apiserver_port = port


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_b1_behind_a_proxy_the_same_is_verified(scheme: str, tmp_path: Path) -> None:
    authority, other = Authority.make(), Authority.make("other")
    with (
        https(authority.issue(tmp_path)) as port,
        proxy(authority.issue(tmp_path, "proxy") if scheme == "https" else None) as through,
    ):
        url = f"{scheme}://{HOST}:{through}"
        assert names(api(tmp_path, port, authority.pem, proxy_url=url)) == ["a", "b"]
        whose = "proxy" if scheme == "https" else "API server"
        said = refusal(api(tmp_path, port, other.pem, proxy_url=url))
        assert f"certificate of the {whose} is refused: " in said


@contextmanager
def proxy(shown: Path | None) -> Iterator[int]:
    """A proxy that passes CONNECT on to any port of this machine."""
    with ThreadingHTTPServer((HOST, 0), _Proxy) as server:
        server.daemon_threads = True
        server.handle_error = lambda *_: None  # type: ignore[method-assign]
        if shown:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(shown)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


class _Proxy(BaseHTTPRequestHandler):
    timeout = 5

    def do_CONNECT(self) -> None:
        host, _, port = self.path.rpartition(":")
        self.send_response(200)
        self.end_headers()
        upstream = http.client.HTTPConnection(host, int(port), timeout=5)
        upstream.connect()
        back = threading.Thread(target=_pass, args=(upstream.sock, self.connection), daemon=True)
        back.start()
        _pass(self.connection, upstream.sock)
        upstream.close()
        back.join()

    def log_message(self, *_: object) -> None:
        pass


def _pass(source: Any, sink: Any) -> None:
    try:
        while piece := source.recv(65536):
            sink.sendall(piece)
    except OSError:
        return


def test_b1_aws_is_reached_through_a_ca_without_key_identifiers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That of a company's proxy which opens TLS, by AWS_CA_BUNDLE."""
    authority = Authority.make("proxy of a company")
    bundle = tmp_path / "bundle.pem"
    bundle.write_text(authority.pem)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(bundle))
    with https(authority.issue(tmp_path)) as port:
        for client in _elb(port):
            with pytest.raises(ResponseParserError):  # there is an answer
                client.describe_target_groups()
        bundle.write_text(Authority.make("another").pem)
        for client in _elb(port):
            with pytest.raises(SSLError, match="certificate verify failed"):
                client.describe_target_groups()


def _elb(port: int) -> Iterator[Any]:
    yield new_session(source_of("eu-west-1", "a", "b", {})).client(
        "elbv2", region_name="eu-west-1", endpoint_url=f"https://{HOST}:{port}"
    )


@pytest.mark.parametrize("usage", [True, False])
def test_b1_the_sandbox_verifies_its_own_ca_and_no_other(usage: bool, tmp_path: Path) -> None:
    authority = Authority.make(usage=usage)
    file = tmp_path / "ca.crt"
    file.write_text(authority.pem)
    with https(authority.issue(tmp_path)) as port:
        for context in trust.context(file), trust.context(pem=authority.pem):
            assert _status(port, context) == 200
        for context in trust.context(), trust.context(pem=Authority.make().pem):
            with pytest.raises(ssl.SSLCertVerificationError):
                _status(port, context)
    elsewhere = authority.issue(tmp_path, "elsewhere", names=["elsewhere"])
    refused = pytest.raises(ssl.SSLCertVerificationError, match="IP address mismatch")
    with https(elsewhere) as port, refused:
        _status(port, trust.context(file))


def _status(port: int, context: ssl.SSLContext) -> int:
    connection = http.client.HTTPSConnection(HOST, port, timeout=5, context=context)
    try:
        connection.request("GET", NODES)
        return connection.getresponse().status
    finally:
        connection.close()
