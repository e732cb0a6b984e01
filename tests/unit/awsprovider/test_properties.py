"""What holds for every program: filling in twice is filling in once, and sets have no order."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.plugins.aws.provider import AwsProvider
from tests.unit.awsprovider.programs import BALANCER, PROGRAMS, TARGETS, changes, check, paths

_quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

health_checks = st.fixed_dictionaries(
    {},
    optional={
        "protocol": st.sampled_from(["HTTP", "https", "HTTPS"]),
        "path": st.sampled_from(["/", "/ping"]),
        "port": st.sampled_from(["traffic-port", "31080"]),
        "interval": st.integers(30, 300),
        "timeout": st.integers(2, 30),
        "healthyThreshold": st.integers(2, 10),
        "matcher": st.sampled_from(["200", "200-399"]),
    },
)
target_groups = st.fixed_dictionaries(
    {"port": st.integers(1, 65535), "protocol": st.just("TCP"), "vpcId": st.just("vpc-1")},
    optional={
        "healthCheck": health_checks,
        "deregistrationDelay": st.integers(0, 3600),
        "preserveClientIp": st.sampled_from(["true", "false"]),
        "connectionTermination": st.booleans(),
        "tags": st.dictionaries(st.sampled_from("abc"), st.sampled_from("xyz")),
        "targetHealthStates": st.just([{"enableUnhealthyConnectionTermination": False}]),
    },
)
zones = st.lists(st.sampled_from("abcdef"), min_size=1, max_size=6, unique=True)


def _program(inputs: dict[str, Any]) -> Any:
    """Checked inputs as a program would write them."""
    return {key: value for key, value in inputs.items() if key not in ("__defaults", "tagsAll")}


def _mappings(order: list[str]) -> dict[str, Any]:
    mappings = [{"subnetId": f"subnet-{zone}", "allocationId": f"eipalloc-{zone}"} for zone in order]
    return {**PROGRAMS[BALANCER], "subnetMappings": mappings}


@_quick
@given(program=target_groups)
def test_checked_inputs_are_their_own_program(provider: AwsProvider, program: dict[str, Any]) -> None:
    once = check(provider, TARGETS, program)
    assert once.failures == ()
    twice = check(provider, TARGETS, _program(once.inputs))
    assert twice.failures == ()
    assert paths(changes(provider, TARGETS, program, _program(once.inputs))) == []


@_quick
@given(before=target_groups, after=target_groups)
def test_a_diff_is_empty_exactly_when_no_property_that_counts_differs(
    provider: AwsProvider, before: dict[str, Any], after: dict[str, Any]
) -> None:
    found = changes(provider, TARGETS, before, after)
    assert {str(path[0]) for path in found.changes} <= {*before, *after, "tagsAll"}
    assert ("port" in found.replaced_fields) == (before["port"] != after["port"])
    assert (not found.changes) or before != after


@_quick
@given(order=zones, data=st.data())
def test_the_order_of_zones_is_no_change(
    provider: AwsProvider, order: list[str], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(order))
    assert paths(changes(provider, BALANCER, _mappings(order), _mappings(shuffled))) == []


@_quick
@given(old=zones, new=zones)
def test_a_load_balancer_is_replaced_exactly_when_a_zone_goes(
    provider: AwsProvider, old: list[str], new: list[str]
) -> None:
    found = changes(provider, BALANCER, _mappings(old), _mappings(new))
    assert bool(found.replaces) == (not set(old) <= set(new))
    assert bool(found.changes) == (set(old) != set(new))


@pytest.mark.parametrize("token", PROGRAMS)
def test_checking_again_with_last_times_inputs_changes_nothing(provider: AwsProvider, token: str) -> None:
    once = check(provider, token, PROGRAMS[token]).inputs
    assert check(provider, token, PROGRAMS[token], once).inputs == once
