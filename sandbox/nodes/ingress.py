"""The simulated ingress controller of every node machine, by its entry points behind the NodePorts.

Two installations are known. Traefik's Helm chart (values.yaml of traefik/traefik-helm-chart): `web`,
`websecure`, `traefik` and `metrics`; only `traefik` answers `/ping`, and the chart's Service does not expose
`traefik`. The predecessor's Traefik (`--entryPoints` http and https): `http` answers `/ping`.
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
    """The server on a port: TLS, `/ping`, metrics, and the routed `hosts` (None: all hosts)."""

    name: str
    tls: bool = False
    ping: bool = False
    hosts: frozenset[str] | None = None
    metrics: bool = False

    def answer(self, path: str, host: str, *, ready: bool, served: str) -> tuple[int, str]:
        """Return status and body for a request: `served` if routed; `ready` is the controller's state."""
        if path == "/ping":
            if not self.ping:
                return _NOT_FOUND
            return (200, "OK") if ready else (503, "Service Unavailable")
        if self.metrics and path == "/metrics":
            return 200, "# HELP traefik_config_reloads_total Config reloads\n"
        if self.hosts is None or host.partition(":")[0] in self.hosts:
            return 200, served
        return _NOT_FOUND


_NOT_FOUND: Final = (404, "404 page not found\n")
_ROUTED: Final = frozenset({ROUTED_HOST})
_NOTHING: Final[frozenset[str]] = frozenset()
_KNOWN: Final = {
    each.name: each
    for each in (
        EntryPoint("web", hosts=_ROUTED),
        EntryPoint("websecure", tls=True, hosts=_ROUTED),
        EntryPoint("traefik", ping=True, hosts=_NOTHING),
        EntryPoint("metrics", metrics=True, hosts=_NOTHING),
        EntryPoint("http", ping=True),
        EntryPoint("https", tls=True),
    )
}
# The chart's container ports; 9000 was the `traefik` port up to chart 33.
_CHART_PORTS: Final = {8000: "web", 8443: "websecure", 8080: "traefik", 9000: "traefik", 9100: "metrics"}
_PREDECESSORS_PORTS: Final = {80: "http", 443: "https"}


def entry_points(services: Iterable[Mapping[str, Any]]) -> dict[int, EntryPoint]:
    """Return the entry points of TCP Services by NodePort."""
    return {
        port["nodePort"]: _behind(port, service.get("metadata", {}).get("annotations") or {})
        for service in services
        for port in service["spec"].get("ports", [])
        if port.get("nodePort") and port.get("protocol", "TCP") == "TCP"
    }


def _behind(port: Mapping[str, Any], annotations: Mapping[str, str]) -> EntryPoint:
    """Return the entry point of a Service port: by its target port, otherwise by its name."""
    target, name = port.get("targetPort", port["port"]), port.get("name", "")
    for called in (target, _CHART_PORTS.get(target), name, _PREDECESSORS_PORTS.get(target)):
        if found := _KNOWN.get(str(called)):
            pings_at = annotations.get(PING_ANNOTATION)
            return found if pings_at is None else replace(found, ping=found.name == pings_at)
    # Not an ingress controller: a server that answers every path but /ping.
    return EntryPoint(name, tls=name.startswith("https") or port["port"] == _HTTPS_PORT)
