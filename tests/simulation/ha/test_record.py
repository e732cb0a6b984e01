"""The ownership record on virtual time: what is stored when, what a loss of it costs, and confirmations."""

import asyncio

import pytest

from syncer.errors import ClusterError
from syncer.model import InstanceId, Target, TargetGroupArn
from syncer.reconcile.confirmations import confirm
from syncer.reconcile.registry import Registry
from syncer.reconcile.registry_format import COUNT, key_of, shard_key
from tests.simulation.cluster import node
from tests.simulation.records import MemoryRecord, MemoryRecords
from tests.simulation.virtual import EPOCH, VirtualClock, virtually
from tests.simulation.world import HTTP, HTTPS, PORTS, SERVICE, Replica, World, instance


def tracked() -> World:
    return World({"NLB_SYNC_OWNERSHIP": "tracked"})


def stored(world: World, arn: TargetGroupArn = HTTP) -> frozenset[Target]:
    return world.stored.targets(arn)


async def settled(world: World, *names: str) -> Replica:
    """A replica that has filled both groups, all of them healthy."""
    replica = world.replica(elected=True)
    await world.until(lambda: len(world.cloud.serving(HTTP)) == len(names), within=90)
    await asyncio.sleep(10)
    return replica


@virtually
async def test_what_another_writer_has_spoilt_in_the_record_stops_nobody() -> None:
    world = tracked()
    spoilt = {
        key_of(HTTP): "\u00b2 00ab",
        shard_key(""): "\u00b2 00ab\n, 00ab\nx:\u00b2 00cd",
        shard_key("010"): "",
        COUNT: "\u00b2",
        "confirmed.0123456789ab": "\u00b2",
        "confirmed.ba": "1" * 5000,
    }
    await MemoryRecords(world.stored).write(spoilt, "")
    world.join("a", "b")
    replica = await settled(world, "a", "b")
    assert stored(world) == world.targets("a", "b")
    await replica.stop()


@virtually
async def test_a_target_is_recorded_before_it_is_registered_at_one_write_for_both_groups() -> None:
    world = tracked()
    world.join("a", "b")
    replica = await settled(world, "a", "b")
    before = len(world.stored.writes)
    world.join("c")
    while not world.cloud.registered(HTTP) >= world.targets("c"):
        if any(when > 30 for when, _ in replica.elb.begun[4:]):
            assert stored(world) >= world.targets("c")
        await asyncio.sleep(0.001)
    assert stored(world) == world.targets("a", "b", "c")
    assert stored(world, HTTPS) == world.targets("a", "b", "c", arn=HTTPS)
    assert len(world.stored.writes) == before + 1
    await asyncio.sleep(600)
    assert len(world.stored.writes) == before + 1, "a steady state writes nothing"
    await replica.stop()


@virtually
async def test_a_node_is_recorded_while_it_joins_so_that_nothing_is_written_when_it_turns_ready() -> None:
    world = tracked()
    world.join("a", "b")
    replica = await settled(world, "a", "b")
    world.cloud.launch(instance("c"))
    world.cluster.put(node("c", instance("c"), ready=False))
    world.cluster.put(node("d", instance("d"), ready=False))
    await asyncio.sleep(10)
    assert stored(world) == world.targets("a", "b", "c", "d")
    before = len(world.stored.writes)
    world.join("c")
    await world.until(lambda: world.filled_with("a", "b", "c"), within=1)
    world.cluster.delete("d")
    assert len(world.stored.writes) == before
    await world.until(lambda: stored(world) == world.targets("a", "b", "c"), within=10)
    await replica.stop()


@virtually
async def test_a_target_is_struck_off_when_it_is_gone_and_not_before() -> None:
    world = tracked()
    world.join("a", "b", "c", "d")
    replica = await settled(world, "a", "b", "c", "d")
    world.cluster.delete("a")
    await world.until(lambda: world.cloud.registered(HTTP) == world.targets("b", "c", "d"), within=60)
    await asyncio.sleep(60)
    assert stored(world) == world.targets("a", "b", "c", "d")
    await world.until(lambda: stored(world) == world.targets("b", "c", "d"), within=400)
    await replica.stop()


