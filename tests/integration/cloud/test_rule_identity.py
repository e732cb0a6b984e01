"""A security group rule is what it lets through: direction, protocol, ports and source."""

from typing import Any

import pytest

from tests.integration.cloud.world import Cloud, name, refusal

_DUPLICATE = "InvalidPermission.Duplicate"
_SOURCES = ("ipv4", "ipv6", "prefix list", "group", "itself")


@pytest.mark.parametrize("direction", ["ingress", "egress"])
@pytest.mark.parametrize("source", _SOURCES)
def test_c3_another_description_and_tags_make_no_other_rule(
    cloud: Cloud, direction: str, source: str
) -> None:
    group = _group(cloud)
    given = _source(cloud, group, source)
    _authorize(cloud, direction, group, _tcp(30080, given, "the first"))
    code, message = _refused(cloud, direction, group, _tcp(30080, given, "another"), tags={"a": "b"})
    assert (code, "already exists" in message) == (_DUPLICATE, True)
    assert _refused(cloud, direction, group, _tcp(30080, given))[0] == _DUPLICATE
    assert [rule["Description"] for rule in _rules(cloud, group, direction)] == ["the first"]


@pytest.mark.parametrize("source", _SOURCES)
def test_c3_directions_ports_protocols_and_sources_make_another_rule(cloud: Cloud, source: str) -> None:
    group = _group(cloud)
    given = _source(cloud, group, source)
    _authorize(cloud, "ingress", group, _tcp(30080, given))
    _authorize(cloud, "egress", group, _tcp(30080, given))
    _authorize(cloud, "ingress", group, _tcp(30081, given))
    _authorize(cloud, "ingress", group, {**_tcp(30080, given), "IpProtocol": "udp"})
    _authorize(cloud, "ingress", group, {**_tcp(30080, given), "ToPort": 30090})
    _authorize(cloud, "ingress", group, _tcp(30080, {"UserIdGroupPairs": [{"GroupId": _group(cloud)}]}))
    assert len(_rules(cloud, group, "ingress")) == 5


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"IpProtocol": "tcp"}, {"IpProtocol": "6"}),
        ({"IpProtocol": "17"}, {"IpProtocol": "UDP"}),
        ({"IpProtocol": "icmp"}, {"IpProtocol": "1"}),
        ({"IpProtocol": "58", "FromPort": -1, "ToPort": -1}, {"IpProtocol": "icmpv6", "FromPort": None}),
        ({"IpProtocol": "-1"}, {"IpProtocol": "-1", "FromPort": None}),
        ({"IpProtocol": "-1"}, {"IpProtocol": "all", "FromPort": 1, "ToPort": 2}),
        ({"IpProtocol": "50"}, {"IpProtocol": "50", "FromPort": None}),
    ],
)
@pytest.mark.parametrize("source", ["ipv4", "group"])
def test_c3_a_protocol_is_the_same_by_name_and_by_number(
    cloud: Cloud, first: dict[str, Any], second: dict[str, Any], source: str
) -> None:
    group = _group(cloud)
    given = _source(cloud, group, source)
    _authorize(cloud, "ingress", group, _permission(given, first))
    assert _refused(cloud, "ingress", group, _permission(given, second, "again"))[0] == _DUPLICATE


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"IpRanges": [{"CidrIp": "10.1.2.3/16"}]}, {"IpRanges": [{"CidrIp": "10.1.0.0/16"}]}),
        (
            {"Ipv6Ranges": [{"CidrIpv6": "2001:DB8:0::1/64"}]},
            {"Ipv6Ranges": [{"CidrIpv6": "2001:db8::/64"}]},
        ),
    ],
)
def test_c3_a_range_is_the_same_however_it_is_written(
    cloud: Cloud, first: dict[str, Any], second: dict[str, Any]
) -> None:
    group = _group(cloud)
    _authorize(cloud, "ingress", group, _tcp(80, first))
    assert _refused(cloud, "ingress", group, _tcp(80, second))[0] == _DUPLICATE


