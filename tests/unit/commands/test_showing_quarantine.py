"""What comes next for a target that the running syncer has quarantined: a hold, its reason, its end."""

import asyncio
from typing import Any

from syncer.commands.look import Readings, look
from syncer.commands.patience import UntilHealthy
from syncer.commands.quarantine import Quarantined, quarantined, reason_text
from syncer.commands.wait import Watchman
from syncer.decide.nodes import node_view
from syncer.decide.service_ports import LivePort
from syncer.model import GroupState, Target, Why
from tests.simulation.cluster import node
from tests.simulation.elb import MemoryElb
from tests.simulation.virtual import VirtualClock, run_virtually, virtually
from tests.simulation.world import HTTP, HTTPS, PORTS, Replica, World, instance


def at(name: str) -> Target:
    return Target(instance(name), PORTS[HTTP])


def http(replica: Replica) -> dict[str, Any]:
    return dict(replica.status()["groups"][0])


def nexts(group: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {each["id"]: (each["next"], each["why"]) for each in group["targets"]}


async def filled(world: World, *names: str) -> Replica:
    world.join(*names)
    replica = world.replica()
    await world.until(lambda: world.cloud.serving(HTTP) == world.targets(*names), within=60)
    return replica


@virtually
async def test_l2_a_refused_registration_is_held_until_its_retry() -> None:
    world = World()
    replica = await filled(world, "a", "b")
    world.cloud.crowded.add(instance("c"))
    world.join("c")
    await asyncio.sleep(5)
    (held,) = http(replica)["quarantined"]
    assert (held["id"], held["why"]) == (instance("c"), "Poison")
    assert http(replica)["register"] == []
    world.cloud.crowded.clear()
    assert (
        await world.until(lambda: at("c") in world.cloud.registered(HTTP), within=40) <= held["retry_in"] + 2
    )
    await asyncio.sleep(2)
    assert http(replica)["quarantined"] == []
    await replica.stop()


@virtually
async def test_l2_a_refused_deregistration_is_held_until_its_retry() -> None:
    world = World()
    replica = await filled(world, "a", "b", "c")
    world.cloud.stuck.add(instance("a"))
    world.cluster.put(node("a", instance("a"), taints=["karpenter.sh/disrupted"]))
    await asyncio.sleep(5)
    (held,) = http(replica)["quarantined"]
    assert (held["id"], held["why"]) == (instance("a"), "Poison")
    assert http(replica)["deregister"] == []
    assert nexts(http(replica))[instance("a")] == ("hold", "Poison")
    world.cloud.stuck.clear()
    assert await world.until(lambda: world.filled_with("b", "c"), within=40) <= held["retry_in"] + 2
    await replica.stop()


@virtually
async def test_l2_a_target_in_conflict_is_held_until_its_retry_either_way() -> None:
    world = World()
    replica = await filled(world, "a", "b", "c", "d")
    foreign = at("f")
    world.cloud.launch(foreign.id)
    for _ in range(6):
        world.cloud.register(HTTP, [foreign])
        world.cloud.deregister(HTTP, [at("a")])
        replica.controller.groups[0].schedule.reschedule_read()
        await asyncio.sleep(100)
    found = {each["id"]: each for each in http(replica)["quarantined"]}
    assert {name: each["why"] for name, each in found.items()} == {
        foreign.id: "Contested",
        instance("a"): "Contested",
    }
    assert nexts(http(replica))[foreign.id] == ("hold", "Contested")
    assert http(replica)["register"] == []
    assert all(0 < each["retry_in"] <= 600 for each in found.values())
    await replica.stop()


def test_l2_explain_shows_what_the_running_syncer_holds() -> None:
    """A command that looks for itself would say register and deregister."""
    world, held = World(), dict[Target, Quarantined]()
    nodes = [node(name, instance(name)) for name in "bcd"]
    nodes.append(node("a", instance("a"), taints=["karpenter.sh/disrupted"]))
    readings = Readings(
        nodes=lambda: tuple(node_view(each, world.settings.node_policy) for each in nodes),
        ports=lambda _: (
            LivePort("http", 80, PORTS[HTTP]),
            LivePort("https", 443, PORTS[HTTPS]),
        ),
    )

    async def story() -> dict[str, tuple[str, Why | None, float | None]]:
        for arn in PORTS:
            world.cloud.groups[arn].healthy_after = 0.0
        for name in "abcx":
            world.cloud.launch(instance(name))
        world.cloud.register(HTTP, [at(name) for name in "abcx"])
        seen = await look(world.settings, readings, MemoryElb(world.cloud), quarantine={HTTP: held})
        return {
            each.instance_id or "": (where.next, where.why, where.retry_in)
            for each in seen.explanations
            for where in each.groups
            if where.target_group == HTTP
        }

    without = asyncio.run(story())
    assert [without[instance(name)][0] for name in "dax"] == ["register", "deregister", "deregister"]
    held |= {
        at("d"): Quarantined(Why.POISON, 25.2),
        at("a"): Quarantined(Why.POISON, 8.0),
        at("x"): Quarantined(Why.CONTESTED, 500.0),
    }
    answers = asyncio.run(story())
    assert answers[instance("d")] == ("hold", Why.POISON, 25.2)
    assert answers[instance("a")] == ("hold", Why.POISON, 8.0)
    assert answers[instance("x")] == ("hold", Why.CONTESTED, 500.0)
    assert answers[instance("b")] == ("nothing", None, None)
    assert reason_text(Why.POISON, 25.2).endswith("retried later, in 26 s")


def test_l2_who_waits_is_told_why_nothing_happens() -> None:
    lines = list[str]()

    async def held() -> dict[Any, dict[Target, Quarantined]]:
        return {HTTP: {at("a"): Quarantined(Why.POISON, 25.2), at("b"): Quarantined(Why.CONTESTED, 9.0)}}

    async def story() -> str:
        world = World()
        watchman = Watchman(
            elb=MemoryElb(world.cloud),
            clock=VirtualClock(),
            groups=(HTTP, HTTPS),
            say=lines.append,
            every=5.0,
            timeout=20.0,
            quarantine=held,
        )
        return (await watchman.until(UntilHealthy(), instance("a"))).line

    last = run_virtually(story())
    assert "http holds it for Poison: quarantined, AWS refused the target; retried later, in 26 s" in lines[0]
    assert "http holds it for Poison" in last
    assert "Contested" not in last


def test_l2_what_is_quarantined_is_planned_with() -> None:
    state = GroupState(target_group=HTTP, targets={}, fresh=True)
    held = {at("a"): Quarantined(Why.POISON, 1.0), at("b"): Quarantined(Why.CONTESTED, 1.0)}
    planned = quarantined(state, held)
    assert planned.set_aside == {at("a"): Why.POISON, at("b"): Why.CONTESTED}
    assert planned.stuck == {at("a")}
