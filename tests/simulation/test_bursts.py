"""Many changes and many calls at once: the first acts at once, the rest is collected and paced."""

import asyncio
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.errors import AwsError, ThrottledError
from syncer.reconcile.debounce import Debounce
from syncer.reconcile.rate_limit import READS, WRITES, Bucket
from tests.simulation.cluster import node
from tests.simulation.virtual import VirtualClock, run_virtually, virtually
from tests.simulation.world import PORTS, Replica, World, instance


async def collected(moments: list[float], lasts: float, spends: int = 0) -> list[float]:
    """When news was passed on of changes at these moments; each time costs so many calls."""
    loop = asyncio.get_running_loop()
    bucket, news = Bucket(WRITES), list[float]()

    def passed_on() -> None:
        news.append(round(loop.time(), 6))
        for _ in range(spends):
            bucket.take(loop.time())

    collector = Debounce(VirtualClock(), passed_on, lambda: bucket.left(loop.time()))
    task = asyncio.create_task(collector.run())
    for moment in sorted(moments):
        await asyncio.sleep(max(0.0, moment - loop.time()))
        collector.notify()
    await asyncio.sleep(lasts)
    task.cancel()
    return news


@virtually
async def test_a_change_after_a_rest_is_passed_on_at_once() -> None:
    assert await collected([1, 2, 3], 5, spends=4) == [1, 2, 3]


@virtually
async def test_while_calls_are_left_a_change_waits_for_20_ms_at_most() -> None:
    moments = [n / 10 for n in range(50)]
    assert await collected(moments, 5) == moments
    news = await collected([n / 1000 for n in range(300)], 5)
    assert all(later - earlier <= 0.021 for earlier, later in pairwise(news))


@virtually
async def test_windows_grow_as_calls_run_out_and_shrink_as_they_come_back() -> None:
    moments = [n / 100 for n in range(500)]
    news = await collected([*moments, *(moment + 10 for moment in moments)], 5, spends=4)
    windows = [later - earlier for earlier, later in pairwise(news)]
    assert windows[:2] == pytest.approx([0.04, 0.17], abs=0.03)
    assert max(windows[:8]) > 0.8
    again = next(n for n, when in enumerate(news) if when >= 10)
    assert windows[again] == pytest.approx(0.04, abs=0.01)
    spent = [when for when in news if when < 10]
    assert len(spent) <= (WRITES.burst + 5 * WRITES.a_second) / 4 + 1


@virtually
async def test_passes_that_take_long_leave_the_loop_two_thirds_of_the_time() -> None:
    class Slow(VirtualClock):
        """Three turns of the loop take 0.15 s: the passes of 20,000 nodes."""

        async def sleep(self, seconds: float) -> None:
            await asyncio.sleep(seconds or 0.05)

    loop, news = asyncio.get_running_loop(), list[float]()
    collector = Debounce(Slow(), lambda: news.append(loop.time()), lambda: 19.0)
    task = asyncio.create_task(collector.run())
    for _ in range(300):
        collector.notify()
        await asyncio.sleep(0.01)
    task.cancel()
    assert all(later - earlier == pytest.approx(0.45, abs=0.02) for earlier, later in pairwise(news))


@given(st.lists(st.floats(0, 6), min_size=1, max_size=60), st.integers(0, 20))
def test_no_change_waits_for_longer_than_a_second_and_none_is_lost(moments: list[float], calls: int) -> None:
    async def story() -> None:
        news = await collected(moments, 5, calls)
        for moment in moments:
            assert any(moment <= when + 1e-6 and when <= moment + 1.000002 for when in news)
        assert len(news) <= len(moments)

    run_virtually(story())


@given(st.lists(st.floats(0, 3), max_size=200), st.sampled_from([WRITES, READS]))
def test_a_bucket_lets_through_no_more_than_aws_does_and_nobody_waits_for_nothing(
    pauses: list[float], rate: Any
) -> None:
    bucket, now, taken = Bucket(rate), 100.0, list[float]()
    for pause in pauses:
        now += pause
        if wait := bucket.take(now):
            assert bucket.take(now + wait * 0.9) > 0
            now += wait
            assert bucket.take(now) == 0
        taken.append(now)
    for first, began in enumerate(taken):
        for last in range(first, len(taken)):
            assert last - first + 1 <= rate.burst + rate.a_second * (taken[last] - began) + 1e-3