def test_c3_one_request_that_names_a_rule_twice_is_refused_whole(cloud: Cloud) -> None:
    group, source = _group(cloud), _group(cloud)
    pairs = {"UserIdGroupPairs": [{"GroupId": source, "Description": text} for text in ("one", "two")]}
    code, message = _refused(cloud, "ingress", group, _tcp(80, pairs))
    assert (code, message) == (
        "InvalidParameterValue",
        "The same permission must not appear multiple times",
    )
    twice = [_tcp(80, {"IpRanges": [{"CidrIp": "10.0.0.0/8"}]}, text) for text in ("one", "two")]
    assert _refused(cloud, "egress", group, *twice)[0] == "InvalidParameterValue"
    assert _rules(cloud, group, "ingress") == _rules(cloud, group, "egress") == []


def test_c3_a_request_of_several_rules_is_done_whole_or_not_at_all(cloud: Cloud) -> None:
    group, source = _group(cloud), _group(cloud)
    pair = {"UserIdGroupPairs": [{"GroupId": source}]}
    _authorize(cloud, "ingress", group, _tcp(81, pair))
    assert _refused(cloud, "ingress", group, _tcp(80, pair), _tcp(81, pair, "again"))[0] == _DUPLICATE
    assert [rule["FromPort"] for rule in _rules(cloud, group, "ingress")] == [81]
    _authorize(cloud, "ingress", group, _tcp(80, pair), _tcp(82, pair))
    assert sorted(rule["FromPort"] for rule in _rules(cloud, group, "ingress")) == [80, 81, 82]


def test_c3_the_request_form_of_a_single_rule_is_compared_too(cloud: Cloud) -> None:
    group = _group(cloud)
    single: Any = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "CidrIp": "10.0.0.0/8"}
    cloud.ec2.authorize_security_group_ingress(GroupId=group, **single)
    ranges = {"IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
    assert _refused(cloud, "ingress", group, _tcp(80, ranges, "again"))[0] == _DUPLICATE
    cloud.ec2.revoke_security_group_ingress(GroupId=group, **single)
    assert _rules(cloud, group, "ingress") == []


@pytest.mark.parametrize("source", _SOURCES)
def test_c3_a_rule_is_revoked_and_described_whatever_its_description(cloud: Cloud, source: str) -> None:
    group = _group(cloud)
    given = _source(cloud, group, source)
    _authorize(cloud, "ingress", group, _tcp(80, given, "the first"))
    again: Any = {"GroupId": group, "IpPermissions": [_tcp(80, given, "the second")]}
    cloud.ec2.update_security_group_rule_descriptions_ingress(**again)
    assert [rule["Description"] for rule in _rules(cloud, group, "ingress")] == ["the second"]
    missing: Any = {"GroupId": group, "IpPermissions": [_tcp(80, given), _tcp(81, given)]}
    assert refusal(cloud.ec2.revoke_security_group_ingress, **missing)[0] == "InvalidPermission.NotFound"
    assert len(_rules(cloud, group, "ingress")) == 1
    cloud.ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=[_tcp(80, given)])
    assert _rules(cloud, group, "ingress") == []
    _authorize(cloud, "ingress", group, _tcp(80, given, "the third"))


@pytest.mark.parametrize("source", _SOURCES)
def test_c3_a_changed_rule_is_compared_as_it_is_then(cloud: Cloud, source: str) -> None:
    group = _group(cloud)
    given = _source(cloud, group, source)
    _authorize(cloud, "ingress", group, _tcp(80, given, "a"))
    _authorize(cloud, "ingress", group, _tcp(81, given, "b"))
    rules = {rule["FromPort"]: rule["SecurityGroupRuleId"] for rule in _rules(cloud, group, "ingress")}
    code, _ = refusal(cloud.ec2.modify_security_group_rules, **_change(group, rules[81], given, "6", 80))
    assert code == _DUPLICATE
    cloud.ec2.modify_security_group_rules(**_change(group, rules[81], given, "6", 81))  # its own description
    cloud.ec2.modify_security_group_rules(**_change(group, rules[81], given, "tcp", 82))
    _authorize(cloud, "ingress", group, _tcp(81, given))
    assert _refused(cloud, "ingress", group, _tcp(82, given))[0] == _DUPLICATE