@virtually
async def test_an_heir_removes_what_was_ours_and_left_while_nobody_was_there() -> None:
    for kept in (True, False):
        world = tracked()
        world.join("a", "b", "c", "d")
        replica = await settled(world, "a", "b", "c", "d")
        await replica.kill()
        world.cluster.delete("a")
        if not kept:
            world.stored.lose()
        successor = world.replica(elected=True)
        await asyncio.sleep(90)
        left = ("b", "c", "d") if kept else ("a", "b", "c", "d")
        assert world.filled_with(*left)
        await successor.stop()


@virtually
async def test_an_heir_counts_what_is_recorded_of_each_group_before_it_deals_out_places() -> None:
    world = World({"NLB_SYNC_OWNERSHIP": "tracked", "NLB_SYNC_TARGET_LIMIT": "2"})
    world.join("a", "b")
    replica = await settled(world, "a", "b")
    await replica.kill()
    world.cluster.expose(SERVICE, "https", 31443)
    successor = world.replica(elected=True)
    new = {Target(instance(name), 31443) for name in ("a", "b")}
    await world.until(lambda: world.cloud.registered(HTTPS) == new, within=900)
    assert world.cloud.registered(HTTP) == world.targets("a", "b")
    await successor.stop()


@virtually
async def test_a_returning_leader_rereads_the_registry() -> None:
    world = tracked()
    world.join("a", "b", "c")
    first = await settled(world, "a", "b", "c")
    second = world.replica(elected=True)
    await asyncio.sleep(2)
    first.frost.freeze()
    await world.until(lambda: second.leads, within=15)
    first.frost.thaw()
    world.join("x")
    await world.until(lambda: world.filled_with("a", "b", "c", "x"), within=5)
    await asyncio.sleep(10)
    second.frost.freeze()
    world.cluster.delete("x")  # nobody leads, so nothing but the record says whose its target is
    await world.until(lambda: first.leads, within=15)
    await world.until(lambda: world.filled_with("a", "b", "c"), within=40)
    second.frost.thaw()
    await first.stop()
    await second.stop()


@virtually
async def test_a_foreign_target_is_never_taken_for_ours() -> None:
    world = tracked()
    world.cloud.launch("i-0f0f0f0f0f0f0f0f0")
    foreign = Target(InstanceId("i-0f0f0f0f0f0f0f0f0"), PORTS[HTTP])
    world.join("a", "b", "c")
    replica = await settled(world, "a", "b", "c")
    world.cloud.register(HTTP, [foreign])
    await asyncio.sleep(120)
    assert foreign not in stored(world)
    assert foreign in world.cloud.registered(HTTP)
    await replica.stop()


@virtually
async def test_without_the_right_to_it_the_record_lives_in_memory() -> None:
    world = tracked()
    world.stored.denied = True
    world.join("a", "b", "c", "d")
    replica = await settled(world, "a", "b", "c", "d")
    assert "is lost at the next start" in replica.controller.record.problem
    world.cluster.delete("a")
    await world.until(lambda: world.filled_with("b", "c", "d"), within=60)
    await replica.stop()


@virtually
async def test_a_right_to_the_record_that_returns_is_noticed_and_what_was_stored_is_ours_too() -> None:
    world = tracked()
    world.join("a", "b", "c", "d")
    first = await settled(world, "a", "b", "c", "d")
    await first.stop()
    world.cluster.delete("d")  # nobody follows it: only what is stored says whose target it is
    world.stored.denied = True
    replica = world.replica(elected=True)
    await asyncio.sleep(30)
    assert replica.controller.record.problem
    world.join("e")
    await world.until(lambda: world.filled_with("a", "b", "c", "d", "e"), within=60)
    world.stored.denied = False
    await world.until(lambda: not replica.controller.record.problem, within=310)
    await world.until(lambda: world.filled_with("a", "b", "c", "e"), within=60)
    await world.until(lambda: stored(world) == world.targets("a", "b", "c", "e"), within=400)
    await replica.stop()


