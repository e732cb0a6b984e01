"""The keys of health checks, and of what a group does with too few healthy targets."""

from dataclasses import dataclass, fields, replace
from typing import Final

from .clusterkeys import port_name
from .shapes import Optional, Text, Whole, declared

KUBE_PROXY: Final = "kube-proxy"
LOCAL: Final = "local"
TRAFFIC_PORT: Final = "traffic-port"
KUBE_PROXY_PORT: Final = 10256
KUBE_PROXY_PATH: Final = "/healthz"
DEFAULT_PATH: Final = "/ping"
TCP: Final = "TCP"
_NUMBER: Final = r"([1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d{2}|655[0-2]\d|6553[0-5])"

_PROTOCOL: Final = Text(
    reason="TCP checks only that the port accepts connections. HTTPS does not verify the certificate.",
    allowed="HTTP, HTTPS or TCP",
    choices=("HTTP", "HTTPS", TCP),
    default="HTTP",
    example="HTTP",
)
_PORT: Final = Text(
    reason="In place of servicePort: kube-proxy (port 10256, path /healthz; unhealthy on a node that the "
    "autoscaler deletes), local (healthCheckNodePort of a Service with externalTrafficPolicy Local: only "
    "nodes with a ready Pod of the ingress controller are healthy), traffic-port (the NodePort of the "
    "target), or the number of a port on the nodes. The stack opens the port in the node security groups.",
    allowed="kube-proxy, local, traffic-port or a port number",
    pattern=rf"{KUBE_PROXY}|{LOCAL}|{TRAFFIC_PORT}|{_NUMBER}",
    example=KUBE_PROXY,
    number=True,
)
_PATH: Final = Text(
    reason="Traefik answers /ping when it can serve. The default with port kube-proxy or local is /healthz.",
    allowed="a path of at most 1024 characters that begins with /",
    pattern=r"/[!-~]{0,1023}",
    default=DEFAULT_PATH,
    example=DEFAULT_PATH,
)
_INTERVAL: Final = Whole(
    low=5,
    high=300,
    unit="seconds",
    default=10,
    reason="The interval and unhealthyThreshold give the time until a dead node gets no traffic.",
)
_TIMEOUT: Final = Whole(
    low=2, high=120, unit="seconds", default=5, reason="At most the interval; AWS's own default is 6."
)
_HEALTHY: Final = Whole(
    low=2, high=10, default=2, reason="Successful checks in a row before a node gets traffic."
)
_UNHEALTHY: Final = Whole(
    low=2, high=10, default=2, reason="Failed checks in a row before a node gets no traffic."
)
_MATCHER: Final = Text(
    reason="The HTTP codes of a successful check.",
    allowed="a code, a range or a list of codes and ranges, 200 to 599, such as 200-399",
    pattern=r"[2-5]\d\d(-[2-5]\d\d)?(,[2-5]\d\d(-[2-5]\d\d)?)*",
    default="200-399",
    example="200-399",
)
_SERVICE_PORT: Final = port_name("The name of the ingress port whose NodePort answers the check.", "http")


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """The health check of every target group; interval and timeout in seconds."""

    service_port: str = declared(_SERVICE_PORT)
    port: str | None = declared(Optional(inner=_PORT))
    protocol: str = declared(_PROTOCOL)
    path: str = declared(_PATH)
    interval: int = declared(_INTERVAL)
    timeout: int = declared(_TIMEOUT)
    healthy_threshold: int = declared(_HEALTHY)
    unhealthy_threshold: int = declared(_UNHEALTHY)
    matcher: str = declared(_MATCHER)

    @property
    def node_port(self) -> int | None:
        """Return the number of a port that is no NodePort of the ingress Service; None for a NodePort."""
        if self.port is None or self.port in {LOCAL, TRAFFIC_PORT}:
            return None
        return KUBE_PROXY_PORT if self.port == KUBE_PROXY else int(self.port)

    @property
    def asked_path(self) -> str | None:
        """Return the path of the request; None without a request."""
        if self.protocol == TCP:
            return None
        return KUBE_PROXY_PATH if self.of_kube_proxy and self.path == DEFAULT_PATH else self.path

    @property
    def of_kube_proxy(self) -> bool:
        """Return whether kube-proxy answers the check, over plain HTTP."""
        return self.port in {KUBE_PROXY, LOCAL}


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerHealthCheck:
    """The health check of one listener's group; absent keys are those of `healthCheck`."""

    service_port: str | None = declared(Optional(inner=_SERVICE_PORT))
    port: str | None = declared(Optional(inner=_PORT))
    protocol: str | None = declared(Optional(inner=_PROTOCOL))
    path: str | None = declared(Optional(inner=_PATH))
    interval: int | None = declared(Optional(inner=_INTERVAL))
    timeout: int | None = declared(Optional(inner=_TIMEOUT))
    healthy_threshold: int | None = declared(Optional(inner=_HEALTHY))
    unhealthy_threshold: int | None = declared(Optional(inner=_UNHEALTHY))
    matcher: str | None = declared(Optional(inner=_MATCHER))

    def beside(self, common: HealthCheck) -> HealthCheck:
        """Return the whole check of the group; a servicePort of its own takes the place of a common port."""
        given = {each.name: getattr(self, each.name) for each in fields(self)}
        own = {name: value for name, value in given.items() if value is not None}
        if self.service_port is not None:
            own.setdefault("port", None)
        return replace(common, **own)


def _healthy(reason: str) -> Optional:
    return Optional(inner=Whole(low=1, high=1000, unit="targets", reason=reason))


def _share(reason: str) -> Optional:
    return Optional(inner=Whole(low=1, high=100, unit="percent", reason=reason))


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetHealth:
    """Thresholds of healthy targets of a group in a zone, for DNS and for routing to all targets."""

    dns_failover_count: int | None = declared(_healthy("Fewer: DNS omits the zone; absent: 1."))
    dns_failover_percentage: int | None = declared(_share("The same in percent of the targets; absent: off."))
    unhealthy_routing_count: int | None = declared(
        _healthy("Fewer: all targets get traffic, also unhealthy targets; absent: 1.")
    )
    unhealthy_routing_percentage: int | None = declared(
        _share("The same in percent of the targets; absent: off.")
    )
