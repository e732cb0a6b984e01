"""The bench's AWS keeps the rules by which contenders live, and notes what it was asked."""

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from bench.cloud import CloudClient
from tests.waiting import eventually

if TYPE_CHECKING:
    from types_boto3_elbv2 import ElasticLoadBalancingv2Client

ARN = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/http/0123456789abcdef"
OTHER = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/https/0123456789abcdef"
GHOST = "i-00000000000000bad"


def instance(number: int) -> str:
    return f"i-{number:017x}"


def begin(cloud: CloudClient, *, running: int = 3, stopped: int = 0, **said: Any) -> list[str]:
    """Two groups and instances; the running ones."""
    states = {instance(number): "running" for number in range(running)}
    stopping = {instance(running + number): "stopped" for number in range(stopped)}
    world: dict[str, Any] = {"targets": {}, "limited": False, "healthy_after": 0.0, "drain": 300.0, **said}
    cloud.reset({ARN: 80, OTHER: 443}, {**states, **stopping}, **world)
    return list(states)


def states(elb: "ElasticLoadBalancingv2Client", *targets: tuple[str, int]) -> dict[tuple[str, int], str]:
    asked: Any = {"Targets": [{"Id": name, "Port": port} for name, port in targets]} if targets else {}
    answer = elb.describe_target_health(TargetGroupArn=ARN, **asked)["TargetHealthDescriptions"]
    return {(each["Target"]["Id"], each["Target"]["Port"]): each["TargetHealth"]["State"] for each in answer}


def register(elb: "ElasticLoadBalancingv2Client", *names: str, port: int = 30080) -> None:
    elb.register_targets(TargetGroupArn=ARN, Targets=[{"Id": name, "Port": port} for name in names])


def deregister(elb: "ElasticLoadBalancingv2Client", *names: str, port: int = 30080) -> None:
    elb.deregister_targets(TargetGroupArn=ARN, Targets=[{"Id": name, "Port": port} for name in names])


def test_a_registered_target_is_initial_then_healthy(
    cloud: CloudClient, elb: "ElasticLoadBalancingv2Client"
) -> None:
    one, *_ = begin(cloud, healthy_after=0.5)
    register(elb, one)
    assert states(elb) == {(one, 30080): "initial"}
    eventually(lambda: states(elb) == {(one, 30080): "healthy"}, within=5, every=0.05)


def test_a_deregistered_target_drains_then_is_gone(
    cloud: CloudClient, elb: "ElasticLoadBalancingv2Client"
) -> None:
    one, two, _ = begin(cloud, drain=0.5)
    register(elb, one, two)
    deregister(elb, one)
    assert states(elb)[one, 30080] == "draining"
    eventually(lambda: states(elb) == {(two, 30080): "healthy"}, within=5, every=0.05)


def test_deregistering_what_is_not_registered_succeeds(
    cloud: CloudClient, elb: "ElasticLoadBalancingv2Client"
) -> None:
    one, *_ = begin(cloud)
    deregister(elb, one, GHOST)
    assert states(elb) == {}
    assert states(elb, (one, 30080)) == {(one, 30080): "unused"}


@pytest.mark.parametrize(
    ("culprit", "message"),
    [
        (GHOST, f"The following instances do not exist: '{GHOST}'"),
        (
            instance(3),
            f"The following targets are not in a running state and cannot be registered: '{instance(3)}'",
        ),
    ],
)
def test_one_bad_instance_refuses_the_whole_call(
    cloud: CloudClient, elb: "ElasticLoadBalancingv2Client", culprit: str, message: str
) -> None:
    one, two, _ = begin(cloud, stopped=1)
    with pytest.raises(ClientError) as refused:
        register(elb, one, culprit, two)
    assert refused.value.response["Error"]["Code"] == "InvalidTarget"
    assert refused.value.response["Error"]["Message"] == message
    assert states(elb) == {}


def test_an_instance_that_starts_can_be_registered(
    cloud: CloudClient, elb: "ElasticLoadBalancingv2Client"
) -> None:
    begin(cloud, stopped=1)
    cloud.set(instances={instance(3): "running"})
    register(elb, instance(3))
    assert states(elb) == {(instance(3), 30080): "healthy"}


def test_a_target_whose_instance_stops_is_unused(
    cloud: CloudClient, elb: "ElasticLoadBalancingv2Client"
) -> None:
    one, two, _ = begin(cloud)
    register(elb, one, two)
    cloud.set(instances={one: "terminated"})
    assert states(elb) == {(one, 30080): "unused", (two, 30080): "healthy"}


def test_a_group_that_does_not_exist_is_not_found(
    cloud: CloudClient, elb: "ElasticLoadBalancingv2Client"
) -> None:
    begin(cloud)
    with pytest.raises(ClientError, match="TargetGroupNotFound"):
        elb.describe_target_health(TargetGroupArn=ARN + "f")


def test_the_groups_tell_their_own_ports(cloud: CloudClient, elb: "ElasticLoadBalancingv2Client") -> None:
    begin(cloud)
    groups = elb.describe_target_groups(TargetGroupArns=[ARN, OTHER])["TargetGroups"]
    assert [(each["TargetType"], each["Port"]) for each in groups] == [("instance", 80), ("instance", 443)]


def test_writes_beyond_a_burst_of_20_are_throttled_and_reads_are_not(
    cloud: CloudClient, elb: "ElasticLoadBalancingv2Client"
) -> None:
    one, *_ = begin(cloud, limited=True)
    for _ in range(25):
        with suppress(ClientError):
            register(elb, one)  # boto3 tries a throttled call again by itself
        states(elb)
    calls = cloud.calls(0, 0.0)
    writes = [call.code for call in calls if call.operation == "RegisterTargets"]
    assert writes[:20] == ["ok"] * 20
    assert "ThrottlingException" in writes[20:]
    assert {call.code for call in calls if call.operation == "DescribeTargetHealth"} == {"ok"}


def test_a_share_of_all_calls_is_throttled_when_asked(
    cloud: CloudClient, elb: "ElasticLoadBalancingv2Client"
) -> None:
    begin(cloud)
    cloud.set(throttled=1.0)
    with pytest.raises(ClientError, match="ThrottlingException"):
        states(elb)
    cloud.set(throttled=0.0)
    assert states(elb) == {}


def test_every_call_is_noted_with_its_moment_targets_and_answer(
    cloud: CloudClient, elb: "ElasticLoadBalancingv2Client"
) -> None:
    one, *_ = begin(cloud)
    before = time.monotonic()
    register(elb, one)
    with pytest.raises(ClientError):
        register(elb, GHOST)
    cloud.remove(ARN, [(one, 30080)])
    after = time.monotonic()
    calls = cloud.calls(0, 1.0)
    assert [(call.operation, call.group, call.targets, call.code) for call in calls] == [
        ("RegisterTargets", ARN, ((one, 30080),), "ok"),
        ("RegisterTargets", ARN, ((GHOST, 30080),), "InvalidTarget"),
        ("removed by hand", ARN, ((one, 30080),), "ok"),
    ]
    assert [before, *sorted(call.at for call in calls), after] == [
        before,
        *(call.at for call in calls),
        after,
    ]
    assert states(elb) == {(one, 30080): "draining"}
