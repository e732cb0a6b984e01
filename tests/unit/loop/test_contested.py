"""Another hand that undoes what we do (rule 7): noticed by its third time, left alone, taken up again."""

import asyncio

from syncer.contested import Contested
from syncer.model import InstanceId, Target, TargetHealth, TargetState, Why
from syncer.status import snapshot
from tests.sim.virtual import virtually
from tests.sim.world import HTTP, HTTPS, PORTS, World, instance

ONE = Target(InstanceId("i-0123456789abcdef0"), 30080)


def listed(state: TargetState) -> dict[Target, TargetHealth]:
    return {ONE: TargetHealth(target=ONE, state=state)}


def undone(contested: Contested, at: float) -> bool:
    """A registration that a read finds undone; whether that makes the target contested."""
    contested.wrote([ONE], at, registered=True)
    return bool(contested.read(at + 1, listed(TargetState.DRAINING)))


def test_the_third_time_within_ten_minutes_makes_it_contested_for_ten_minutes() -> None:
    contested = Contested()
    assert [undone(contested, at) for at in (0, 200, 400)] == [False, False, True]
    assert contested.set_aside(402) == {ONE: Why.CONTESTED}
    assert contested.next_release(402) == 599
    assert contested.set_aside(1001) == {}


def test_times_further_apart_make_no_contest() -> None:
    contested = Contested()
    assert not any(undone(contested, at) for at in range(0, 6000, 310))


def test_a_read_that_began_before_the_write_says_nothing_of_it() -> None:
    contested = Contested()
    for at in range(0, 60, 10):
        contested.wrote([ONE], at, registered=True)
        assert contested.read(at - 1, {}) == []
    assert contested.set_aside(60) == {}


def test_what_stands_is_not_counted_and_what_nobody_writes_again_counts_once() -> None:
    contested = Contested()
    contested.wrote([ONE], 0, registered=True)
    for at in range(1, 60):
        assert contested.read(at, listed(TargetState.UNHEALTHY_DRAINING)) == []
    for at in range(60, 120):
        assert contested.read(at, {}) == []
    assert contested.set_aside(120) == {}


def test_a_deregistered_target_that_is_registered_again_and_again_is_contested_too() -> None:
    contested = Contested()
    for at in (0, 60):
        contested.wrote([ONE], at, registered=False)
        assert contested.read(at + 1, listed(TargetState.DRAINING)) == []
        assert contested.read(at + 5, listed(TargetState.INITIAL)) == []
    contested.wrote([ONE], 120, registered=False)
    (contest,) = contested.read(121, listed(TargetState.INITIAL))
    assert "attached to the target group" in contest.cause


@virtually
async def test_a_target_that_another_hand_deregisters_three_times_is_left_alone_for_ten_minutes() -> None:
    world = World()
    world.join("a", "b")
    replica = world.replica()
    await world.until(lambda: world.cloud.serving(HTTP) == world.targets("a", "b"), within=60)
    for _ in range(3):
        world.cloud.deregister(HTTP, sorted(world.targets("a")))
        replica.controller.groups[0].hurry.set()
        await asyncio.sleep(40)
    assert world.cloud.registered(HTTP) == world.targets("b")
    http, https = snapshot(replica.controller)["groups"]
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
        await asyncio.sleep(40)
    calls = world.cloud.calls["deregister"]
    await asyncio.sleep(300)
    assert foreign in world.cloud.registered(HTTP)
    assert world.cloud.calls["deregister"] == calls
    await replica.stop()
