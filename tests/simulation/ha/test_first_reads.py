"""A replica whose first reads fail, in each role: not ready, with the reason, nothing sent; then ready."""

import asyncio
from dataclasses import replace

import pytest

from syncer.decide.selector import Selector
from tests.simulation.virtual import run_virtually, virtually
from tests.simulation.world import HTTP, Replica, World

ROLES = ("leader", "standby", "unelected", "paused")
# What fails, and what the replica says of it.
READS = {
    "registry": "cannot read the ownership registry: no answer",
    "lease": "no answer",
    "nodes": "cut off",
}
# Who takes part in no election reads no Lease.
CASES = [(role, read) for role in ROLES for read in READS if read != "lease" or role in {"leader", "standby"}]


async def start(world: World, role: str, read: str) -> Replica:
    """A replica in this role, from whose start on this read fails."""
    if role == "standby":
        first = world.replica(elected=True)
        await world.until(lambda: first.leads and world.filled_with("a", "b", "c"), within=10)
    settings = replace(world.settings, paused=role == "paused")
    world.stored.away = read == "registry"
    late = Replica(world, settings, seed=9, elected=role in {"leader", "standby"})
    late.cluster.cut = read == "nodes"
    late.leases.cut = read == "lease"
    return late


def cure(world: World, replica: Replica) -> None:
    world.stored.away = replica.cluster.cut = replica.leases.cut = False
    world.cluster.expose("any/thing", "else", 1)  # a change, so that what was cut off catches up


@pytest.mark.parametrize(("role", "read"), CASES)
def test_l1_a_replica_whose_first_read_fails_is_not_ready_and_sends_nothing(role: str, read: str) -> None:
    async def story() -> None:
        world = World({"NLB_SYNC_OWNERSHIP": "tracked"})
        world.join("a", "b", "c")
        replica = await start(world, role, read)
        for _ in range(20):
            await asyncio.sleep(1)
            assert READS[read] in replica.unready()
            assert replica.status()["ready"] is False
        assert replica.elb.begun == []
        cure(world, replica)
        await world.until(lambda: replica.unready() == "", within=15)
        await world.until(lambda: role == "paused" or world.filled_with("a", "b", "c"), within=15)
        assert (replica.elb.begun == []) is (role in {"standby", "paused"})
        await replica.stop()

    run_virtually(story())


@virtually
async def test_l1_who_has_not_read_the_registry_leads_only_where_no_other_does() -> None:
    """It cannot tell whether its settings are the wrong ones."""
    for seed in range(10, 18):
        world = World({"NLB_SYNC_OWNERSHIP": "tracked"})
        world.join("a", "b", "c", "d")
        both = [world.replica(elected=True), world.replica(elected=True)]
        await world.until(lambda world=world: len(world.cloud.serving(HTTP)) == 4, within=60)  # type: ignore[misc]
        await asyncio.sleep(40)
        leader = next(each for each in both if each.leads)
        standby = next(each for each in both if each is not leader)
        world.stored.away = True
        wrong = replace(world.settings, node_selector=Selector.parse("role=typo"))
        late = Replica(world, wrong, seed=seed, elected=True)
        await asyncio.sleep(5)
        await leader.stop()
        for _ in range(40):
            await asyncio.sleep(0.1)
            assert not late.leads
        assert standby.leads
        await standby.stop()
        await world.until(lambda late=late: late.leads, within=10)  # type: ignore[misc]
        await late.stop()


@virtually
async def test_l1_a_ready_replica_stays_ready_while_the_registry_cannot_be_read() -> None:
    world = World({"NLB_SYNC_OWNERSHIP": "tracked"})
    world.join("a", "b")
    both = [world.replica(elected=True), world.replica(elected=True)]
    await world.until(lambda: world.filled_with("a", "b"), within=10)
    await asyncio.sleep(40)
    world.stored.away = True
    for _ in range(40):
        await asyncio.sleep(1)
        assert [each.unready() for each in both] == ["", ""]
    for each in both:
        await each.stop()
