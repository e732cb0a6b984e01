"""Replicas of version 0.1 and of this version lead in turn: no foreign target is removed."""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial

from syncer.model import InstanceId, Target
from syncer.reconcile.registry_format import MARKER, key_of, shard_key
from tests.simulation.ha.former import former
from tests.simulation.virtual import virtually
from tests.simulation.world import HTTP, HTTPS, PORTS, Replica, World, instance

FOREIGN = Target(InstanceId("i-0f0f0f0f0f0f0f0f0"), PORTS[HTTP])


def present(world: World) -> Replica:
    return world.replica(elected=True)


def tracked(*names: str) -> World:
    world = World({"NLB_SYNC_OWNERSHIP": "tracked"})
    world.join(*names)
    return world


def values(world: World) -> Mapping[str, str]:
    assert world.stored.state is not None
    return world.stored.state.values


async def settled(world: World, start: Callable[[World], Replica], *names: str) -> Replica:
    """A replica that leads and has filled both groups with exactly these nodes."""
    replica = start(world)
    await world.until(lambda: replica.leads and world.filled_with(*names), within=90)
    await asyncio.sleep(10)
    return replica


@virtually
async def test_what_version_0_1_has_stored_is_owned_and_stored_anew() -> None:
    world = tracked("a", "b", "c", "d")
    old = await settled(world, former, "a", "b", "c", "d")
    assert set(values(world)) == {key_of(HTTP), key_of(HTTPS)}
    await old.stop()
    world.cluster.delete("a")  # no replica sees the Node leave: only the registry has its target
    new = await settled(world, present, "b", "c", "d")
    assert set(values(world)) == {key_of(HTTP), key_of(HTTPS), shard_key("")}
    assert values(world)[key_of(HTTP)] == values(world)[key_of(HTTPS)] == MARKER
    assert world.stored.targets(HTTP) >= world.targets("b", "c", "d")
    await new.stop()


@virtually
async def test_a_quiet_start_after_version_0_1_stores_anew_with_one_write_and_registers_nothing() -> None:
    world = tracked("a", "b")
    old = await settled(world, former, "a", "b")
    await old.stop()
    writes = len(world.stored.writes)
    new = present(world)
    await asyncio.sleep(120)
    assert len(world.stored.writes) == writes + 1
    assert not any(operation == "register" for _, operation in new.elb.begun)
    await new.stop()


@virtually
async def test_version_0_1_adopts_after_this_version_and_leaves_behind_at_most() -> None:
    world = tracked("a", "b", "c", "d", "e")
    new = await settled(world, present, "a", "b", "c", "d", "e")
    await new.stop()
    world.cluster.delete("a")  # 0.1 reads no entry, and no Node is there to adopt for
    old = former(world)
    await asyncio.sleep(60)
    assert world.filled_with("a", "b", "c", "d", "e")
    world.cluster.delete("b")
    await world.until(lambda: world.filled_with("a", "c", "d", "e"), within=60)
    world.join("f")
    await world.until(lambda: world.filled_with("a", "c", "d", "e", "f"), within=30)
    await old.stop()


@virtually
async def test_what_version_0_1_removed_is_not_owned_when_this_version_leads_again() -> None:
    """Another writer has registered the same targets again while no replica led: they are foreign by then."""
    world = tracked("a", "b", "c", "d", "e")
    new = await settled(world, present, "a", "b", "c", "d", "e")
    await new.stop()
    old = await settled(world, former, "a", "b", "c", "d", "e")
    world.cluster.delete("a")
    world.cluster.delete("b")
    await world.until(lambda: world.filled_with("c", "d", "e"), within=60)
    await asyncio.sleep(400)  # drained, and out of the registry of version 0.1
    await old.stop()
    again = world.targets("a", "b")
    world.cloud.register(HTTP, list(again))
    new = present(world)
    await asyncio.sleep(120)
    assert again <= world.cloud.registered(HTTP)
    assert not again & world.stored.targets(HTTP)
    await new.stop()


@virtually
async def test_entries_of_a_group_without_its_marker_are_not_owned() -> None:
    """Version 0.1 deletes the key of a group without targets; the entries in the shards are older."""
    world = tracked("a", "b")
    new = await settled(world, present, "a", "b")
    await new.stop()
    world.cloud.launch(FOREIGN.id)
    world.stored.add(HTTP, FOREIGN)
    assert world.stored.state is not None
    world.stored.store({key_of(HTTP): None}, world.stored.state.version)
    world.cloud.register(HTTP, [FOREIGN])
    new = present(world)
    await asyncio.sleep(120)
    assert FOREIGN in world.cloud.registered(HTTP)
    assert FOREIGN not in world.stored.targets(HTTP)
    assert FOREIGN.id.removeprefix("i-") not in values(world)[shard_key("")]
    assert world.stored.targets(HTTP) == world.targets("a", "b")
    await new.stop()


@virtually
async def test_leaders_of_both_versions_in_turn_keep_the_groups_filled() -> None:
    world = tracked("a", "b", "c")
    world.cloud.launch(FOREIGN.id)
    world.cloud.register(HTTP, [FOREIGN])
    leader: Replica | None = None
    for turn, name in enumerate(("d", "e", "f", "g", "h", "i")):
        standby = (former, present)[turn % 2](world)
        await asyncio.sleep(5)
        if leader is not None:
            await leader.stop()
        leader = standby
        await world.until(partial(_leads, leader), within=15)
        world.join(name)
        await world.until(partial(_registered, world, name), within=60)
        world.cluster.delete(name)
        await world.until(partial(_gone, world, name), within=60)
        await asyncio.sleep(20)
        assert FOREIGN in world.cloud.registered(HTTP)
        assert world.cloud.registered(HTTP) - {FOREIGN} == world.targets("a", "b", "c")
        assert FOREIGN not in world.stored.targets(HTTP)
    assert leader is not None
    await leader.stop()


def _leads(replica: Replica) -> bool:
    return replica.leads


def _registered(world: World, name: str) -> bool:
    return world.targets(name) <= world.cloud.registered(HTTP)


def _gone(world: World, name: str) -> bool:
    return not world.targets(name) & world.cloud.registered(HTTP)


@virtually
async def test_a_write_of_version_0_1_beside_a_leader_of_this_version_is_merged() -> None:
    world = tracked("a", "b")
    new = await settled(world, present, "a", "b")
    other = Target(instance("z"), PORTS[HTTP])
    assert world.stored.state is not None
    text = f"{PORTS[HTTP]} {other.id.removeprefix('i-')}"
    world.stored.store({key_of(HTTP): text}, world.stored.state.version)
    world.join("c")
    await world.until(lambda: world.filled_with("a", "b", "c"), within=2)
    assert values(world)[key_of(HTTP)] == MARKER
    assert world.stored.targets(HTTP) == {*world.targets("a", "b", "c"), other}
    await new.stop()
