"""Security groups, evaluated on every hop as in EC2: allow rules only, all else is refused."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network

ANY_PROTOCOL = "-1"
_NUMBERS = {"tcp": "6", "udp": "17"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A security group rule; `peer` is a CIDR block or the id of another security group."""

    group: str
    egress: bool
    protocol: str
    from_port: int
    to_port: int
    peer: str

    def matches(self, port: int, peer: "Peer", transport: str = "tcp") -> bool:
        """Whether the rule allows packets of `transport` (tcp or udp) on `port` with the peer `peer`."""
        if self.protocol not in {transport, _NUMBERS[transport], ANY_PROTOCOL}:
            return False
        if self.protocol != ANY_PROTOCOL and not self.from_port <= port <= self.to_port:
            return False
        return self.peer in peer.groups or peer.within(self.peer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """The remote end of a connection: its address, and its security groups if any."""

    address: str
    groups: frozenset[str] = field(default_factory=frozenset)

    def within(self, cidr: str) -> bool:
        """Whether the address is in `cidr`; false for a group's id or the other IP version."""
        if "/" not in cidr:
            return False
        network = ip_network(cidr, strict=False)
        address = ip_address(self.address)
        return address.version == network.version and address in network


def allowed(
    rules: Iterable[Rule],
    groups: frozenset[str],
    *,
    egress: bool,
    port: int,
    peer: Peer,
    transport: str = "tcp",
) -> bool:
    """Whether any rule of `groups` in the direction allows the connection."""
    return any(
        rule.group in groups and rule.egress is egress and rule.matches(port, peer, transport)
        for rule in rules
    )
