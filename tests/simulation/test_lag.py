"""DescribeTargetHealth lags behind the syncer's own writes: each is sent once, and nodes leave in time."""

import asyncio
from collections.abc import Mapping
from functools import partial

import pytest

from syncer.decide.listing import Listing
from syncer.model import InstanceId, Target, TargetHealth, TargetState
from syncer.reconcile.own_writes import LAG_S, OwnWrites, Undone
from tests.simulation import lag
from tests.simulation.cluster import node
from tests.simulation.lives.faults import FAULTS
from tests.simulation.virtual import run_virtually, virtually
from tests.simulation.world import HTTP, HTTPS, PORTS, Replica, World, instance

LAGS = {
    "14 s": lag.fixed(14.0),
    "50 s": lag.fixed(50.0),
    "one group": lag.per_group({HTTP: 40.0}),
    "by chance": lag.at_random(50.0, seed=8),
}
_EXCLUDED = "node.kubernetes.io/exclude-from-external-load-balancers"
ONE = Target(InstanceId("i-0123456789abcdef0"), 30080)


def listed(state: TargetState) -> dict[Target, TargetHealth]:
    return {ONE: TargetHealth(target=ONE, state=state)}


def conflicts(replica: Replica) -> list[str]:
    return [each["cause"] for group in replica.status()["groups"] for each in group["contested"]]


def _leads(replica: Replica) -> bool:
    return replica.leads


def taint(world: World, *names: str) -> None:
    for name in names:
        world.cluster.put(node(name, instance(name), taints=["ToBeDeletedByClusterAutoscaler"]))


@pytest.mark.parametrize("kind", LAGS)
def test_b4_a_node_joins_by_one_write_and_leaves_by_one_and_no_conflict_is_reported(kind: str) -> None:
    async def story() -> None:
        world = World()
        world.cloud.lag = LAGS[kind]
        world.join("a", "b", "c")
        replica = world.replica()
        await asyncio.sleep(120)
        assert world.cloud.serving(HTTP) == world.targets("a", "b", "c")
        assert world.cloud.calls["register"] == 2
        taint(world, "a")
        await world.until(lambda: world.filled_with("b", "c"), within=5)
        await asyncio.sleep(120)
        assert world.cloud.calls["deregister"] == 2
        assert world.cloud.calls["register"] == 2
        assert conflicts(replica) == []
        assert "contested" not in {event.reason.lower() for event in replica.events.writes}
        await replica.stop()

    run_virtually(story())


@pytest.mark.parametrize("kind", LAGS)
def test_b4_a_node_that_is_told_to_go_soon_after_it_came_leaves_in_time(kind: str) -> None:
    async def story() -> None:
        world = World()
        world.cloud.lag = LAGS[kind]
        world.join("a", "b", "c", "d")
        replica = world.replica()
        await asyncio.sleep(8)
        taint(world, "a")
        # A deadline waits a minute at most for the share; then the reads show who serves.
        await world.until(lambda: world.filled_with("b", "c", "d"), within=60 + 50 + 5)
        await asyncio.sleep(120)
        assert world.filled_with("b", "c", "d")
        assert conflicts(replica) == []
        await replica.stop()

    run_virtually(story())


@pytest.mark.parametrize("kind", LAGS)
def test_b4_a_changed_port_moves_every_target_once(kind: str) -> None:
    async def story() -> None:
        world = World()
        world.cloud.lag = LAGS[kind]
        world.join("a", "b", "c")
        replica = world.replica()
        await asyncio.sleep(120)
        world.cluster.expose("ingress-traefik/traefik-ingress-service-nlb", "http", 31000)
        moved = {Target(instance(name), 31000) for name in "abc"}
        await world.until(lambda: world.cloud.registered(HTTP) == moved, within=100)
        await asyncio.sleep(120)
        assert world.cloud.registered(HTTP) == moved
        # Two groups filled, one moved; its old targets leave as their successors are shown.
        assert world.cloud.calls["register"] == 3
        assert world.cloud.calls["deregister"] <= 3
        assert conflicts(replica) == []
        await replica.stop()

    run_virtually(story())


