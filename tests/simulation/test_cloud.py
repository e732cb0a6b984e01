"""The simulation's use of the rules for targets: its attributes, the syncer's errors, and calls on the wire.

The rules have their tests in tests/unit/elbv2.
"""

import asyncio
import math

import pytest

from syncer.errors import (
    AwsError,
    InvalidTargetError,
    TargetGroupNotFoundError,
    ThrottledError,
    TooManyRegistrationsError,
    TooManyTargetsError,
    UnreachableError,
)
from syncer.model import Target, TargetGroupArn
from tests.simulation.cloud import MemoryCloud
from tests.simulation.elb import MemoryElb
from tests.simulation.virtual import run_virtually, virtually
from tests.simulation.world import HTTP, HTTPS, instance

A, B, C = (Target(instance(name), 30080) for name in "abc")


def a_cloud() -> MemoryCloud:
    cloud = MemoryCloud([HTTP, HTTPS])
    for target in (A, B):
        cloud.launch(target.id)
    return cloud


def said(cloud: MemoryCloud, target: Target = A) -> tuple[str, str]:
    return next((h.state, h.reason) for h in cloud.healths(HTTP) if h.target == target)


@virtually
async def test_health_follows_the_instance_the_zone_the_listener_and_aws_itself() -> None:
    cloud = a_cloud()
    cloud.register(HTTP, [A])
    await asyncio.sleep(30)
    cloud.sick.add(A.id)
    assert said(cloud) == ("unhealthy", "Target.FailedHealthChecks")
    cloud.group(HTTP).lingering_s = math.inf
    assert said(cloud)[0] == "unhealthy.draining"
    cloud.confused = True
    assert said(cloud) == ("unavailable", "Elb.InternalError")
    cloud.zones = {"eu-central-1b"}
    assert said(cloud) == ("unused", "Target.NotInUse")
    cloud.zones, cloud.group(HTTP).listening = None, False
    assert said(cloud) == ("unused", "Target.NotInUse")
    del cloud.running[A.id]
    assert said(cloud) == ("unused", "Target.InvalidState")


@virtually
async def test_one_bad_target_refuses_the_whole_call_and_the_message_may_name_it() -> None:
    cloud = a_cloud()
    with pytest.raises(InvalidTargetError) as refused:
        cloud.register(HTTP, [A, C])
    assert refused.value.ids == {C.id}
    cloud.names_refused = False
    cloud.crowded.add(B.id)
    with pytest.raises(TooManyRegistrationsError) as silent:
        cloud.register(HTTP, [A, B])
    assert silent.value.ids == frozenset()
    assert cloud.registered(HTTP) == set()


@virtually
async def test_a_group_and_a_load_balancer_are_full_at_their_quotas() -> None:
    cloud = a_cloud()
    cloud.group(HTTP).quota = 1
    cloud.register(HTTP, [A])
    with pytest.raises(TooManyTargetsError):
        cloud.register(HTTP, [B])
    cloud.deregister(HTTP, [A])
    with pytest.raises(TooManyTargetsError):
        cloud.register(HTTP, [B])
    cloud.draining_counts = False
    cloud.register(HTTP, [B])
    cloud.group(HTTP).quota, cloud.quota = 9, 2
    cloud.register(HTTPS, [A])
    with pytest.raises(TooManyTargetsError):
        cloud.register(HTTPS, [B])


@virtually
async def test_writes_share_a_bucket_of_20_that_fills_by_4_a_second() -> None:
    cloud = a_cloud()
    cloud.latency = 0.0
    elb = MemoryElb(cloud)

    async def writes(count: int) -> int:
        calls = [elb.deregister(HTTP, [A]) if n % 2 else elb.register(HTTPS, [A]) for n in range(count)]
        ended = await asyncio.gather(*calls, return_exceptions=True)
        return sum(isinstance(each, ThrottledError) for each in ended)

    assert await writes(25) == 5
    await asyncio.sleep(1)
    assert await writes(5) == 1
    assert await asyncio.gather(*(elb.describe(HTTP) for _ in range(50)))
    assert cloud.throttled["register"] + cloud.throttled["deregister"] == 6


@pytest.mark.parametrize("count", [0, 201])
def test_a_call_takes_1_to_200_targets(count: int) -> None:
    async def story() -> None:
        cloud = a_cloud()
        targets = [Target(instance(f"n{n}"), 30080) for n in range(count)]
        for call in (cloud.register, cloud.deregister):
            with pytest.raises(AwsError, match="ValidationError"):
                call(HTTP, targets)

    run_virtually(story())


@virtually
async def test_a_group_that_does_not_exist_is_not_found_by_any_call() -> None:
    elb = MemoryElb(a_cloud())
    absent = TargetGroupArn("arn:absent")
    for call in (elb.describe(absent), elb.register(absent, [A]), elb.deregister(absent, [A])):
        with pytest.raises(TargetGroupNotFoundError):
            await call


@virtually
async def test_an_answer_may_be_lost_and_a_killed_process_sends_what_is_on_the_wire() -> None:
    cloud = a_cloud()
    elb = MemoryElb(cloud)
    elb.lost["register", HTTP] = UnreachableError("RegisterTargets", "ReadTimeout", "no answer")
    with pytest.raises(UnreachableError):
        await elb.register(HTTP, [A])
    assert cloud.registered(HTTP) == {A}
    sent = asyncio.create_task(elb.register(HTTPS, [B]))
    await asyncio.sleep(0.01)
    sent.cancel()
    await asyncio.sleep(1)
    assert cloud.registered(HTTPS) == {B}
