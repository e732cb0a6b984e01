"""The identity of security group rules: direction, protocol, ports, source; never description or tags.

AWS refuses a second rule of the same identity (InvalidPermission.Duplicate), and finds rules by it when they
are revoked or described anew (AuthorizeSecurityGroupIngress and RevokeSecurityGroupIngress in the EC2 API
reference).
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
# The protocols whose rules have ports, or an ICMP type and code; AWS ignores both for any other protocol.
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
    """What makes a rule of a group the same rule; `source` is a CIDR block, a prefix list or a group's id."""

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
    """The fields with the single-rule form of a request rewritten as its first IpPermissions member."""
    if "IpProtocol" not in fields:
        return fields
    return {f"IpPermissions.1.{_SINGLE[key]}" if key in _SINGLE else key: v for key, v in fields.items()}


def canonical(fields: Fields) -> Fields:
    """The fields as AWS stores them: protocols by name, CIDR blocks without host bits.

    Ports are filled in where a protocol needs none, because moto demands them.
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
    """Each rule that an Authorize, Revoke or Update request names by its permissions, in the request's order.

    `group_named` is the id of the security group of that name.
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
    """The description that a request gives to each rule it names; empty where it gives none."""
    # One permission, one source: `requested` then yields the rule of exactly that key.
    found = {}
    for key in fields:
        if _SOURCE.fullmatch(key):
            others = {k: v for k, v in fields.items() if k == key or not _SOURCE.fullmatch(k)}
            (rule,) = requested(others, group_named, egress=egress)
            found[rule] = fields.get(f"{key.rpartition('.')[0]}.Description", "")
    return found


def identity(*, egress: bool, protocol: str, ports: tuple[Any, Any], source: str) -> Identity:
    """The identity of a rule given in any of the ways that AWS takes."""
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
    """AWS's name of a protocol that is given by name or number; a number without a name stays one."""
    return _NAMES.get(protocol.lower(), protocol.lower())


def network(source: str) -> str:
    """A CIDR block without host bits; anything else unchanged."""
    if "/" not in source:
        return source
    try:
        return str(ipaddress.ip_network(source, strict=False))
    except ValueError:
        return source  # moto refuses it


def _port(port: Any) -> int:
    return _ANY_PORT if port in {None, ""} else int(port)