def test_b4_a_read_that_goes_back_in_time_takes_nothing_back() -> None:
    writes = OwnWrites()
    known: Mapping[Target, TargetHealth] = {}
    writes.wrote(ONE, None, 0.0, registered=True)
    for at, shown, state in (
        (5.0, {}, TargetState.INITIAL),
        (20.0, listed(TargetState.HEALTHY), TargetState.HEALTHY),
        (25.0, {}, TargetState.HEALTHY),
        (59.0, {}, TargetState.HEALTHY),
    ):
        known, undone = writes.read(at, shown, Listing(known))
        assert (known[ONE].state, undone) == (state, [])
    writes.wrote(ONE, known[ONE], 59.0, registered=False)
    for at, shown in ((59.5, listed(TargetState.HEALTHY)), (59.7, {}), (118.0, listed(TargetState.HEALTHY))):
        known, undone = writes.read(at, shown, Listing(known or listed(TargetState.DRAINING)))
        assert ([health.state for health in known.values()], undone) == ([TargetState.DRAINING], [])


def test_b4_after_a_minute_the_read_is_believed_in_both_directions() -> None:
    for registered, shown in ((True, {}), (False, listed(TargetState.HEALTHY))):
        writes = OwnWrites()
        writes.wrote(ONE, None, 0.0, registered=registered)
        known, undone = writes.read(LAG_S, shown, Listing())
        assert (known, undone) == (shown, [Undone(ONE, registered)])


def test_b4_a_target_that_begins_to_drain_was_deregistered_by_another_writer() -> None:
    writes = OwnWrites()
    writes.wrote(ONE, None, 0.0, registered=True)
    known, undone = writes.read(5.0, listed(TargetState.DRAINING), Listing())
    assert (known[ONE].state, undone) == (TargetState.DRAINING, [Undone(ONE, registered=True)])
    # Registered again it may still be shown as it was: that proves nothing for a minute.
    writes.wrote(ONE, known[ONE], 6.0, registered=True)
    known, undone = writes.read(40.0, listed(TargetState.DRAINING), Listing(known))
    assert (known[ONE].state, undone) == (TargetState.INITIAL, [])
    assert writes.read(66.0, listed(TargetState.DRAINING), Listing(known))[1] == [
        Undone(ONE, registered=True)
    ]


@virtually
async def test_b4_lag_beyond_a_minute_is_reported_as_lag_and_keeps_no_announced_removal() -> None:
    world = World()
    world.join("a", "b", "c")
    replica = world.replica()
    world.cloud.lag = lag.fixed(100_000.0)
    await world.until(lambda: bool(conflicts(replica)), within=400)
    assert {cause.partition(":")[0] for cause in conflicts(replica)} == {"AWS lag"}
    assert world.cloud.calls["register"] <= 2 * 4
    world.cloud.lag = lag.none
    await asyncio.sleep(35)
    taint(world, "a")
    await world.until(lambda: world.filled_with("b", "c"), within=5)
    assert conflicts(replica)
    await replica.stop()


@virtually
async def test_b4_what_aws_lost_is_written_again_after_a_minute() -> None:
    world = World()
    world.join("a", "b", "c")
    replica = world.replica()
    await asyncio.sleep(3)
    for arn in PORTS:
        world.cloud.groups[arn].targets.remove(
            Target(instance("a"), PORTS[arn]), asyncio.get_running_loop().time()
        )
    assert await world.until(lambda: world.filled_with("a", "b", "c"), within=95) > 50
    assert conflicts(replica) == []
    await replica.stop()


@virtually
async def test_b4_a_new_leader_whose_reads_lag_takes_no_serving_target() -> None:
    """The old leader has deregistered a; the new one is shown a and b, and now b is to leave first."""
    for seed in range(5):
        world = World()
        world.join("a", "b")
        both = [world.replica(elected=True), world.replica(elected=True)]
        await asyncio.sleep(90)
        leader = next(each for each in both if each.leads)
        world.cloud.lag = lag.at_random(50.0, seed) if seed else lag.fixed(50.0)
        world.cluster.put(node("a", instance("a"), cordoned=False, labels={_EXCLUDED: "true"}))
        await world.until(partial(world.filled_with, "b"), within=5)
        await leader.kill()
        taint(world, "b")
        heir = next(each for each in both if each is not leader)
        await world.until(partial(_leads, heir), within=15)
        for _ in range(150):
            await asyncio.sleep(1)
            for arn in PORTS:
                assert world.cloud.registered(arn) == world.targets("b", arn=arn)
        assert conflicts(heir) == []
        await heir.stop()