def test_after_a_refusal_for_its_rate_a_bucket_is_empty() -> None:
    bucket = Bucket(WRITES)
    assert bucket.take(0.0) == 0
    bucket.empty(0.0)
    assert bucket.take(0.0) == 0.25


async def started(world: World) -> Replica:
    replica = world.replica()
    await world.until(lambda: world.filled_with(*_names(world)), within=20)
    await asyncio.sleep(60)
    return replica


def _names(world: World) -> list[str]:
    return [name for name, item in world.cluster.nodes.items() if not item["spec"]["taints"]]


def writes(replica: Replica) -> list[float]:
    return [when for when, operation, _, _ in replica.elb.log if operation in {"register", "deregister"}]


@virtually
async def test_five_thousand_nodes_are_registered_in_50_calls_at_aws_own_pace() -> None:
    world = World()
    for arn in PORTS:
        world.cloud.group(arn).quota = 5000
    world.join(*(f"n{n:04}" for n in range(5000)))
    replica = world.replica()
    await world.until(lambda: world.filled_with(*_names(world)), within=10)
    sent = writes(replica)
    assert len(sent) == 50
    for first, began in enumerate(sent):
        assert sum(began <= when <= began + 1 for when in sent[first:]) <= 20 + 4 + 1
    await replica.stop()


@virtually
async def test_a_node_that_leaves_while_its_registration_waits_for_its_turn_is_never_registered() -> None:
    world = World()
    for arn in PORTS:
        world.cloud.group(arn).quota = 5000
    world.join(*(f"n{n:04}" for n in range(2600)))
    replica = world.replica()
    await world.until(lambda: len(writes(replica)) > 20, within=10)
    last = max(world.cluster.nodes, key=instance)
    assert instance(last) not in {target.id for arn in PORTS for target in world.cloud.registered(arn)}
    world.cluster.put(node(last, instance(last), taints=["ToBeDeletedByClusterAutoscaler"]))
    await world.until(lambda: world.filled_with(*_names(world)), within=15)
    assert all(instance(last) not in {t.id for t in targets} for _, _, _, targets in replica.elb.log)
    await replica.stop()


@virtually
async def test_two_hundred_nodes_replaced_within_seconds_cost_few_calls() -> None:
    world = World()
    world.join(*(f"old{n:03}" for n in range(400)))
    replica = await started(world)
    before = len(writes(replica))
    for n in range(200):
        world.join(f"new{n:03}")
        world.cluster.delete(f"old{n:03}")
        await asyncio.sleep(0.0075)
    took = await world.until(lambda: world.filled_with(*_names(world)), within=5)
    assert took <= 0.7
    assert len(writes(replica)) - before <= 24
    await replica.stop()


@virtually
async def test_where_others_use_up_the_rate_nothing_is_sent_tightly() -> None:
    world = World()
    world.join("a", "b")
    replica = await started(world)
    throttled: AwsError = ThrottledError("RegisterTargets", "ThrottlingException", "Rate exceeded")
    replica.elb.faults += [throttled] * 6
    world.join("c")
    await world.until(lambda: world.filled_with("a", "b", "c"), within=60)
    sent = writes(replica)[-8:]
    assert len(sent) == 8
    assert sent[-1] - sent[0] > 2
    await replica.stop()


@virtually
async def test_after_a_throttled_call_a_group_is_read_seldom_until_a_minute_is_over() -> None:
    world = World()
    for arn in PORTS:
        world.cloud.group(arn).healthy_after = 200.0
    world.join("a", "b")
    replica = world.replica()
    await world.until(lambda: world.filled_with("a", "b"), within=20)
    await asyncio.sleep(10)
    throttled: AwsError = ThrottledError("RegisterTargets", "ThrottlingException", "Rate exceeded")
    replica.elb.faults += [throttled] * 2
    world.join("c")
    await world.until(lambda: world.filled_with("a", "b", "c"), within=20)
    assert await reads_within(replica, 50) <= 2 * 3
    await asyncio.sleep(40)
    assert await reads_within(replica, 50) >= 2 * 9
    await replica.stop()


async def reads_within(replica: Replica, seconds: float) -> int:
    before = len(replica.elb.log)
    await asyncio.sleep(seconds)
    return sum(operation == "describe" for _, operation, _, _ in replica.elb.log[before:])
