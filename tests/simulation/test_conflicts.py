"""Conflicts with another writer (rule 7) in a running controller; `Conflicts` has its unit tests."""

import asyncio

from syncer.model import Target
from tests.simulation.virtual import virtually
from tests.simulation.world import HTTP, HTTPS, PORTS, World, instance


@virtually
async def test_a_target_that_another_writer_deregisters_three_times_is_quarantined_for_ten_minutes() -> None:
    world = World()
    world.join("a", "b")
    replica = world.replica()
    await world.until(lambda: world.cloud.serving(HTTP) == world.targets("a", "b"), within=60)
    for _ in range(3):
        world.cloud.deregister(HTTP, sorted(world.targets("a")))
        replica.controller.groups[0].schedule.reschedule_read()
        await asyncio.sleep(100)
    assert world.cloud.registered(HTTP) == world.targets("b")
    http, https = replica.status()["groups"]
    assert [(each["id"], each["why"]) for each in http["held"]] == [(instance("a"), "Contested")]
    assert [each["id"] for each in http["contested"]] == [instance("a")]
    assert "Auto Scaling group" in http["contested"][0]["cause"]
    assert https["contested"] == []
    assert world.cloud.registered(HTTPS) == world.targets("a", "b", arn=HTTPS)
    assert await world.until(lambda: world.filled_with("a", "b"), within=600) > 500
    await replica.stop()


@virtually
async def test_a_foreign_target_that_always_comes_back_is_left_where_it_is() -> None:
    world = World()
    world.join("a", "b")
    replica = world.replica()
    await world.until(lambda: world.cloud.serving(HTTP) == world.targets("a", "b"), within=60)
    foreign = Target(instance("f"), PORTS[HTTP])
    world.cloud.launch(foreign.id)
    for _ in range(4):
        world.cloud.register(HTTP, [foreign])
        await asyncio.sleep(100)
    calls = world.cloud.calls["deregister"]
    await asyncio.sleep(300)
    assert foreign in world.cloud.registered(HTTP)
    assert world.cloud.calls["deregister"] == calls
    await replica.stop()
