"""The TCP ports of a Service, and which of them a group follows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

_PORTS = range(1, 65536)


@dataclass(frozen=True, slots=True)
class LivePort:
    """A port of a Service as it is now: name ("" where it has none), Service port, NodePort (0 for none)."""

    name: str
    number: int
    node_port: int

    @property
    def label(self) -> str:
        """How people find it in the Service: `http 80`, or `80` without a name."""
        return f"{self.name} {self.number}".lstrip()


def live_ports(service: Mapping[str, Any]) -> tuple[LivePort, ...]:
    """The TCP ports in a Service's JSON: UDP may have the same number, and an NLB's groups are TCP."""
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
    """The NodePort that `port` means: a Service port's number, else a name; "" is the only port there is.

    A name may be all digits, as any DNS label, so a number is looked for first.
    """
    ports = tuple(ports)
    if not port:
        return (ports[0].node_port or None) if len(ports) == 1 else None
    named = [each for each in ports if str(each.number) == port] or [
        each for each in ports if each.name == port
    ]
    return (named[0].node_port or None) if named else None


def by_label(ports: Iterable[LivePort]) -> dict[str, int]:
    """Each port's NodePort by its label, 0 for none."""
    return {port.label: port.node_port for port in ports}
