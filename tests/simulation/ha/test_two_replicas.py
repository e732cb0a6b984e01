"""Two replicas over one cloud and one Lease, on virtual time: who writes, and who takes over when."""

import asyncio
import random
from dataclasses import replace

import pytest

from syncer.decide.selector import Selector
from syncer.elb.adapter import BotoElb
from syncer.errors import AccessDeniedError, NotLeaderError, UnreachableError
from syncer.model import Target
from tests.simulation.virtual import run_virtually, virtually
from tests.simulation.world import HTTP, PORTS, Replica, World, instance


async def pair(world: World) -> tuple[Replica, Replica]:
    """The leader and the standby, both warm."""
    both = world.replica(elected=True), world.replica(elected=True)
    await world.until(lambda: any(each.leads for each in both), within=5)
    await world.until(lambda: all(each.unready() == "" for each in both), within=5)
    leader = next(each for each in both if each.leads)
    return leader, next(each for each in both if each is not leader)


@virtually
async def test_only_the_leader_writes_and_the_standby_is_ready_and_knows_the_same() -> None:
    world = World()
    world.join("a", "b", "c")
    leader, standby = await pair(world)
    await world.until(lambda: world.filled_with("a", "b", "c"), within=5)
    await asyncio.sleep(60)
    world.cluster.delete("a")
    world.join("d")
    await world.until(lambda: world.filled_with("b", "c", "d"), within=60)
    await asyncio.sleep(35)
    assert standby.elb.begun == []
    assert standby.unready() == ""
    known = [{**replica.controller.groups[0].observed.targets} for replica in (leader, standby)]
    assert known[0].keys() == known[1].keys()
    await leader.stop()
    await standby.stop()


@virtually
async def test_a_standby_stays_ready_when_the_world_and_not_its_settings_brings_a_hold() -> None:
    world = World()
    world.join("a", "b", "c", "d")
    leader, standby = await pair(world)
    await world.until(lambda: len(world.cloud.serving(HTTP)) == 4, within=60)
    await asyncio.sleep(40)
    for name in ("a", "b", "c"):
        world.cluster.delete(name)
    await asyncio.sleep(40)
    assert all(group.plan and group.plan.hold_id for group in standby.controller.groups)
    assert standby.unready() == ""
    assert "held as doubtful" in leader.unready()
    late = world.replica(elected=True)
    await asyncio.sleep(5)
    assert "held as doubtful" in late.unready()
    for each in (leader, standby, late):
        await each.stop()


@virtually
async def test_a_replica_with_a_wrong_selector_is_not_ready_whatever_may_be_removed() -> None:
    for ownership in ("tracked", "exclusive"):
        world = World({"NLB_SYNC_OWNERSHIP": ownership})
        world.join("a", "b", "c", "d")
        both = await pair(world)
        await world.until(lambda world=world: len(world.cloud.serving(HTTP)) == 4, within=60)  # type: ignore[misc]
        await asyncio.sleep(40)
        wrong = replace(world.settings, node_selector=Selector.parse("role=typo"))
        late = Replica(world, wrong, seed=9, once=False, elected=True)
        await asyncio.sleep(10)
        assert "held as doubtful" in late.unready(), ownership
        for each in (*both, late):
            await each.stop()


@virtually
async def test_a_standby_judges_nothing_before_it_has_read_the_record() -> None:
    world = World({"NLB_SYNC_OWNERSHIP": "tracked"})
    world.join("a", "b", "c", "d")
    both = await pair(world)
    await world.until(lambda: len(world.cloud.serving(HTTP)) == 4, within=60)
    await asyncio.sleep(40)
    world.stored.away = True
    wrong = replace(world.settings, node_selector=Selector.parse("role=typo"))
    late = Replica(world, wrong, seed=9, once=False, elected=True)
    for _ in range(10):
        await asyncio.sleep(1)
        assert "no pass has ended yet" in late.unready()
    world.stored.away = False
    await asyncio.sleep(3)
    assert "held as doubtful" in late.unready()
    for each in (*both, late):
        await each.stop()