@virtually
async def test_what_cannot_be_recorded_is_not_registered_until_it_can() -> None:
    world = tracked()
    world.join("a", "b")
    replica = await settled(world, "a", "b")
    world.stored.away = True
    world.join("c")
    await asyncio.sleep(60)
    assert world.filled_with("a", "b")
    assert "cannot write the ownership registry" in replica.controller.groups[0].report.problem
    world.cloud.deregister(HTTP, [Target(instance("a"), PORTS[HTTP])])
    world.stored.away = False
    await world.until(lambda: world.filled_with("a", "b", "c"), within=40)
    await replica.stop()


@virtually
async def test_what_another_writer_has_written_meanwhile_is_kept_until_aws_does_not_list_it() -> None:
    world = tracked()
    world.join("a", "b")
    replica = await settled(world, "a", "b")
    other = Target(InstanceId("i-0aaaaaaaaaaaaaaaa"), PORTS[HTTP])
    world.stored.add(HTTP, other)
    world.join("c")
    await world.until(lambda: world.filled_with("a", "b", "c"), within=2)
    assert other in stored(world)
    await world.until(lambda: stored(world) == world.targets("a", "b", "c"), within=60)
    await replica.stop()


@virtually
async def test_what_another_writer_has_added_causes_a_pass() -> None:
    record, woken = MemoryRecord(), list[None]()
    registry = Registry(MemoryRecords(record), VirtualClock(), on_change=lambda: woken.append(None))
    a, b, c = (Target(instance(name), PORTS[HTTP]) for name in "abc")
    await registry.load([HTTP])
    registry.want(HTTP, frozenset({a}))
    await registry.save()
    record.add(HTTP, b)
    registry.want(HTTP, frozenset({a, c}))
    assert not woken
    await registry.save()
    assert registry.ours(HTTP) == {a, b, c}
    assert len(woken) == 1


@virtually
async def test_a_confirmed_hold_is_released_within_10_seconds_and_not_by_an_old_confirmation() -> None:
    for age, released in ((0, True), (1000, False)):
        world = tracked()
        world.join("a", "b", "c", "d")
        replica = await settled(world, "a", "b", "c", "d")
        for name in ("a", "b", "c"):
            world.cluster.delete(name)
        await asyncio.sleep(30)
        assert world.filled_with("a", "b", "c", "d")
        records = MemoryRecords(world.stored)
        for group in replica.controller.groups:
            assert group.plan is not None
            now = EPOCH + asyncio.get_running_loop().time() - age
            await confirm(records, group.plan.hold_id, now)
        await asyncio.sleep(10)
        assert world.filled_with(*("d" if released else "abcd"))
        await replica.stop()


@virtually
async def test_a_large_registry_in_several_config_maps_is_read_by_the_next_leader() -> None:
    record = MemoryRecord()
    registry = Registry(MemoryRecords(record), VirtualClock())
    await registry.load([HTTP, HTTPS])
    owned = {arn: large(60_000, port) for arn, port in PORTS.items()}
    for arn, targets in owned.items():
        registry.want(arn, targets)
    await registry.save()
    assert set(record.states) == {0, 1}
    assert all(record.targets(arn) == targets for arn, targets in owned.items())
    record.written.clear()
    owned = {arn: targets | {Target(instance("x"), PORTS[arn])} for arn, targets in owned.items()}
    for arn, targets in owned.items():
        registry.want(arn, targets)
    await registry.save()
    assert sum(record.written) < 20_000
    successor = Registry(MemoryRecords(record), VirtualClock())
    await successor.load([HTTP, HTTPS])
    assert all(successor.ours(arn) == targets for arn, targets in owned.items())
    record.written.clear()
    await successor.save()
    assert not record.written


@virtually
async def test_a_deleted_config_map_is_written_again_with_the_next_change() -> None:
    record = MemoryRecord()
    registry = Registry(MemoryRecords(record), VirtualClock())
    await registry.load([HTTP])
    count = 60_000
    registry.want(HTTP, large(count, 30080))
    await registry.save()
    del record.states[1]
    while 1 not in record.states:  # a change in a shard of that ConfigMap
        count += 1
        registry.want(HTTP, large(count, 30080))
        await registry.save()
    assert count < 60_100
    assert record.targets(HTTP) == large(count, 30080)


