"""The ports of a Service, and the port that a group follows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from syncer.model import CHECK_LABEL

_PORTS = range(1, 65536)


@dataclass(frozen=True, slots=True)
class LivePort:
    """Current port of a Service: name ("" without a name), Service port, NodePort (0 without a NodePort).

    `checks` marks the healthCheckNodePort, on which kube-proxy answers health checks; `number` is 0.
    """

    name: str
    number: int
    node_port: int
    checks: bool = False
    udp: bool = False

    @property
    def label(self) -> str:
        """Name and number as in the Service: `http 80`, or `80` without a name."""
        if self.checks:
            return self.name
        return f"{self.name} {self.number}{'/UDP' if self.udp else ''}".lstrip()


def live_ports(service: Mapping[str, Any]) -> tuple[LivePort, ...]:
    """Return the TCP and UDP ports in a Service's JSON, then its healthCheckNodePort."""
    found = service.get("spec")
    spec = found if isinstance(found, dict) else {}
    check = _number(spec.get("healthCheckNodePort"))
    listed = spec.get("ports") or ()
    ports = tuple(
        LivePort(
            str(port.get("name") or ""),
            _number(port.get("port")),
            _number(port.get("nodePort")),
            udp=port.get("protocol") == "UDP",
        )
        for port in listed
        if isinstance(port, dict) and (port.get("protocol") or "TCP") in {"TCP", "UDP"}
    )
    return (*ports, LivePort(CHECK_LABEL, 0, check, checks=True)) if check else ports


def _number(value: object) -> int:
    return value if isinstance(value, int) and value in _PORTS else 0


def node_port_of(ports: Iterable[LivePort], port: str) -> int | None:
    """Return the NodePort for a Service port's number or name; "" means the only port of the Service.

    A name may be all digits, like any DNS label, so numbers are compared first. Of two ports with the same
    number, and of a TCP port and UDP ports, the TCP port is meant.
    """
    followed = [each for each in ports if not each.checks]
    tcp = [each for each in followed if not each.udp]
    ports = tuple(sorted(followed, key=lambda each: each.udp)) if port else tuple(tcp or followed)
    if not port:
        return (ports[0].node_port or None) if len(ports) == 1 else None
    named = [each for each in ports if str(each.number) == port] or [
        each for each in ports if each.name == port
    ]
    return (named[0].node_port or None) if named else None


def by_label(ports: Iterable[LivePort]) -> dict[str, int]:
    """Return every port's NodePort by label, 0 without a NodePort."""
    return {port.label: port.node_port for port in ports}
