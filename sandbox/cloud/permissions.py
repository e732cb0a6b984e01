"""The identity of security group rules: direction, protocol, ports, source; never description or tags.

AWS refuses a second rule of the same identity (InvalidPermission.Duplicate), and finds rules by identity when
they are revoked or described again (AuthorizeSecurityGroupIngress and RevokeSecurityGroupIngress in the EC2
API reference).
"""

import ipaddress
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

Fields = dict[str, str]

ALL: Final = "-1"
_ANY_PORT: Final = -1
_NAMES: Final = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6", "all": ALL}
# The protocols whose rules have ports, or an ICMP type and code; AWS ignores both for other protocols.
_WITH_PORTS: Final = frozenset({"tcp", "udp", "icmp", "icmpv6"})
_NEED_PORTS: Final = frozenset({"tcp", "udp"})
_SOURCE: Final = re.compile(
    r"IpPermissions\.(?P<permission>\d+)\."
    r"(?:IpRanges\.\d+\.CidrIp|Ipv6Ranges\.\d+\.CidrIpv6|PrefixListIds\.\d+\.PrefixListId"
    r"|(?:Groups|UserIdGroupPairs)\.\d+\.(?:GroupId|GroupName))"
)
_SINGLE: Final = {
    "IpProtocol": "IpProtocol",
    "FromPort": "FromPort",
    "ToPort": "ToPort",
    "CidrIp": "IpRanges.1.CidrIp",
    "CidrIpv6": "Ipv6Ranges.1.CidrIpv6",
    "SourceSecurityGroupName": "Groups.1.GroupName",
}


@dataclass(frozen=True, slots=True)
class Identity:
    """The identity of a rule in a group; `source` is a CIDR block, a prefix list or a group's id."""

    egress: bool
    protocol: str
    from_port: int
    to_port: int
    source: str

    def __str__(self) -> str:
        ports = f"from port: {self.from_port}, to port: {self.to_port}, " if self.protocol != ALL else ""
        protocol = "ALL" if self.protocol == ALL else self.protocol.upper()
        return f"peer: {self.source}, {protocol}, {ports}ALLOW"


def spread(fields: Fields) -> Fields:
    """Rewrite the single-rule form of a request as its first IpPermissions member."""
    if "IpProtocol" not in fields:
        return fields
    return {f"IpPermissions.1.{_SINGLE[key]}" if key in _SINGLE else key: v for key, v in fields.items()}


def canonical(fields: Fields) -> Fields:
    """Return the fields as stored by AWS: protocols by name, CIDR blocks without host bits.

    Missing ports are filled in if the protocol needs no ports, because moto requires ports.
    """
    found = dict(fields)
    for key, value in fields.items():
        prefix, _, name = key.rpartition(".")
        if name == "IpProtocol":
            found[key] = protocol = protocol_name(value)
            if protocol not in _NEED_PORTS:
                found.setdefault(f"{prefix}.FromPort", str(_ANY_PORT))
                found.setdefault(f"{prefix}.ToPort", str(_ANY_PORT))
        elif name in {"CidrIp", "CidrIpv6", "CidrIpv4"}:
            found[key] = network(value)
    return found


def requested(fields: Fields, group_named: Callable[[str], str], *, egress: bool) -> Iterator[Identity]:
    """Yield the rules named by permissions in an Authorize, Revoke or Update request, in order.

    `group_named` returns the id of a security group by its name.
    """
    for key, value in fields.items():
        if found := _SOURCE.fullmatch(key):
            prefix = f"IpPermissions.{found['permission']}."
            source = group_named(value) if key.endswith("GroupName") else value
            yield identity(
                egress=egress,
                protocol=fields.get(f"{prefix}IpProtocol", ALL),
                ports=(fields.get(f"{prefix}FromPort"), fields.get(f"{prefix}ToPort")),
                source=source,
            )


def described(fields: Fields, group_named: Callable[[str], str], *, egress: bool) -> dict[Identity, str]:
    """Return the description in a request for each named rule; empty if missing."""
    # A permission with a single source: `requested` then yields exactly the rule of the key.
    found = {}
    for key in fields:
        if _SOURCE.fullmatch(key):
            others = {k: v for k, v in fields.items() if k == key or not _SOURCE.fullmatch(k)}
            (rule,) = requested(others, group_named, egress=egress)
            found[rule] = fields.get(f"{key.rpartition('.')[0]}.Description", "")
    return found


def identity(*, egress: bool, protocol: str, ports: tuple[Any, Any], source: str) -> Identity:
    """Return the identity of a rule in any of AWS's input forms."""
    name = protocol_name(protocol)
    low, high = (_port(port) if name in _WITH_PORTS else _ANY_PORT for port in ports)
    return Identity(egress, name, low, high, network(source))


def of_rule(rule: Any) -> Identity:
    """The identity of a rule in moto's backend."""
    source = (
        rule.ip_range.get("CidrIp")
        or rule.ip_range.get("CidrIpv6")
        or rule.prefix_list_id
        or rule.source_group.get("GroupId", "")
    )
    return identity(
        egress=rule.is_egress,
        protocol=rule.ip_protocol or ALL,
        ports=(rule.from_port, rule.to_port),
        source=source,
    )


def protocol_name(protocol: str) -> str:
    """Return AWS's name of a protocol from a name or number; a number without a name stays a number."""
    return _NAMES.get(protocol.lower(), protocol.lower())


def network(source: str) -> str:
    """Return a CIDR block without host bits; other sources unchanged."""
    if "/" not in source:
        return source
    try:
        return str(ipaddress.ip_network(source, strict=False))
    except ValueError:
        return source  # moto refuses the source


def _port(port: Any) -> int:
    return _ANY_PORT if port in {None, ""} else int(port)
