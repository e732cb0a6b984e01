"""What changes in place, what replaces, and what is no change at all."""

from typing import Any

import pytest

from sandbox.plugins.aws.property_rules import RULES
from sandbox.plugins.aws.provider import AwsProvider
from sandbox.plugins.aws.schema import RESOURCES
from sandbox.plugins.provider import Resource, State
from sandbox.plugins.values import UNKNOWN
from tests.unit.awsprovider.programs import (
    ARN,
    BALANCER,
    EIP,
    GROUP,
    INGRESS,
    KEY,
    LISTENER,
    POLICY,
    PROGRAMS,
    TARGETS,
    USER,
    changes,
    check,
    paths,
)


@pytest.mark.parametrize("token", RESOURCES)
def test_the_same_program_changes_nothing(provider: AwsProvider, token: str) -> None:
    assert paths(changes(provider, token, PROGRAMS[token], PROGRAMS[token])) == []


REPLACING = [
    (EIP, {"domain": "standard"}, "domain"),
    (EIP, {"region": "eu-west-1"}, "region"),
    (GROUP, {"description": "other"}, "description"),
    (GROUP, {"vpcId": "vpc-2"}, "vpcId"),
    (INGRESS, {"securityGroupId": "sg-2"}, "securityGroupId"),
    (BALANCER, {"internal": True}, "internal"),
    (BALANCER, {"loadBalancerType": "application"}, "loadBalancerType"),
    (TARGETS, {"port": 81}, "port"),
    (TARGETS, {"protocol": "TLS"}, "protocol"),
    (TARGETS, {"vpcId": "vpc-2"}, "vpcId"),
    (TARGETS, {"targetType": "ip"}, "targetType"),
    (TARGETS, {"ipAddressType": "ipv6"}, "ipAddressType"),
    (LISTENER, {"loadBalancerArn": f"{ARN}:loadbalancer/net/other/1"}, "loadBalancerArn"),
    (POLICY, {"user": "other"}, "user"),
    (KEY, {"user": "other"}, "user"),
]


@pytest.mark.parametrize(("token", "wanted", "field"), REPLACING)
def test_an_immutable_property_replaces(
    provider: AwsProvider, token: str, wanted: dict[str, Any], field: str
) -> None:
    found = changes(provider, token, PROGRAMS[token], {**PROGRAMS[token], **wanted})
    assert field in found.replaced_fields
    assert not found.delete_before_replace


IN_PLACE = [
    (EIP, {"tags": {"zone": "b"}}, ["tags.zone", "tagsAll.zone"]),
    (INGRESS, {"toPort": 81}, ["toPort"]),
    (INGRESS, {"description": "x"}, ["description"]),
    (INGRESS, {"cidrIpv4": "10.0.0.0/9"}, ["cidrIpv4"]),
    (BALANCER, {"enableCrossZoneLoadBalancing": True}, ["enableCrossZoneLoadBalancing"]),
    (BALANCER, {"securityGroups": ["sg-2"]}, ["securityGroups[0]"]),
    (TARGETS, {"healthCheck": {"path": "/other"}}, ["healthCheck.path"]),
    (TARGETS, {"healthCheck": {"path": "/ping", "interval": 10}}, ["healthCheck.interval"]),
    (TARGETS, {"deregistrationDelay": 10}, ["deregistrationDelay"]),
    (LISTENER, {"port": 81}, ["port"]),
    (
        LISTENER,
        {"defaultActions": [{"type": "forward", "targetGroupArn": f"{ARN}:targetgroup/http/2"}]},
        ["defaultActions[0].targetGroupArn"],
    ),
    (USER, {"name": "renamed"}, ["name"]),
    (USER, {"path": "/"}, ["path"]),
    (POLICY, {"policy": '{"Version":"2008-10-17"}'}, ["policy"]),
    (KEY, {"status": "Inactive"}, ["status"]),
]


@pytest.mark.parametrize(("token", "wanted", "shown"), IN_PLACE)
def test_any_other_property_changes_in_place(
    provider: AwsProvider, token: str, wanted: dict[str, Any], shown: list[str]
) -> None:
    found = changes(provider, token, PROGRAMS[token], {**PROGRAMS[token], **wanted})
    assert paths(found) == shown
    assert found.replaced_fields == []


def _mappings(*zones: str) -> list[dict[str, str]]:
    return [{"subnetId": f"subnet-{zone}", "allocationId": f"eipalloc-{zone}"} for zone in zones]


SUBNETS = [
    ("ab", "ab", False, False),
    ("ab", "ba", False, False),
    ("ab", "abc", True, False),
    ("ab", "cab", True, False),
    ("ab", "a", True, True),
    ("ab", "ac", True, True),
    ("ab", "acd", True, True),
]


