"""The simulated ingress controller of every node machine, by its entry points behind the NodePorts.

Traefik's Helm chart (values.yaml of traefik/traefik-helm-chart) has `web`, `websecure`, `traefik` and
`metrics`; only `traefik` answers `/ping`, and the chart's Service does not expose `traefik`. The
predecessor's Traefik (`--entryPoints` http and https) answers `/ping` on `http`. Other controllers are known
by the labels in the Service's selector and by the ports of the Pods; a port of its own answers the readiness
probe.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

# The only host with a route in the chart's Traefik, as from an IngressRoute.
ROUTED_HOST: Final = "ingress.sandbox"
# On a Service: the entry point for /ping, as set by `--ping.entrypoint` and the chart's
# `ingressRoute.healthcheck.entryPoints`.
PING_ANNOTATION: Final = "sandbox.node-nlb-sync/ping-entrypoint"
_HTTPS_PORT: Final = 443


@dataclass(frozen=True, slots=True)
class EntryPoint:
    """The server on a port: TLS, the path `health`, metrics, and the routed `hosts` (None: all hosts).

    `local`: the Service has externalTrafficPolicy Local, so a node without a ready endpoint has no server.
    """

    name: str
    tls: bool = False
    health: str = ""
    hosts: frozenset[str] | None = None
    metrics: bool = False
    local: bool = False

    def answer(
        self, path: str, host: str, *, ready: bool, served: str, leaving: bool = False
    ) -> tuple[int, str]:
        """Return status and body for a request: `served` if routed; `ready` is the controller's state."""
        del leaving
        if path == self.health:
            return (200, "OK") if ready else (503, "Service Unavailable")
        if path == _PING:
            return _NOT_FOUND
        if self.metrics and path == "/metrics":
            return 200, "# HELP traefik_config_reloads_total Config reloads\n"
        if self.hosts is None or host.partition(":")[0] in self.hosts:
            return 200, served
        return _NOT_FOUND


_PING: Final = "/ping"
_NOT_FOUND: Final = (404, "404 page not found\n")
_ROUTED: Final = frozenset({ROUTED_HOST})
_NOTHING: Final[frozenset[str]] = frozenset()
_KNOWN: Final = {
    each.name: each
    for each in (
        EntryPoint("web", hosts=_ROUTED),
        EntryPoint("websecure", tls=True, hosts=_ROUTED),
        EntryPoint("traefik", health=_PING, hosts=_NOTHING),
        EntryPoint("metrics", metrics=True, hosts=_NOTHING),
        EntryPoint("http", health=_PING),
        EntryPoint("https", tls=True),
    )
}
# The chart's container ports; 9000 was the `traefik` port up to chart 33.
_CHART_PORTS: Final = {8000: "web", 8443: "websecure", 8080: "traefik", 9000: "traefik", 9100: "metrics"}
_PREDECESSORS_PORTS: Final = {80: "http", 443: "https"}


def _controller(http: int, https: int, health: int, path: str) -> dict[int, EntryPoint]:
    return {
        http: EntryPoint("http", hosts=_ROUTED),
        https: EntryPoint("https", tls=True, hosts=_ROUTED),
        health: EntryPoint("health", health=path, hosts=_NOTHING),
    }


# By a label of the Pods: the Pods' ports for HTTP, HTTPS and the readiness probe, and the path of the probe.
# Sources: values.yaml of istio/gateway and of haproxytech/kubernetes-ingress 1.45, deploy.yaml of
# ingress-nginx, internal/xds/bootstrap of Envoy Gateway.
_CONTROLLERS: Final = {
    ("app.kubernetes.io/name", "ingress-nginx"): _controller(80, 443, 10254, "/healthz"),
    ("app.kubernetes.io/managed-by", "envoy-gateway"): _controller(10080, 10443, 19003, "/ready"),
    ("istio", "ingress"): _controller(80, 443, 15021, "/healthz/ready"),
    ("app.kubernetes.io/name", "kubernetes-ingress"): _controller(8080, 8443, 1042, "/healthz"),
}


def entry_points(services: Iterable[Mapping[str, Any]]) -> dict[int, EntryPoint]:
    """Return the entry points of TCP Services by NodePort."""
    return {
        port["nodePort"]: replace(
            _behind(port, service), local=service["spec"].get("externalTrafficPolicy") == "Local"
        )
        for service in services
        for port in service["spec"].get("ports", [])
        if port.get("nodePort") and port.get("protocol", "TCP") == "TCP"
    }


def datagram_ports(services: Iterable[Mapping[str, Any]]) -> dict[int, bool]:
    """Return the NodePorts of UDP Services: whether externalTrafficPolicy is Local."""
    return {
        port["nodePort"]: service["spec"].get("externalTrafficPolicy") == "Local"
        for service in services
        for port in service["spec"].get("ports", [])
        if port.get("nodePort") and port.get("protocol") == "UDP"
    }


def _behind(port: Mapping[str, Any], service: Mapping[str, Any]) -> EntryPoint:
    """Return the entry point of a Service port: by its target port, otherwise by its name."""
    target, name = port.get("targetPort", port["port"]), port.get("name", "")
    for label in (service["spec"].get("selector") or {}).items():
        if found := _CONTROLLERS.get(label, {}).get(target):
            return found
    annotations = service.get("metadata", {}).get("annotations") or {}
    for called in (target, _CHART_PORTS.get(target), name, _PREDECESSORS_PORTS.get(target)):
        if found := _KNOWN.get(str(called)):
            pings_at = annotations.get(PING_ANNOTATION)
            return (
                found if pings_at is None else replace(found, health=_PING if found.name == pings_at else "")
            )
    # Not an ingress controller: a server that answers every path but /ping.
    return EntryPoint(name, tls=name.startswith("https") or port["port"] == _HTTPS_PORT)
