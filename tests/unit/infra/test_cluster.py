"""Missing namespaces and taken NodePorts are found before the first resource, where the cluster answers."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pulumi
import pytest

from infra.cluster import is_missing, wrong_in_cluster
from infra.clusterreads import foreign
from infra.problems import Problem
from tests.unit.infra.test_settings import MINIMAL, read

EXISTING = "ingress-traefik"
LACKS = "read edge, which the cluster lacks; allowed: a namespace of the cluster; fix: "


class Answers(HTTPServer):
    """An API server that has one namespace; `code` is its answer to others, and `services` its Services."""

    code = 404
    kind = "Status"
    services: tuple[dict[str, Any], ...] | None = ()


class Handler(BaseHTTPRequestHandler):
    server: Answers

    def do_GET(self) -> None:
        found = self.path == f"/api/v1/namespaces/{EXISTING}"
        answer: dict[str, Any] = {"kind": "Namespace" if found else self.server.kind}
        if self.path == "/api/v1/services" and self.server.services is not None:
            found, answer = True, {"kind": "ServiceList", "items": self.server.services}
        body = json.dumps(answer).encode()
        self.send_response(200 if found else self.server.code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


@pytest.fixture
def api() -> Iterator[Answers]:
    server = Answers(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def kubeconfig(port: int) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
        "clusters": [{"name": "here", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "me", "user": {"token": "t"}}],
    }


@pytest.fixture
def file(api: Answers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The kubeconfig of this API server, as KUBECONFIG names it."""
    found = tmp_path / "kubeconfig"
    found.write_text(json.dumps(kubeconfig(api.server_port)))
    monkeypatch.setenv("KUBECONFIG", str(found))
    pulumi.runtime.set_all_config({})  # other tests leave a context there
    return found


def problems(opts: pulumi.ResourceOptions | None = None, **keys: Any) -> list[Problem]:
    return list(wrong_in_cluster(read({**MINIMAL, **keys}), opts))


@pytest.mark.usefixtures("file")
def test_a_namespace_that_exists_is_accepted() -> None:
    assert problems() == []


@pytest.mark.usefixtures("file")
@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (
            {"ingress": {"namespace": "edge"}},
            (
                f"ingress.namespace: {LACKS}"
                "pulumi config set --path 'node-nlb-sync:ingress.createNamespace' true"
            ),
        ),
        (
            {"ingress": {"namespace": "edge", "create": False}},
            (f"ingress.namespace: {LACKS}give the namespace of the Service traefik-ingress-service-nlb"),
        ),
        (
            {"syncer": {"image": "a", "namespace": "edge"}},
            (f"syncer.namespace: {LACKS}kubectl create namespace edge"),
        ),
    ],
    ids=["created Service", "adopted Service", "syncer"],
)
def test_a_missing_namespace_is_one_line(keys: dict[str, Any], line: str) -> None:
    (found,) = problems(**keys)
    assert found.in_stack() == f"node-nlb-sync:{line}"


@pytest.mark.usefixtures("file")
@pytest.mark.parametrize("made", [{"createNamespace": True}])
def test_a_namespace_that_the_stack_creates_may_be_missing(made: dict[str, Any]) -> None:
    assert problems(ingress={"namespace": "edge", **made}) == []
    syncer = {"image": "a", "namespace": "edge"}
    assert problems(ingress={"namespace": "edge", **made}, syncer=syncer) == []


@pytest.mark.usefixtures("file")
@pytest.mark.parametrize(
    "opts",
    [
        {"depends_on": [object()]},
        {"provider": object()},
        {"providers": [object()]},
    ],
    ids=lambda opts: next(iter(opts)),
)
def test_another_provider_or_a_dependency_may_know_the_namespace(opts: dict[str, Any]) -> None:
    options = pulumi.ResourceOptions()
    for name, value in opts.items():
        setattr(options, name, value)
    assert foreign(options)
    assert not foreign(pulumi.ResourceOptions())
    assert problems(options, ingress={"namespace": "edge"}) == []


