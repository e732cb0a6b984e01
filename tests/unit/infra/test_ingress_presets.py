"""Presets of ingress controllers, against facts of the charts and the sandbox's controllers."""

from pathlib import Path
from typing import Any

import pytest

from infra.ingresspresets import INGRESS_PRESETS
from infra.keys import Settings
from sandbox.nodes.ingress import ROUTED_HOST, entry_points
from tests.unit.infra.test_settings import MINIMAL, lines, read

# From each chart with its default values: labels of the Pods, the Pods' ports, and the readiness probe.
# Sources: traefik-helm-chart 37.3, ingress-nginx 4 (deploy.yaml), Envoy Gateway (internal/xds/bootstrap),
# istio/gateway (values.yaml), haproxytech/kubernetes-ingress 1.45 (values.yaml).
CHARTS: dict[str, tuple[dict[str, str], tuple[int, int, int], str]] = {
    "traefik": (
        {"app.kubernetes.io/name": "traefik", "app.kubernetes.io/instance": "traefik-traefik"},
        (8000, 8443, 8080),
        "/ping",
    ),
    "ingress-nginx": (
        {
            "app.kubernetes.io/name": "ingress-nginx",
            "app.kubernetes.io/instance": "ingress-nginx",
            "app.kubernetes.io/component": "controller",
        },
        (80, 443, 10254),
        "/healthz",
    ),
    "envoy-gateway": (
        {
            "app.kubernetes.io/name": "envoy",
            "app.kubernetes.io/component": "proxy",
            "app.kubernetes.io/managed-by": "envoy-gateway",
            "gateway.envoyproxy.io/owning-gateway-name": "eg",
        },
        (10080, 10443, 19003),
        "/ready",
    ),
    "istio": ({"app": "istio-ingress", "istio": "ingress"}, (80, 443, 15021), "/healthz/ready"),
    "haproxy": (
        {"app.kubernetes.io/name": "kubernetes-ingress", "app.kubernetes.io/instance": "haproxy"},
        (8080, 8443, 1042),
        "/healthz",
    ),
}


def preset(name: str, **more: Any) -> Settings:
    return read({**MINIMAL, "ingress": {"preset": name}, **more})


def service(settings: Settings) -> dict[str, Any]:
    """The Service of the preset with NodePorts, as the API server stores it."""
    ports = [
        {
            "name": port.name,
            "port": port.port,
            "targetPort": port.target_port or port.port,
            "nodePort": number,
        }
        for number, port in enumerate(settings.ingress.ports, 30000)
    ]
    return {"metadata": {}, "spec": {"selector": dict(settings.ingress.selector), "ports": ports}}


PAGE = Path(__file__).parents[3] / "docs" / "ingress-presets.md"


def row(name: str) -> str:
    """The row of docs/ingress-presets.md."""
    ingress, check = preset(name).ingress, preset(name).health_check
    selector = ", ".join(f"`{key}={value}`" for key, value in ingress.selector.items())
    ports = ", ".join(f"`{port.name}` {port.port}:{port.target_port or port.port}" for port in ingress.ports)
    asked = f"`{check.asked_path}` on `{check.service_port}`" if check.asked_path else "TCP on each NodePort"
    chart, namespace = INGRESS_PRESETS[name].chart, f"`{ingress.namespace}`"
    if not ingress.create:
        selector, ports = f"adopts Service `{ingress.name}`", "of the Service"
    return f"| `{name}` | {chart} | {namespace} | {selector} | {ports} | {asked} |"


def test_the_page_has_the_rows_of_the_presets() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    assert rows == [row(name) for name in INGRESS_PRESETS]


def test_every_preset_that_creates_a_service_has_facts() -> None:
    assert set(CHARTS) == set(INGRESS_PRESETS) - {"cilium"}


@pytest.mark.parametrize("name", CHARTS)
def test_the_service_leads_to_the_charts_pods(name: str) -> None:
    labels, ports, _ = CHARTS[name]
    ingress = preset(name).ingress
    assert ingress.create
    assert ingress.selector.items() <= labels.items()
    assert tuple(port.target_port or port.port for port in ingress.ports) == ports


@pytest.mark.parametrize("name", CHARTS)
def test_the_check_is_the_charts_readiness_probe(name: str) -> None:
    settings = preset(name)
    check = settings.health_check
    port = {port.name: port for port in settings.ingress.ports}[check.service_port]
    assert (port.target_port or port.port, check.asked_path) == (CHARTS[name][1][2], CHARTS[name][2])


@pytest.mark.parametrize("name", CHARTS)
@pytest.mark.parametrize("ready", [True, False])
def test_the_sandboxs_controller_answers_the_check_on_its_own_port(name: str, ready: bool) -> None:
    settings = preset(name)
    found = entry_points([service(settings)])
    by_name = {port.name: found[30000 + n] for n, port in enumerate(settings.ingress.ports)}
    path = settings.health_check.asked_path or ""

    def code(port: str, host: str) -> int:
        return by_name[port].answer(path, host, ready=ready, served="served")[0]

    assert code(settings.health_check.service_port, "10.0.0.1") == (200 if ready else 503)
    assert [code(item.service_port, "10.0.0.1") for item in settings.listeners] == [404, 404]
    served = by_name["https"].answer("/", ROUTED_HOST, ready=ready, served="served")
    assert (by_name["http"].tls, by_name["https"].tls, served) == (False, True, (200, "served"))


def test_cilium_has_its_own_service_and_a_check_of_the_connection() -> None:
    settings = preset("cilium")
    assert (settings.ingress.create, settings.ingress.namespace) == (False, "kube-system")
    assert (settings.health_check.protocol, settings.health_check.port) == ("TCP", "traffic-port")


def test_keys_of_the_stack_take_the_place_of_the_presets() -> None:
    own = {"preset": "ingress-nginx", "namespace": "edge", "selector": {"app": "own"}}
    settings = read({**MINIMAL, "ingress": own, "healthCheck": {"path": "/own", "interval": 5}})
    assert (settings.ingress.namespace, settings.ingress.selector) == ("edge", {"app": "own"})
    assert (settings.health_check.service_port, settings.health_check.path) == ("health", "/own")
    assert settings.health_check.interval == 5


def test_ports_of_the_stack_without_the_port_of_the_check_are_refused() -> None:
    own = {"preset": "istio", "ports": [{"name": "http", "port": 80}, {"name": "https", "port": 443}]}
    (line,) = lines({**MINIMAL, "ingress": own})
    assert line.startswith('node-nlb-sync:healthCheck.servicePort: read "health"; allowed: one of ingress')


def test_given_groups_keep_the_check_of_their_owner() -> None:
    arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/http/0123456789abcdef"
    config = {"targetGroups": {"http": arn}, "ingress": {"preset": "haproxy"}, "syncer": MINIMAL["syncer"]}
    settings = read({**config, "identity": {"clusterName": "prod"}})
    assert not settings.ingress.create
    assert settings.health_check.path == "/ping"


def test_an_unknown_preset_is_refused_with_the_known_ones() -> None:
    (line,) = lines({**MINIMAL, "ingress": {"preset": "nginx"}})
    assert line.startswith('node-nlb-sync:ingress.preset: read "nginx"; allowed: traefik, ingress-nginx,')
