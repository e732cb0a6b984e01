"""Events of Nodes and of our own Deployment: what is told, how often, and what a refusal does to it."""

import asyncio

from syncer.errors import AccessDeniedError, DeniedError, InvalidTargetError, TargetGroupNotFoundError
from syncer.telemetry.events import Reporter
from tests.simulation.cluster import node
from tests.simulation.events import MemoryEvents
from tests.simulation.virtual import VirtualClock, virtually
from tests.simulation.world import HTTP, World, instance


@virtually
async def test_a_node_is_told_of_once_for_both_groups_when_it_joins_and_when_it_leaves() -> None:
    world = World()
    world.join("a", "b", "c")
    replica = world.replica()
    await world.until(lambda: len(world.cloud.serving(HTTP)) == 3, within=60)
    told = replica.events.of("a")
    assert set(told) == {"Registered"}
    assert set(told["Registered"].split("; ")) == {
        "http, port 30080: registered",
        "https, port 30443: registered",
    }
    assert "http: 3 targets registered" in replica.events.of()["Registered"]
    world.cluster.put(node("a", instance("a"), taints=["ToBeDeletedByClusterAutoscaler"]))
    await asyncio.sleep(5)
    assert set(replica.events.of("a")) == {"Registered", "Deregistered"}
    assert len([event for event in replica.events.writes if event.node == "a"]) == 2
    await replica.stop()


@virtually
async def test_a_hold_is_reported_with_its_rule_and_its_id() -> None:
    world = World()
    world.join("a", "b", "c", "d")
    replica = world.replica()
    await world.until(lambda: len(world.cloud.serving(HTTP)) == 4, within=60)
    for name in ("a", "b", "c"):
        world.cluster.put(node(name, "fargate-ip-10-0-0-1"))
    await asyncio.sleep(5)
    hold = replica.controller.groups[0].plan
    assert hold is not None
    assert f"(hold {hold.hold_id})" in replica.events.of()["HeldShare"]
    await replica.stop()


@virtually
async def test_a_refused_a_contested_and_a_missing_thing_are_warnings() -> None:
    world = World()
    world.join("a", "b")
    replica = world.replica()
    await world.until(lambda: len(world.cloud.serving(HTTP)) == 2, within=60)
    refusal = InvalidTargetError("RegisterTargets", "InvalidTarget", "no", frozenset({instance("c")}))
    replica.elb.faults += [refusal]
    world.join("c")
    for _ in range(3):
        world.cloud.deregister(HTTP, sorted(world.targets("a")))
        await asyncio.sleep(100)
    gone = TargetGroupNotFoundError("DescribeTargetHealth", "TargetGroupNotFound", "not found")
    replica.elb.broken["describe", HTTP] = gone
    await asyncio.sleep(40)
    warnings = {(event.node, event.reason) for event in replica.events.writes if event.warning}
    assert warnings >= {("c", "Poison"), ("a", "Contested"), ("", "Contested"), ("", "Misconfigured")}
    await replica.stop()


@virtually
async def test_a_service_that_is_not_there_is_told_by_whoever_leads() -> None:
    world = World({"NLB_SYNC_TARGET_GROUPS": f"{HTTP}=edge/ingress:http"})
    world.join("a")
    first = world.replica(elected=True)
    await world.until(lambda: "edge/ingress" in first.events.of().get("Misconfigured", ""), within=10)
    second = world.replica(elected=True)
    await asyncio.sleep(10)
    assert "Misconfigured" not in second.events.of()
    await first.stop()
    await world.until(lambda: "edge/ingress" in second.events.of().get("Misconfigured", ""), within=10)
    await second.stop()


@virtually
async def test_running_blind_is_told() -> None:
    world = World()
    world.join("a")
    replica = world.replica()
    denied = AccessDeniedError("DescribeTargetHealth", "AccessDenied", "no", "elasticloadbalancing:X")
    replica.elb.broken["describe", HTTP] = denied
    await asyncio.sleep(10)
    assert "allow elasticloadbalancing:X" in replica.events.of()["Blind"]
    await replica.stop()


@virtually
async def test_events_that_are_denied_stop_nothing_and_begin_when_they_are_allowed() -> None:
    world = World()
    world.join("a")
    replica = world.replica()
    replica.events.fault = DeniedError("POST events: HTTP 403")
    await world.until(lambda: world.filled_with("a"), within=2)
    await asyncio.sleep(60)
    world.join("b")
    await world.until(lambda: world.filled_with("a", "b"), within=2)
    replica.events.fault = None
    await asyncio.sleep(300)
    world.join("c")
    await asyncio.sleep(5)
    assert {event.node for event in replica.events.writes} == {"c", ""}
    await replica.stop()


@virtually
async def test_one_reason_on_one_object_is_written_three_times_a_minute_at_most_and_counted() -> None:
    sink = MemoryEvents()
    reporter = Reporter(sink, VirtualClock(), lambda: True)
    task = asyncio.create_task(reporter.run())
    for _ in range(600):
        reporter.publish("Registered", "again", node="a")
        await asyncio.sleep(0.1)
    await asyncio.sleep(30)
    task.cancel()
    assert len(sink.writes) <= 4
    (last,) = sink.written.values()
    assert (last.count, last.message) == (600, "again")


@virtually
async def test_five_thousand_nodes_at_once_are_told_of_a_few_a_second_and_not_for_long() -> None:
    sink = MemoryEvents()
    reporter = Reporter(sink, VirtualClock(), lambda: True)
    task = asyncio.create_task(reporter.run())
    for number in range(5000):
        reporter.publish("Registered", "registered", node=f"n{number}")
    await asyncio.sleep(10.5)
    assert len(sink.writes) <= 50
    await asyncio.sleep(600)
    assert len(sink.writes) == 300
    task.cancel()


@virtually
async def test_a_replica_that_does_not_lead_tells_nothing() -> None:
    sink = MemoryEvents()
    reporter = Reporter(sink, VirtualClock(), lambda: False)
    task = asyncio.create_task(reporter.run())
    reporter.publish("Registered", "registered", node="a")
    await asyncio.sleep(60)
    assert sink.writes == []
    task.cancel()
