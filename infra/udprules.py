"""Constraints of UDP between listeners, ingress ports and health checks."""

from collections.abc import Iterator

from .clusterkeys import IngressPort
from .healthkeys import TRAFFIC_PORT
from .ingress import udp_name
from .keys import Settings
from .listenerkeys import TCP_UDP, UDP, transports
from .problems import Change, Problem


def udp_problems(settings: Settings) -> Iterator[Problem]:
    """Report what AWS or the API server refuses, and checks that no target passes."""
    ports = {port.name: port for port in settings.ingress.ports}
    yield from wrong_protocols(settings, ports)
    yield from wrong_checks(settings, ports)
    yield from wrong_pairs(settings)


def wrong_protocols(settings: Settings, ports: dict[str, IngressPort]) -> Iterator[Problem]:
    """Report a listener whose ingress port has another protocol."""
    for index, item in enumerate(settings.listeners):
        port = ports.get(item.service_port)
        if port is None or {*item.transports} <= {*transports(port.protocol)}:
            continue
        path = f"listeners[{index}].protocol"
        needed = {("udp",): UDP, ("tcp", "udp"): TCP_UDP}.get(settings.transports(port.name), "TCP")
        number = settings.ingress.ports.index(port)
        fix = Change(f"ingress.ports[{number}].protocol", needed)
        yield Problem(path, item.protocol, f"a protocol of ingress port {port.name}, {port.protocol}", fix)


def wrong_checks(settings: Settings, ports: dict[str, IngressPort]) -> Iterator[Problem]:
    """Report a health check on UDP, which AWS does not have."""
    for index, (item, check) in enumerate(zip(settings.listeners, settings.health_checks, strict=True)):
        own = f"listeners[{index}].healthCheck"
        port = ports.get(item.service_port if check.port == TRAFFIC_PORT else check.service_port)
        if port is None or port.protocol != UDP or check.port not in {None, TRAFFIC_PORT}:
            continue
        if check.port == TRAFFIC_PORT:
            path = f"{own}.port" if item.health_check.port else "healthCheck.port"
            fix = Change(f"{own}.port", "kube-proxy")
            yield Problem(path, TRAFFIC_PORT, "another port for a listener of UDP: checks use TCP", fix)
        else:
            path = f"{own}.servicePort" if item.health_check.service_port else "healthCheck.servicePort"
            allowed = "a port with protocol TCP or TCP_UDP: checks use TCP"
            yield Problem(path, f"{port.name}, a UDP port", allowed, f"name another port in {path}")


def wrong_pairs(settings: Settings) -> Iterator[Problem]:
    """Report a port of TCP and UDP that may get two NodePorts, or whose second name is taken."""
    if not settings.ingress.create:
        return
    names = [port.name for port in settings.ingress.ports]
    for index, port in enumerate(settings.ingress.ports):
        path = f"ingress.ports[{index}]"
        if port.protocol != TCP_UDP:
            continue
        if port.node_port is None:
            allowed = "a number with protocol TCP_UDP: the API server may allocate two"
            yield Problem(f"{path}.nodePort", "nothing", allowed, Change(f"{path}.nodePort", "30053"))
        if udp_name(port.name) in names:
            other = names.index(udp_name(port.name))
            where = f"ingress.ports[{other}].name"
            allowed = f"another name than that of the UDP port of {path}"
            yield Problem(where, udp_name(port.name), allowed, f"rename {where}")