@pytest.mark.parametrize(("old", "new", "changed", "replaced"), SUBNETS)
def test_a_network_load_balancer_only_gains_zones_in_place(
    provider: AwsProvider, old: str, new: str, *, changed: bool, replaced: bool
) -> None:
    before = {**PROGRAMS[BALANCER], "subnetMappings": _mappings(*old)}
    found = changes(provider, BALANCER, before, {**before, "subnetMappings": _mappings(*new)})
    assert bool(found.changes) == changed
    assert found.replaced_fields == (["subnetMappings"] if replaced else [])


@pytest.mark.parametrize(("old", "new"), [([], ["sg-1"]), (["sg-1"], [])])
def test_a_load_balancer_never_gains_its_first_nor_loses_its_last_security_group(
    provider: AwsProvider, old: list[str], new: list[str]
) -> None:
    before = {**PROGRAMS[BALANCER], "securityGroups": old}
    found = changes(provider, BALANCER, before, {**before, "securityGroups": new})
    assert found.replaced_fields == ["securityGroups"]


def test_a_rule_keeps_the_kind_of_its_source_for_life(provider: AwsProvider) -> None:
    by_group = {**PROGRAMS[INGRESS], "cidrIpv4": None, "referencedSecurityGroupId": "sg-2"}
    found = changes(provider, INGRESS, PROGRAMS[INGRESS], by_group)
    assert found.replaced_fields == ["cidrIpv4", "referencedSecurityGroupId"]


def test_a_name_that_the_program_fixes_is_deleted_before_its_successor_is_made(provider: AwsProvider) -> None:
    before = {**PROGRAMS[TARGETS], "name": "http"}
    assert changes(provider, TARGETS, before, {**before, "port": 81}).delete_before_replace


def test_a_property_only_an_application_load_balancer_has_is_no_change_of_a_network_one(
    provider: AwsProvider,
) -> None:
    found = changes(provider, BALANCER, PROGRAMS[BALANCER], {**PROGRAMS[BALANCER], "idleTimeout": 61})
    assert paths(found) == []


def test_a_computed_property_left_out_of_the_program_keeps_what_aws_has(provider: AwsProvider) -> None:
    before = {**PROGRAMS[TARGETS], "preserveClientIp": "true", "connectionTermination": True}
    assert paths(changes(provider, TARGETS, before, PROGRAMS[TARGETS])) == []


def test_a_property_removed_from_the_program_goes_back_to_its_default(provider: AwsProvider) -> None:
    before = {**PROGRAMS[TARGETS], "deregistrationDelay": 10}
    assert paths(changes(provider, TARGETS, before, PROGRAMS[TARGETS])) == ["deregistrationDelay"]


def test_two_policies_that_mean_the_same_are_no_change(provider: AwsProvider) -> None:
    one = (
        '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "a:B", "Resource": ["x", "y"]}}'
    )
    other = '{"Statement":[{"Action":["a:B"],"Effect":"Allow","Resource":["y","x"]}],"Version":"2012-10-17"}'
    before, after = {**PROGRAMS[POLICY], "policy": one}, {**PROGRAMS[POLICY], "policy": other}
    assert paths(changes(provider, POLICY, before, after)) == []


def test_a_protocol_is_the_same_by_name_and_by_number(provider: AwsProvider) -> None:
    assert (
        paths(changes(provider, INGRESS, PROGRAMS[INGRESS], {**PROGRAMS[INGRESS], "ipProtocol": "6"})) == []
    )


def test_protocols_are_the_same_in_any_case(provider: AwsProvider) -> None:
    assert (
        paths(changes(provider, LISTENER, PROGRAMS[LISTENER], {**PROGRAMS[LISTENER], "protocol": "tcp"}))
        == []
    )


def test_an_unknown_value_of_an_immutable_property_foresees_a_replacement(provider: AwsProvider) -> None:
    found = changes(provider, TARGETS, PROGRAMS[TARGETS], {**PROGRAMS[TARGETS], "vpcId": UNKNOWN})
    assert found.replaced_fields == ["vpcId"]


def test_ignored_changes_are_none(provider: AwsProvider) -> None:
    resource = Resource("urn:pulumi:t::p::x::web", TARGETS, "web")
    old = check(provider, TARGETS, PROGRAMS[TARGETS]).inputs
    new = check(provider, TARGETS, {**PROGRAMS[TARGETS], "healthCheck": {"path": "/x"}}, old).inputs
    found = provider.diff(resource, State("id", old, old), new, ["healthCheck.path"])
    assert paths(found) == []


def test_every_immutable_property_of_the_table_is_named_as_stable(provider: AwsProvider) -> None:
    found = changes(provider, TARGETS, PROGRAMS[TARGETS], PROGRAMS[TARGETS])
    immutable = {key for key, rule in RULES[TARGETS].items() if rule.immutable}
    assert set(found.stables) == immutable
