"""Rules between load balancer and nodes that are missing."""

from typing import Any

import pytest

from syncer.elb.firewall import FirewallRule, missing_rules, rule_of

OWN = frozenset({"sg-lb"})


def egress(port: int, peer: str = "sg-nodes", **more: Any) -> FirewallRule:
    return a_rule("sg-lb", port, peer, egress=True, **more)


def ingress(port: int, peer: str = "sg-lb", group: str = "sg-nodes", **more: Any) -> FirewallRule:
    return a_rule(group, port, peer, egress=False, **more)


def a_rule(group: str, port: int, peer: str, *, egress: bool, protocol: str = "tcp") -> FirewallRule:
    return FirewallRule(group=group, egress=egress, protocol=protocol, low=port, high=port, peer=peer)


@pytest.mark.parametrize(
    ("rules", "missing"),
    [
        ([egress(30080), ingress(30080)], []),
        ([egress(30080), ingress(30080, peer="")], []),
        ([egress(-1, protocol="-1"), ingress(-1, protocol="-1")], []),
        ([egress(30080)], ["sg-nodes has no ingress"]),
        ([egress(30080), ingress(30081)], ["sg-nodes has no ingress"]),
        ([egress(30080), ingress(30080, protocol="udp")], ["sg-nodes has no ingress"]),
        ([egress(30080), ingress(30080, peer="sg-other")], ["sg-nodes has no ingress"]),
        ([egress(30081), ingress(30080)], ["sg-lb has no egress"]),
        ([], ["sg-lb has no egress"]),
        ([egress(30080, peer="")], []),
        ([egress(30080), egress(30080, peer="sg-b"), ingress(30080)], ["sg-b has no ingress"]),
    ],
)
def test_each_missing_rule_is_named(rules: list[FirewallRule], missing: list[str]) -> None:
    found = missing_rules(OWN, rules, [(30080, "tcp")])
    assert len(found) == len(missing)
    assert all(part in sentence for part, sentence in zip(missing, found, strict=True))


def test_rules_of_udp_are_apart_from_those_of_tcp() -> None:
    rules = [egress(30080), ingress(30080), egress(30080, protocol="udp")]
    assert missing_rules(OWN, rules, [(30080, "tcp"), (30080, "udp")]) == [
        "the nodes' security group sg-nodes has no ingress rule for UDP 30080"
    ]


def test_a_rule_is_read_as_aws_describes_it() -> None:
    described = {
        "GroupId": "sg-nodes",
        "IsEgress": False,
        "IpProtocol": "tcp",
        "FromPort": 30000,
        "ToPort": 32767,
        "ReferencedGroupInfo": {"GroupId": "sg-lb"},
    }
    rule = rule_of(described)
    assert rule.allows(30080)
    assert not rule.allows(29999)
    assert rule.peer == "sg-lb"
