"""A group's own port whose number AWS does not tell is shown by words, and in JSON as null."""

import asyncio
import json
import logging

import pytest

from syncer.commands import status as status_command
from syncer.commands.plan_table import show_plans
from syncer.decide.answers import planned
from syncer.errors import AccessDeniedError
from syncer.model import Target, TargetGroupArn, port_in_json, port_shown
from tests.simulation.cluster import node
from tests.simulation.virtual import run_virtually, virtually
from tests.simulation.world import HTTP, Replica, World, instance

OWN = "the group's own port"


async def _zero(_group: TargetGroupArn) -> int:
    """What the AWS adapter answers where DescribeTargetGroups is denied."""
    return 0


async def blind_replica(*names: str) -> tuple[World, Replica]:
    """The predecessor's policy: neither the group's port nor its targets may be read."""
    world = World({"NLB_SYNC_TARGET_GROUPS": HTTP, "NLB_SYNC_OWNERSHIP": "tracked"})
    world.join(*names)
    replica = world.replica()
    replica.elb.default_port = _zero  # type: ignore[method-assign,assignment]
    replica.elb.broken["describe", HTTP] = AccessDeniedError(
        "DescribeTargetHealth", "AccessDenied", "no", "elasticloadbalancing:DescribeTargetHealth"
    )
    await asyncio.sleep(20)
    return world, replica


def test_b11_log_and_events_name_the_own_port(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        caplog.set_level(logging.INFO, logger="syncer")
        world, replica = await blind_replica("a", "b")
        world.cluster.put(node("a", instance("a"), taints=["ToBeDeletedByClusterAutoscaler"]))
        await asyncio.sleep(20)
        lines = [line for line in caplog.messages if "port" in line or "register" in line or "hold" in line]
        assert f"http: the port of its targets is {OWN}" in lines
        assert f"http: register {instance('a')} on {OWN}, {instance('b')} on {OWN}" in lines
        assert f"http: deregister {instance('a')} on {OWN}" in lines
        said = [event.message for event in replica.events.written.values()]
        assert any(f"http, {OWN}: registered" in each for each in said)
        for text in (*caplog.messages, *said):
            assert ":0" not in text.replace("10:0", ""), text
            assert "port 0" not in text
            assert "port of its targets is 0" not in text
        await replica.stop()

    run_virtually(story())


def test_b11_status_has_null_and_says_that_it_is_the_own_port(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def story() -> None:
        world, replica = await blind_replica("a", "b")
        world.cluster.put(
            node("a", instance("a"), labels={"node.kubernetes.io/exclude-from-external-load-balancers": ""})
        )
        world.cluster.put(
            node("b", instance("b"), labels={"node.kubernetes.io/exclude-from-external-load-balancers": ""})
        )
        await asyncio.sleep(20)
        told = json.loads(json.dumps(replica.status()))
        (group,) = told["groups"]
        assert (group["port"], group["own_port"]) == (None, True)
        assert group["waiting_for"] == ""
        listed = [*group["targets"], *group["held"], *group["register"], *group["deregister"]]
        assert {each["port"] for each in listed} == {None}
        assert group["held"]
        status_command._show(told)
        shown = capsys.readouterr().out
        assert OWN in shown
        assert (
            " 0 "
            not in next(line for line in shown.splitlines() if line.startswith("http ")).partition(OWN)[0]
        )
        plans = [each.plan for each in replica.controller.groups if each.plan]
        assert plans[0].held
        assert show_plans(("http", each) for each in plans)
        assert OWN in capsys.readouterr().out
        assert {each["port"] for each in planned(plans)["groups"][0]["held"]} == {None}
        assert 'port="0"' not in replica.metrics()
        await replica.stop()

    run_virtually(story())


@virtually
async def test_b11_a_known_port_is_shown_as_before() -> None:
    world = World()
    world.join("a")
    replica = world.replica()
    await world.until(lambda: world.filled_with("a"), within=10)
    await asyncio.sleep(10)
    (group, _) = replica.status()["groups"]
    assert (group["port"], group["own_port"], group["targets"][0]["port"]) == (30080, False, 30080)
    await replica.stop()


def test_b11_a_target_is_shown_by_instance_and_port() -> None:
    assert Target(instance("a"), 30080).shown == f"{instance('a')}:30080"
    assert Target(instance("a"), 0).shown == f"{instance('a')} on {OWN}"
    assert (port_shown(30080), port_shown(0)) == ("30080", OWN)
    assert (port_in_json(30080), port_in_json(0), port_in_json(None)) == (30080, None, None)
