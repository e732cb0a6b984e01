"""Rules between a load balancer's security groups and the nodes' groups, as `doctor` checks them."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

_ANY_PROTOCOL = "-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class FirewallRule:
    """A rule of security group `group`. `peer` is the other group's id, "" for a network or prefix list."""

    group: str
    egress: bool
    protocol: str
    low: int
    high: int
    peer: str

    def allows(self, port: int, protocol: str = "tcp") -> bool:
        """Whether the rule allows the protocol, tcp or udp, on this port."""
        if self.protocol == _ANY_PROTOCOL:
            return True
        return self.protocol == protocol and self.low <= port <= self.high


def rule_of(described: Mapping[str, Any]) -> FirewallRule:
    """Return a rule from an item of DescribeSecurityGroupRules."""
    return FirewallRule(
        group=described["GroupId"],
        egress=described["IsEgress"],
        protocol=described["IpProtocol"],
        low=described.get("FromPort", -1),
        high=described.get("ToPort", -1),
        peer=described.get("ReferencedGroupInfo", {}).get("GroupId", ""),
    )


def node_groups(balancer_groups: Collection[str], rules: Iterable[FirewallRule]) -> frozenset[str]:
    """Return the groups that the load balancer's egress rules name."""
    return frozenset(
        rule.peer for rule in rules if rule.egress and rule.peer and rule.group in balancer_groups
    )


def missing_rules(
    balancer_groups: Collection[str], rules: Collection[FirewallRule], ports: Iterable[tuple[int, str]]
) -> list[str]:
    """Return the missing rules, a sentence for each; `rules` are those of all named groups.

    `ports` are numbers with tcp or udp.

    The nodes' groups are known from the load balancer's egress rules. An ingress rule for a network is
    accepted: the addresses of the load balancer are not compared.
    """
    missing = []
    nodes = node_groups(balancer_groups, rules)
    for port, protocol in sorted(set(ports)):
        shown = f"{protocol.upper()} {port}"
        out = [r for r in rules if r.egress and r.group in balancer_groups and r.allows(port, protocol)]
        if not out:
            where = ", ".join(sorted(balancer_groups))
            missing.append(f"the load balancer's security group {where} has no egress rule for {shown}")
        into = [r for r in rules if not r.egress and r.allows(port, protocol)]
        missing += [
            f"the nodes' security group {group} has no ingress rule for {shown}"
            for group in sorted(nodes)
            if not any(r.group == group and (not r.peer or r.peer in balancer_groups) for r in into)
        ]
    return missing