@virtually
async def test_a_replica_that_doubts_everything_leads_only_where_no_other_does() -> None:
    for seed in range(8):
        world = World()
        world.join("a", "b", "c", "d")
        leader, standby = await pair(world)
        await world.until(lambda world=world: len(world.cloud.serving(HTTP)) == 4, within=60)  # type: ignore[misc]
        await asyncio.sleep(40)
        wrong = replace(world.settings, node_selector=Selector.parse("role=typo"))
        late = Replica(world, wrong, seed=100 + seed, once=False, elected=True)
        await asyncio.sleep(10 + seed / 3)
        await (leader.stop if seed % 2 else leader.kill)()
        await world.until(lambda standby=standby: bool(standby.leads), within=15)  # type: ignore[misc]
        await standby.kill()
        await world.until(lambda late=late: bool(late.leads), within=20)  # type: ignore[misc]
        await late.stop()


@virtually
async def test_a_change_waits_at_most_15_seconds_for_the_heir_of_a_killed_leader() -> None:
    world = World()
    world.join("a", "b")
    leader, standby = await pair(world)
    await world.until(lambda: world.filled_with("a", "b"), within=5)
    await asyncio.sleep(31.5)
    await leader.kill()
    world.join("c")
    assert await world.until(lambda: world.filled_with("a", "b", "c"), within=15) > 5
    await standby.stop()


@virtually
async def test_a_change_waits_at_most_2_seconds_for_the_successor_of_a_stopped_leader() -> None:
    world = World()
    world.join("a", "b")
    leader, standby = await pair(world)
    await world.until(lambda: world.filled_with("a", "b"), within=5)
    await asyncio.sleep(31.5)
    await leader.stop()
    world.join("c")
    await world.until(lambda: world.filled_with("a", "b", "c"), within=2)
    await standby.stop()


@virtually
async def test_the_call_in_flight_ends_before_the_lease_is_released() -> None:
    world = World()
    world.join("a", "b")
    leader, standby = await pair(world)
    await world.until(lambda: world.filled_with("a", "b"), within=5)
    world.cloud.latency = 3.0
    world.join("c")
    await world.until(lambda: len(leader.elb.begun) == 4, within=5)
    stopping = asyncio.create_task(leader.stop())
    while not stopping.done():
        assert not standby.leads
        await asyncio.sleep(0.05)
    assert world.filled_with("a", "b", "c")
    await standby.stop()


@virtually
async def test_a_new_leader_reads_each_group_before_it_writes() -> None:
    world = World()
    world.join("a", "b", "c")
    leader, standby = await pair(world)
    await world.until(lambda: len(world.cloud.serving(HTTP)) == 3, within=60)
    await asyncio.sleep(35)
    await leader.kill()
    # Behind the back of both: what the standby read last says that all three are there.
    world.cloud.deregister(HTTP, [Target(instance("a"), PORTS[HTTP])])
    await asyncio.sleep(5)
    standby.elb.log.clear()
    await world.until(lambda: standby.leads, within=15)
    await world.until(lambda: bool(standby.elb.begun), within=1)
    since = min(when for when, _ in standby.elb.begun)
    group = standby.elb.begun[0][1]
    reads = [when for when, operation, arn, _ in standby.elb.log if operation == "describe" and arn == group]
    assert any(when < since for when in reads)
    await world.until(lambda: world.filled_with("a", "b", "c"), within=5)
    await standby.stop()


@virtually
async def test_a_new_leader_tells_anew_what_is_held_for_a_standby_tells_nobody() -> None:
    world = World({"NLB_SYNC_OWNERSHIP": "tracked"})
    world.join("a")
    world.cloud.launch(instance("stranger"))
    world.cloud.register(HTTP, [Target(instance("stranger"), PORTS[HTTP])])
    leader, standby = await pair(world)
    await asyncio.sleep(60)
    assert "HeldForeign" in leader.events.of()
    assert standby.events.of() == {}
    await leader.kill()
    await world.until(lambda: "HeldForeign" in standby.events.of(), within=20)
    await standby.stop()


