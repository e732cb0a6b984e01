"""The TCP ports of a Service, and the port that a group follows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

_PORTS = range(1, 65536)


@dataclass(frozen=True, slots=True)
class LivePort:
    """Current port of a Service: name ("" without a name), Service port, NodePort (0 without a NodePort)."""

    name: str
    number: int
    node_port: int

    @property
    def label(self) -> str:
        """Name and number as in the Service: `http 80`, or `80` without a name."""
        return f"{self.name} {self.number}".lstrip()


def live_ports(service: Mapping[str, Any]) -> tuple[LivePort, ...]:
    """Return the TCP ports in a Service's JSON.

    NLB groups are TCP; a UDP port of the Service may have the same number.
    """
    spec = service.get("spec")
    listed = (spec.get("ports") if isinstance(spec, dict) else None) or ()
    return tuple(
        LivePort(str(port.get("name") or ""), _number(port.get("port")), _number(port.get("nodePort")))
        for port in listed
        if isinstance(port, dict) and (port.get("protocol") or "TCP") == "TCP"
    )


def _number(value: object) -> int:
    return value if isinstance(value, int) and value in _PORTS else 0


def node_port_of(ports: Iterable[LivePort], port: str) -> int | None:
    """Return the NodePort for a Service port's number or name; "" means the only port of the Service.

    A name may be all digits, like any DNS label, so numbers are compared first.
    """
    ports = tuple(ports)
    if not port:
        return (ports[0].node_port or None) if len(ports) == 1 else None
    named = [each for each in ports if str(each.number) == port] or [
        each for each in ports if each.name == port
    ]
    return (named[0].node_port or None) if named else None


def by_label(ports: Iterable[LivePort]) -> dict[str, int]:
    """Return every port's NodePort by label, 0 without a NodePort."""
    return {port.label: port.node_port for port in ports}