def _group(cloud: Cloud) -> str:
    """A security group without rules."""
    group = cloud.ec2.create_security_group(
        GroupName=name("group"), Description="for a test", VpcId=cloud.network.vpc_id
    )["GroupId"]
    everywhere: Any = [
        {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}], "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}
    ]
    cloud.ec2.revoke_security_group_egress(GroupId=group, IpPermissions=everywhere)
    return group


def _source(cloud: Cloud, group: str, kind: str) -> dict[str, Any]:
    match kind:
        case "ipv4":
            return {"IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
        case "ipv6":
            return {"Ipv6Ranges": [{"CidrIpv6": "2001:db8::/64"}]}
        case "prefix list":
            return {"PrefixListIds": [{"PrefixListId": "pl-6da54004"}]}
        case "group":
            return {"UserIdGroupPairs": [{"GroupId": _group(cloud)}]}
    return {"UserIdGroupPairs": [{"GroupId": group}]}


def _permission(source: dict[str, Any], given: dict[str, Any], description: str = "") -> Any:
    ((kind, (entry,)),) = source.items()
    described = {kind: [{**entry, "Description": description}]} if description else source
    numbers = {"FromPort": 8, "ToPort": 8, **given}
    if numbers["FromPort"] is None:
        del numbers["FromPort"], numbers["ToPort"]
    return {**numbers, **described}


def _tcp(port: int, source: dict[str, Any], description: str = "") -> Any:
    if not description:
        return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **source}
    return _permission(source, {"IpProtocol": "tcp", "FromPort": port, "ToPort": port}, description)


def _call(cloud: Cloud, direction: str) -> Any:
    return {
        "ingress": cloud.ec2.authorize_security_group_ingress,
        "egress": cloud.ec2.authorize_security_group_egress,
    }[direction]


def _authorize(cloud: Cloud, direction: str, group: str, *permissions: Any) -> None:
    _call(cloud, direction)(GroupId=group, IpPermissions=list(permissions))


def _refused(
    cloud: Cloud, direction: str, group: str, *permissions: Any, tags: dict[str, str] | None = None
) -> tuple[str, str]:
    pairs = [{"Key": key, "Value": value} for key, value in (tags or {}).items()]
    tagged: Any = {"TagSpecifications": [{"ResourceType": "security-group-rule", "Tags": pairs}]}
    call = _call(cloud, direction)
    return refusal(call, GroupId=group, IpPermissions=list(permissions), **(tagged if tags else {}))


def _change(group: str, rule: str, source: dict[str, Any], protocol: str, port: int) -> Any:
    ((_, (entry,)),) = source.items()
    ((key, value),) = entry.items()
    named = {"CidrIp": "CidrIpv4", "GroupId": "ReferencedGroupId"}.get(key, key)
    wanted = {"IpProtocol": protocol, "FromPort": port, "ToPort": port, named: value, "Description": "c"}
    return {
        "GroupId": group,
        "SecurityGroupRules": [{"SecurityGroupRuleId": rule, "SecurityGroupRule": wanted}],
    }


def _rules(cloud: Cloud, group: str, direction: str) -> list[Any]:
    filters: Any = [{"Name": "group-id", "Values": [group]}]
    found = cloud.ec2.describe_security_group_rules(Filters=filters)["SecurityGroupRules"]
    return [rule for rule in found if rule["IsEgress"] is (direction == "egress")]
