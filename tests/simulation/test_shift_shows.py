"""A zonal shift is shown wherever the group is: status, metrics, explain, wait, doctor; and it holds."""

import asyncio
import json

import pytest

from syncer.commands.live import _as_json, _show_explanation
from syncer.commands.patience import UntilHealthy
from syncer.commands.wait import _of_instance
from syncer.decide.desired import registered_instances
from syncer.decide.evaluate import evaluate
from syncer.decide.explanation import explanations
from syncer.decide.policy import NodePolicy
from syncer.model import Target, TargetHealth, TargetState
from tests.simulation.cluster import node
from tests.simulation.virtual import run_virtually, virtually
from tests.simulation.world import HTTP, PORTS, Replica, World, instance

ZONE = "eu-central-1{}"
ZONES = dict(zip("abcdef", "aaaabc", strict=True))
ACTIVE = "zonal_shift_active"


async def shifted_world(override: str = ACTIVE) -> tuple[World, Replica]:
    """Six healthy nodes, four of them in a zone that is shifted."""
    world = World()
    for name, letter in ZONES.items():
        world.cloud.launch(instance(name), ZONE.format(letter))
        world.cluster.put(node(name, instance(name), zone=ZONE.format(letter)))
    replica = world.replica()
    await world.until(lambda: len(world.cloud.serving(HTTP)) == 6, within=60)
    world.cloud.overrides = {ZONE.format("a"): override}
    await asyncio.sleep(40)
    return world, replica


@virtually
async def test_z1_the_last_two_with_traffic_do_not_both_leave() -> None:
    world, replica = await shifted_world()
    for name in "ef":
        world.cluster.put(
            node(
                name, instance(name), zone=ZONE.format(ZONES[name]), taints=["ToBeDeletedByClusterAutoscaler"]
            )
        )
    await asyncio.sleep(1800)
    for arn in PORTS:
        assert len(world.cloud.registered(arn) & world.targets("e", "f", arn=arn)) == 1
    world.cloud.overrides = {}
    await world.until(lambda: world.filled_with("a", "b", "c", "d"), within=120)
    await replica.stop()


@virtually
async def test_z1_status_and_metrics_show_it() -> None:
    world, replica = await shifted_world()
    told = json.loads(json.dumps(replica.status()))
    group = told["groups"][0]
    assert (group["shifted"], group["serving"], group["healthy"]) == (4, 2, 6)
    overrides = {each["id"]: each["override"] for each in group["targets"]}
    assert overrides == {instance(name): ACTIVE if letter == "a" else "" for name, letter in ZONES.items()}
    assert "does not serve" in told["sentences"][ACTIVE]
    text = replica.metrics()
    assert 'nlb_sync_shifted{target_group="http"} 4.0' in text
    assert 'nlb_sync_serving{target_group="http"} 2.0' in text
    world.cloud.overrides = {}
    await asyncio.sleep(40)
    group = replica.status()["groups"][0]
    assert (group["shifted"], group["serving"]) == (0, 6)
    await replica.stop()


def test_z1_explain_shows_it(capsys: pytest.CaptureFixture[str]) -> None:
    async def story() -> None:
        _, replica = await shifted_world()
        controller = replica.controller
        desired = controller.desired_state.result()
        states = [each.state(PORTS[each.arn], controller.clock.monotonic()) for each in controller.groups]
        plans = [each.plan for each in controller.groups if each.plan]
        evaluation = evaluate(
            controller.desired_state.nodes.values(), registered_instances(states), NodePolicy()
        )
        told = {each.node: each for each in explanations(evaluation, desired, states, plans, {})}
        assert [at["override"] for at in _as_json(told["a"], controller.settings)["groups"]] == [
            ACTIVE,
            ACTIVE,
        ]
        assert [at["override"] for at in _as_json(told["f"], controller.settings)["groups"]] == ["", ""]
        assert _as_json(told["f"], controller.settings)["zone_source"] == "aws"
        _show_explanation(told["a"], controller.settings, gap=False)
        shown = capsys.readouterr().out
        assert "a zonal shift moves traffic away: the target does not serve" in shown
        assert "zone: eu-central-1a, by AWS's target list" in shown
        await replica.stop()

    run_virtually(story())


def healthy(name: str, override: str) -> TargetHealth:
    return TargetHealth(target=Target(instance(name), 30080), state=TargetState.HEALTHY, override=override)


def test_z1_wait_healthy_waits_for_the_end_of_a_shift() -> None:
    group = [healthy("a", ACTIVE), healthy("b", "")]
    seen = UntilHealthy().look(0, {"http": _of_instance(group, instance("a"))})
    assert (seen.done, seen.line) == (False, "healthy (zonal_shift_active) in http")
    assert UntilHealthy().look(0, {"http": _of_instance(group, instance("b"))}).done
    everywhere = [healthy("a", "zonal_shift_delegated_to_dns"), healthy("b", "zonal_shift_delegated_to_dns")]
    assert UntilHealthy().look(0, {"http": _of_instance(everywhere, instance("a"))}).done