@virtually
async def test_while_the_api_server_is_away_longer_than_the_lease_nobody_writes() -> None:
    world = World()
    world.join("a", "b")
    both = await pair(world)
    await world.until(lambda: world.filled_with("a", "b"), within=5)
    await asyncio.sleep(31)
    world.lease.away = True
    await asyncio.sleep(6.5)
    for each in both:
        each.elb.begun.clear()
    world.cloud.deregister(HTTP, [Target(instance("a"), PORTS[HTTP])])
    await asyncio.sleep(120)
    assert [each.elb.begun for each in both] == [[], []]
    assert all("no answer" in each.leadership.problem for each in both)
    world.lease.away = False
    await world.until(lambda: world.filled_with("a", "b"), within=15)
    for each in both:
        await each.stop()


async def _frozen_once(chance: random.Random) -> None:
    """Freeze the leader at a random moment of a change, let the other lead, and let it go on."""
    world = World()
    world.join("a", "b", "c")
    leader, standby = await pair(world)
    await world.until(lambda: world.filled_with("a", "b", "c"), within=5)
    await asyncio.sleep(chance.uniform(0, 4))
    world.join("d", "e")
    await asyncio.sleep(chance.choice([0.0, chance.uniform(0, 0.13), chance.uniform(0, 3)]))
    leader.frost.freeze()
    begun, arrived = len(leader.elb.begun), len(leader.elb.arrived)
    await world.until(lambda: standby.leads, within=15)
    world.cluster.delete("a")
    world.join("f")
    await asyncio.sleep(chance.uniform(0, 5))
    leader.frost.thaw()
    for _ in range(30):
        assert not (leader.leads and standby.leads)
        await asyncio.sleep(0.1)
    assert len(leader.elb.begun) == begun
    late = [group for _, group in leader.elb.arrived[arrived:]]
    assert len(late) == len(set(late)), "more than one old call to a group"
    await world.until(lambda: world.filled_with("b", "c", "d", "e", "f"), within=90)
    await leader.kill()
    await standby.kill()


def test_of_a_leader_frozen_at_200_moments_one_old_call_arrives_at_most_and_none_begins() -> None:
    chance = random.Random(9)  # noqa: S311
    for _ in range(200):
        run_virtually(_frozen_once(chance))


@virtually
async def test_without_the_right_to_a_lease_it_fills_the_groups_all_the_same() -> None:
    world = World()
    world.lease.denied = True
    world.join("a", "b")
    replica = world.replica(elected=True)
    await world.until(lambda: world.filled_with("a", "b"), within=2)
    assert "every replica writes" in replica.leadership.problem
    await replica.stop()


@virtually
async def test_an_election_that_is_decided_during_a_first_read_that_fails_holds_nothing_up() -> None:
    world = World()
    world.lease.denied = True
    world.join("a")
    replica = world.replica(elected=True)
    denied = AccessDeniedError("DescribeTargetHealth", "AccessDenied", "", "DescribeTargetHealth")
    replica.elb.broken.update({("describe", arn): denied for arn in PORTS})
    await world.until(lambda: world.filled_with("a"), within=2)
    await replica.stop()


def test_botocore_sends_no_write_without_the_right_to_and_any_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2", "http://127.0.0.1:9")
    called: list[tuple[str, str]] = []
    allowed = [False]
    elb = BotoElb(
        [HTTP],
        access_key="key",
        secret_key="secret",
        called=lambda operation, code: called.append((operation, code)),
        may_write=lambda: allowed[0],
    )

    async def story() -> None:
        target = Target(instance("a"), 30080)
        with pytest.raises(NotLeaderError, match="RegisterTargets"):
            await elb.register(HTTP, [target])
        with pytest.raises(NotLeaderError, match="DeregisterTargets"):
            await elb.deregister(HTTP, [target])
        assert called == []
        with pytest.raises(UnreachableError):
            await elb.describe(HTTP)
        allowed[0] = True
        with pytest.raises(UnreachableError):
            await elb.register(HTTP, [target])

    asyncio.run(story())
    elb.close()