@virtually
async def test_b4_a_removal_without_an_answer_counts_as_done_while_reads_lag() -> None:
    """AWS carried it out, the read shows a as healthy still: b must not follow."""
    world = World()
    world.join("a", "b")
    replica = world.replica()
    await asyncio.sleep(90)
    world.cloud.lag = lag.fixed(50.0)
    for arn in PORTS:
        replica.elb.lost["deregister", arn] = FAULTS["silent"]("DeregisterTargets")
    world.cluster.put(node("a", instance("a"), labels={_EXCLUDED: "true"}))
    await world.until(lambda: world.filled_with("b"), within=5)
    world.join("a")
    taint(world, "b")
    replica.elb.lost.clear()
    for _ in range(45):
        await asyncio.sleep(1)
        assert world.targets("b") <= world.cloud.registered(HTTP)
    await world.until(lambda: world.filled_with("a"), within=200)
    await replica.stop()


@virtually
async def test_b4_a_new_leader_strikes_off_no_target_that_aws_does_not_show_yet() -> None:
    world = World({"NLB_SYNC_OWNERSHIP": "tracked"})
    world.join("a", "b")
    both = [world.replica(elected=True), world.replica(elected=True)]
    await asyncio.sleep(90)
    leader = next(each for each in both if each.leads)
    heir = next(each for each in both if each is not leader)
    world.cloud.lag = lag.fixed(50.0)
    world.join("c")
    await world.until(lambda: world.filled_with("a", "b", "c"), within=5)
    await leader.kill()
    world.cluster.delete("c")
    await world.until(lambda: heir.leads, within=15)
    await world.until(lambda: world.filled_with("a", "b"), within=120)
    await heir.stop()


@virtually
async def test_b4_a_full_group_is_not_emptied_for_a_limit_that_was_learnt_from_a_lagging_read() -> None:
    names = [f"n{number}" for number in range(8)]
    world = World()
    for arn in PORTS:
        world.cloud.groups[arn].quota = 8
    world.cloud.draining_counts = False
    world.join(*names[:5])
    both = [world.replica(elected=True), world.replica(elected=True)]
    await asyncio.sleep(90)
    leader = next(each for each in both if each.leads)
    heir = next(each for each in both if each is not leader)
    world.cloud.lag = lag.fixed(50.0)
    world.join(*names[5:])
    await world.until(lambda: len(world.cloud.registered(HTTP)) == 8, within=5)
    await leader.kill()
    world.join("x", "y", "z")
    await world.until(lambda: heir.leads, within=15)
    for _ in range(200):
        await asyncio.sleep(1)
        assert len(world.cloud.registered(HTTP)) == len(world.cloud.registered(HTTPS)) == 8
    await heir.stop()


@virtually
async def test_l5_two_replicas_that_lead_in_turn_are_no_conflict() -> None:
    world = World()
    world.join("a", "b", "c")
    both = [world.replica(elected=True), world.replica(elected=True)]
    await asyncio.sleep(90)
    for turn in range(8):
        leader = next(each for each in both if each.leads)
        heir = next(each for each in both if each is not leader)
        leader.leases.cut = True
        await world.until(partial(_leads, heir), within=20)
        leader.leases.cut = False
        labels = {} if turn % 2 else {_EXCLUDED: "true"}
        world.cluster.put(node("a", instance("a"), labels=labels))
        await asyncio.sleep(40)
        assert (world.targets("a") <= world.cloud.registered(HTTP)) is bool(turn % 2)
    assert [conflicts(each) for each in both] == [[], []]
    for each in both:
        await each.stop()
