"""Values of `ingress` and `healthCheck` for the Helm charts of ingress controllers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final


@dataclass(frozen=True, slots=True, kw_only=True)
class IngressPreset:
    """The Service and the health check for a chart: keys of `ingress` and `healthCheck`.

    `chart` names the chart or its product.
    """

    chart: str
    ingress: Mapping[str, Any]
    health_check: Mapping[str, Any] = field(default_factory=dict)


def _ports(http: int, https: int, health: int) -> list[dict[str, Any]]:
    """Return the ports of a Service before the Pods' ports for HTTP, HTTPS and the readiness probe."""
    return [
        {"name": "http", "port": 80, "targetPort": http},
        {"name": "https", "port": 443, "targetPort": https},
        {"name": "health", "port": health},
    ]


def _health(path: str) -> dict[str, Any]:
    return {"servicePort": "health", "path": path}


_SERVICE: Final = "ingress-nlb"
_NAME: Final = "app.kubernetes.io/name"
_COMPONENT: Final = "app.kubernetes.io/component"
INGRESS_PRESETS: Final[Mapping[str, IngressPreset]] = {
    "traefik": IngressPreset(
        chart="traefik/traefik, from 34",
        ingress={
            "namespace": "traefik",
            "name": _SERVICE,
            "selector": {_NAME: "traefik"},
            "ports": _ports(8000, 8443, 8080),
        },
        health_check=_health("/ping"),
    ),
    "ingress-nginx": IngressPreset(
        chart="ingress-nginx/ingress-nginx",
        ingress={
            "namespace": "ingress-nginx",
            "name": _SERVICE,
            "selector": {_NAME: "ingress-nginx", _COMPONENT: "controller"},
            "ports": _ports(80, 443, 10254),
        },
        health_check=_health("/healthz"),
    ),
    # Envoy Gateway moves ports below 1024 up by 10000, because Envoy runs without privileges.
    "envoy-gateway": IngressPreset(
        chart="Envoy Gateway, any Gateway",
        ingress={
            "namespace": "envoy-gateway-system",
            "name": _SERVICE,
            "selector": {"app.kubernetes.io/managed-by": "envoy-gateway", _COMPONENT: "proxy"},
            "ports": _ports(10080, 10443, 19003),
        },
        health_check=_health("/ready"),
    ),
    "istio": IngressPreset(
        chart="istio/gateway, release istio-ingress",
        ingress={
            "namespace": "istio-ingress",
            "name": _SERVICE,
            "selector": {"istio": "ingress"},
            "ports": _ports(80, 443, 15021),
        },
        health_check=_health("/healthz/ready"),
    ),
    # The Service has no Pods: Cilium takes the packets to its NodePorts on every node.
    "cilium": IngressPreset(
        chart="cilium/cilium, ingressController shared",
        ingress={
            "create": False,
            "namespace": "kube-system",
            "name": "cilium-ingress",
            "ports": [{"name": "http", "port": 80}, {"name": "https", "port": 443}],
        },
        health_check={"protocol": "TCP", "port": "traffic-port"},
    ),
    "haproxy": IngressPreset(
        chart="haproxytech/kubernetes-ingress",
        ingress={
            "namespace": "haproxy-controller",
            "name": _SERVICE,
            "selector": {_NAME: "kubernetes-ingress"},
            "ports": _ports(8080, 8443, 1042),
        },
        health_check=_health("/healthz"),
    ),
}


def with_ingress_preset(raw: dict[str, Any]) -> dict[str, Any]:
    """Return the configuration with the values of `ingress.preset` for keys missing in the stack.

    Given target groups have the health check of their owner.
    """
    ingress = raw.get("ingress")
    name = ingress.get("preset") if isinstance(ingress, Mapping) else None
    preset = INGRESS_PRESETS.get(name) if isinstance(name, str) else None
    if preset is None or not isinstance(ingress, Mapping):
        return raw
    filled = {**raw, "ingress": {**preset.ingress, **ingress}}
    check = raw.get("healthCheck", {})
    if isinstance(check, Mapping) and not raw.get("targetGroups"):
        filled["healthCheck"] = {**preset.health_check, **check}
    return filled