@pytest.mark.usefixtures("file")
@pytest.mark.parametrize(("code", "kind"), [(404, ""), (500, "Status"), (401, "Status")])
def test_an_answer_that_is_no_missing_namespace_is_no_problem(api: Answers, code: int, kind: str) -> None:
    api.code, api.kind = code, kind
    assert problems(ingress={"namespace": "edge"}) == []


@pytest.mark.usefixtures("file")
def test_a_denied_read_is_a_warning(api: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    api.code = 403
    logged: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", logged.append)
    assert problems(ingress={"namespace": "edge"}) == []
    (line,) = logged
    assert line.startswith("the API server refused `get` of namespaces; not checked: ")


@pytest.mark.parametrize("text", ["{", "[]", "apiVersion: v1\n", json.dumps(kubeconfig(1))])
def test_a_cluster_that_cannot_be_reached_is_no_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    place = tmp_path / "kubeconfig"
    place.write_text(text)
    for each in (place, tmp_path / "absent", tmp_path):
        monkeypatch.setenv("KUBECONFIG", str(each))
        assert problems(ingress={"namespace": "edge"}) == []


def test_the_providers_own_kubeconfig_and_context_are_used(
    api: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", "/dev/null")
    text = json.dumps({**kubeconfig(api.server_port), "current-context": "absent"})
    config = {"kubernetes:kubeconfig": text, "kubernetes:context": "here"}
    monkeypatch.setattr(pulumi.Config, "get", lambda self, key: config.get(f"{self.name}:{key}"))
    (found,) = problems(ingress={"namespace": "edge"})
    assert found.path == "ingress.namespace"


def test_an_error_of_the_client_is_no_missing_namespace() -> None:
    assert not is_missing(None, "edge")


def service(name: str, namespace: str = EXISTING, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": namespace}, "spec": spec}


FIXED = {"ports": [{"name": "http", "port": 80, "nodePort": 30080}, {"name": "https", "port": 443}]}
OWN = "traefik-ingress-service-nlb"


@pytest.mark.usefixtures("file")
@pytest.mark.parametrize(
    "other",
    [
        service("web", "shop", ports=[{"port": 1}, {"port": 80, "nodePort": 30080}]),
        service(OWN, "shop", ports=[{"port": 80, "nodePort": 30080}]),
        service("web", "shop", healthCheckNodePort=30080, ports=None),
    ],
    ids=["NodePort", "same name elsewhere", "health check"],
)
def test_a_node_port_of_another_service_is_one_line(api: Answers, other: dict[str, Any]) -> None:
    api.services = (service("x", "y"), other)
    (found,) = problems(ingress=FIXED)
    assert found.in_stack() == (
        "node-nlb-sync:ingress.ports[0].nodePort: read 30080, a NodePort of the Service "
        f"shop/{other['metadata']['name']}; allowed: a NodePort that no other Service has; fix: remove "
        "ingress.ports[0].nodePort and let the API server choose, or take another number"
    )


@pytest.mark.usefixtures("file")
def test_the_node_ports_of_the_own_service_and_of_no_service_are_free(api: Answers) -> None:
    api.services = (service(OWN, ports=[{"port": 80, "nodePort": 30080}]), service("x", ports=[{"port": 1}]))
    assert problems(ingress=FIXED) == []
    api.services = (service("x", ports=[{"port": 80, "nodePort": 30080}]),)
    adopted = [{"name": name, "port": port} for name, port in (("http", 80), ("https", 443))]
    assert problems(ingress={"create": False, "ports": adopted}) == []


@pytest.mark.usefixtures("file")
def test_services_that_cannot_be_listed_are_a_warning(api: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    api.services, api.code = None, 403
    logged: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", logged.append)
    assert problems(ingress=FIXED) == []
    (line,) = logged
    assert line.startswith("the API server refused `list` of Services; not checked: ")