@virtually
async def test_what_another_writer_has_added_for_a_group_of_its_own_is_kept() -> None:
    """A replica with other groups, in a rollout that adds or removes a group."""
    record = MemoryRecord()
    registry = Registry(MemoryRecords(record), VirtualClock())
    await registry.load([HTTP])
    a, b, c = (Target(instance(name), 30080) for name in "abc")
    registry.want(HTTP, frozenset({a}))
    await registry.save()
    for target in (a, b):
        record.add(HTTPS, target)
    registry.want(HTTP, frozenset({c}))
    await registry.save()
    assert record.targets(HTTPS) == {a, b}
    assert record.targets(HTTP) == {c}


@virtually
async def test_a_target_that_is_wanted_during_a_write_is_written_by_its_own_save() -> None:
    record = MemoryRecord()
    registry = Registry(MemoryRecords(record), VirtualClock())
    await registry.load([HTTP, HTTPS])
    a, b = Target(instance("a"), 30080), Target(instance("b"), 30443)
    registry.want(HTTP, frozenset({a}))
    first = asyncio.create_task(registry.save())
    await asyncio.sleep(record.latency / 2)
    registry.want(HTTPS, frozenset({b}))
    await asyncio.gather(first, registry.save())
    assert record.targets(HTTP) == {a}
    assert record.targets(HTTPS) == {b}
    assert len(record.writes) == 2


@virtually
async def test_a_failed_write_is_made_again_by_the_next_save() -> None:
    record = MemoryRecord()
    registry = Registry(MemoryRecords(record), VirtualClock())
    await registry.load([HTTP])
    registry.want(HTTP, frozenset({Target(instance("a"), 30080)}))
    record.away = True
    with pytest.raises(ClusterError):
        await registry.save()
    record.away = False
    await registry.save()
    assert record.targets(HTTP) == {Target(instance("a"), 30080)}


def large(count: int, port: int) -> frozenset[Target]:
    return frozenset(Target(InstanceId(f"i-{number:017x}"), port) for number in range(count))


@virtually
async def test_a_replica_that_may_not_write_any_more_sends_no_second_patch_and_loses_nothing() -> None:
    record = MemoryRecord()
    registry = Registry(MemoryRecords(record), VirtualClock(), may_write=lambda: len(record.writes) != 1)
    await registry.load([HTTP])
    registry.want(HTTP, large(60_000, 30080))
    await registry.save()
    assert len(record.writes) == 1
    assert not record.targets(HTTP), "the first ConfigMap makes the second one count"
    record.writes.clear()
    await registry.save()
    assert record.targets(HTTP) == large(60_000, 30080)


@virtually
async def test_an_expired_confirmation_is_deleted_with_the_next_change() -> None:
    record = MemoryRecord()
    registry = Registry(MemoryRecords(record), VirtualClock())
    await confirm(MemoryRecords(record), "00000000aaaa", EPOCH - 1000)
    await confirm(MemoryRecords(record), "00000000bbbb", EPOCH)
    await registry.load([HTTP])
    registry.want(HTTP, frozenset({Target(instance("a"), 30080)}))
    await registry.save()
    assert record.state is not None
    assert set(record.state.values) == {"confirmed.00000000bbbb", key_of(HTTP), shard_key("")}


@virtually
async def test_shards_that_are_divided_while_others_are_encoded_stay_stored() -> None:
    record = MemoryRecord()
    registry = Registry(MemoryRecords(record), VirtualClock())
    await registry.load([HTTP, HTTPS])
    registry.want(HTTP, large(12_000, 30080))
    await registry.save()
    registry.want(HTTPS, large(12_000, 30443))
    saving = asyncio.create_task(registry.save())
    for _ in range(2):  # some shards are encoded
        await asyncio.sleep(0)
    registry.want(HTTP, large(30_000, 30080))
    await saving
    assert len(record.writes) == 2
    assert record.targets(HTTP) >= large(12_000, 30080)
    await registry.save()
    assert record.targets(HTTP) == large(30_000, 30080)
    assert record.targets(HTTPS) == large(12_000, 30443)
