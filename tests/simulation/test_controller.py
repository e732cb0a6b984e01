"""The spine on virtual time: two target groups, the whole controller, AWS and the cluster in memory."""

import asyncio
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from syncer.errors import AccessDeniedError, NotBegunError, ThrottledError, UnreachableError
from syncer.model import Target
from tests.simulation.cluster import node
from tests.simulation.virtual import run_virtually, virtually
from tests.simulation.world import HTTP, HTTPS, PORTS, SERVICE, World, instance


@virtually
async def test_two_replicas_over_one_cloud_and_cluster_converge() -> None:
    world = World()
    world.join("a", "b", "c")
    first, second = world.replica(), world.replica()
    assert await world.until(lambda: world.filled_with("a", "b", "c"), within=2) < 2
    world.join("d")
    world.cluster.delete("a")
    await world.until(lambda: world.cloud.serving(HTTP) == world.targets("b", "c", "d"), within=60)
    await world.until(lambda: world.filled_with("b", "c", "d"), within=60)
    await first.stop()
    world.join("e")
    await world.until(lambda: world.filled_with("b", "c", "d", "e"), within=5)
    await second.stop()


@virtually
async def test_a_ready_node_is_registered_in_both_groups_without_a_read_before_the_write() -> None:
    world = World()
    world.join("a")
    replica = world.replica()
    await world.until(lambda: world.cloud.serving(HTTPS) == world.targets("a", arn=HTTPS), within=40)
    await asyncio.sleep(20)
    replica.elb.log.clear()
    world.join("b")
    assert await world.until(lambda: world.filled_with("a", "b"), within=1) < 0.2
    assert [operation for _, operation, _, _ in replica.elb.log][:2] == ["register", "register"]
    await replica.stop()


@virtually
async def test_a_killed_syncer_leaves_a_change_that_its_successor_completes() -> None:
    world = World()
    world.join("a", "b")
    replica = world.replica()
    await world.until(lambda: world.filled_with("a", "b"), within=2)
    world.join("c", "d")
    await world.until(lambda: not world.filled_with("a", "b"), within=1)
    await replica.kill()
    heir = world.replica()
    await world.until(lambda: world.filled_with("a", "b", "c", "d"), within=2)
    await heir.stop()


@virtually
async def test_a_replica_killed_at_any_moment_of_a_change_changes_nothing_in_the_end() -> None:
    for millis in range(0, 120, 10):
        world = World()
        world.join("a", "b", "c")
        replica = world.replica()
        await world.until(lambda world=world: bool(world.filled_with("a", "b", "c")), within=2)  # type: ignore[misc]
        await asyncio.sleep(30)
        world.join("d")
        world.cluster.delete("a")
        await asyncio.sleep(millis / 1000)
        await replica.kill()
        heir = world.replica()
        await world.until(lambda world=world: bool(world.filled_with("b", "c", "d")), within=60)  # type: ignore[misc]
        await heir.stop()


@virtually
async def test_a_target_removed_behind_its_back_is_back_within_35_seconds() -> None:
    world = World()
    world.join("a", "b")
    replica = world.replica()
    await world.until(lambda: len(world.cloud.serving(HTTP)) == 2, within=40)
    for pause in (1, 7, 13, 29):
        await asyncio.sleep(300 + pause)  # three times in ten minutes would make it contested
        world.cloud.deregister(HTTP, [Target(instance("a"), PORTS[HTTP])])
        assert not world.filled_with("a", "b")
        await world.until(lambda: world.filled_with("a", "b"), within=35)
        await world.until(lambda: len(world.cloud.serving(HTTP)) == 2, within=60)
    await replica.stop()


@virtually
async def test_a_foreign_target_in_an_exclusive_group_is_gone_within_35_seconds() -> None:
    world = World()
    world.join("a", "b")
    world.cloud.launch("i-0f0f0f0f0f0f0f0f0")
    replica = world.replica()
    await world.until(lambda: len(world.cloud.serving(HTTP)) == 2, within=40)
    world.cloud.register(HTTP, [Target(instance("a"), 31999), Target(instance("b"), 31998)])
    await world.until(lambda: world.filled_with("a", "b"), within=35)
    await replica.stop()


@virtually
async def test_nothing_is_removed_before_a_complete_list_of_nodes() -> None:
    world = World()
    world.join("a", "b")
    replica = world.replica()
    await world.until(lambda: len(world.cloud.serving(HTTP)) == 2, within=40)
    await replica.stop()
    for name in ("a", "b"):
        world.cluster.delete(name)
    heir = world.replica()
    heir.cluster.cut = True
    await asyncio.sleep(300)
    assert world.filled_with("a", "b")
    assert world.cloud.calls["deregister"] == 0
    await heir.stop()


@virtually
async def test_a_failed_read_freezes_removals_but_not_registrations() -> None:
    world = World()
    world.join("a", "b", "c")
    replica = world.replica()
    await world.until(lambda: len(world.cloud.serving(HTTP)) == 3, within=40)
    replica.elb.broken["describe", HTTP] = UnreachableError(
        "DescribeTargetHealth", "ReadTimeout", "no answer"
    )
    await asyncio.sleep(40)
    world.cluster.delete("a")
    world.join("d")
    await world.until(lambda: world.cloud.registered(HTTP) == world.targets("a", "b", "c", "d"), within=2)
    await world.until(
        lambda: world.cloud.registered(HTTPS) == world.targets("b", "c", "d", arn=HTTPS), within=60
    )
    assert world.cloud.registered(HTTP) == world.targets("a", "b", "c", "d")
    replica.elb.broken.clear()
    await world.until(lambda: world.filled_with("b", "c", "d"), within=60)
    await replica.stop()


@virtually
async def test_after_a_removal_whose_answer_was_lost_the_group_is_read_before_anything_else_goes() -> None:
    world = World()
    world.join("a", "b")
    replica = world.replica()
    await world.until(lambda: len(world.cloud.serving(HTTP)) == 2, within=40)
    await asyncio.sleep(90)  # the first minute, in which another process's writes may not show, is over
    lost = UnreachableError("DeregisterTargets", "ReadTimeout", "no answer")
    replica.elb.lost = {("deregister", arn): lost for arn in PORTS}
    world.cluster.delete("a")
    await world.until(lambda: world.filled_with("b"), within=2)
    world.cluster.put(node("b", instance("b"), taints=["ToBeDeletedByClusterAutoscaler"]))
    await asyncio.sleep(120)
    assert world.filled_with("b")
    await replica.stop()


@virtually
async def test_a_missing_right_to_register_is_waited_out_and_holds_up_nothing_that_leaves() -> None:
    world = World()
    world.join("a", "b", "c", "d")
    replica = world.replica()
    await world.until(lambda: len(world.cloud.serving(HTTP)) == 4, within=40)
    denied = AccessDeniedError(
        "RegisterTargets", "AccessDenied", "no", "elasticloadbalancing:RegisterTargets"
    )
    replica.elb.broken = {("register", arn): denied for arn in PORTS}
    world.join("e")
    await asyncio.sleep(100)
    tried = sum(operation == "register" for _, operation, _, _ in replica.elb.log)
    world.cluster.put(node("a", instance("a"), taints=["ToBeDeletedByClusterAutoscaler"]))
    await world.until(lambda: world.filled_with("b", "c", "d"), within=2)
    assert "RegisterTargets" in replica.controller.groups[0].report.problem
    assert sum(operation == "register" for _, operation, _, _ in replica.elb.log) == tried
    await asyncio.sleep(3600)
    assert sum(operation == "register" for _, operation, _, _ in replica.elb.log) < tried + 2 * 3600 / 150 + 2
    replica.elb.broken.clear()
    await world.until(lambda: world.filled_with("b", "c", "d", "e"), within=301)
    await replica.stop()


@virtually
async def test_a_full_group_holds_up_nothing_that_leaves() -> None:
    world = World()
    for arn in PORTS:
        world.cloud.group(arn).quota = 4
    world.cloud.draining_counts = False
    world.join("a", "b", "c", "d")
    replica = world.replica()
    await world.until(lambda: len(world.cloud.serving(HTTP)) == 4, within=40)
    world.join("e")
    await asyncio.sleep(2)
    world.cluster.put(node("a", instance("a"), taints=["ToBeDeletedByClusterAutoscaler"]))
    await world.until(lambda: world.filled_with("b", "c", "d", "e"), within=35)
    await replica.stop()


@virtually
async def test_a_resumed_process_removes_nothing_by_its_old_state() -> None:
    world = World()
    world.join("a", "b", "c", "d")
    replica = world.replica()
    await world.until(lambda: len(world.cloud.serving(HTTP)) == 4, within=40)
    await asyncio.sleep(30)
    replica.frost.freeze()
    await asyncio.sleep(90)
    world.cloud.sick |= {instance(name) for name in "cd"}
    for name in "ab":
        world.cluster.delete(name)
    await asyncio.sleep(1)
    replica.frost.thaw()
    await asyncio.sleep(120)
    assert world.filled_with("a", "b", "c", "d")
    world.cloud.sick.clear()
    await world.until(lambda: world.filled_with("c", "d"), within=35)
    await replica.stop()


@virtually
async def test_a_process_that_is_frozen_between_two_calls_of_a_plan_plans_anew() -> None:
    world = World()
    world.join("a", "b", "c", "d")
    replica = world.replica()
    await world.until(lambda: len(world.cloud.serving(HTTP)) == 4, within=40)
    await asyncio.sleep(30)
    world.cloud.latency = 1.0  # the registration is still under way when it is frozen
    world.cluster.put(
        node("a", instance("a"), labels={"node.kubernetes.io/exclude-from-external-load-balancers": ""})
    )
    world.join("e")
    await world.until(lambda: world.cloud.registered(HTTP) == world.targets(*"abcde"), within=1)
    replica.frost.freeze()
    await asyncio.sleep(90)
    world.cloud.sick |= {instance(name) for name in "bcde"}
    world.cloud.sick.discard(instance("b"))
    replica.frost.thaw()
    await asyncio.sleep(120)
    assert world.cloud.registered(HTTP) == world.targets(*"abcde")
    await replica.stop()


@virtually
async def test_a_target_whose_registration_was_not_answered_is_ours_to_remove() -> None:
    world = World({"NLB_SYNC_OWNERSHIP": "tracked"})
    world.join("a", "b", "c", "d")
    replica = world.replica()
    await world.until(lambda: len(world.cloud.serving(HTTP)) == 4, within=40)
    await asyncio.sleep(30)
    lost = UnreachableError("RegisterTargets", "ReadTimeout", "no answer")
    replica.elb.lost = {("register", arn): lost for arn in PORTS}
    world.join("e")
    await world.until(lambda: world.filled_with("a", "b", "c", "d", "e"), within=2)
    world.cluster.delete("e")
    await world.until(lambda: world.filled_with("a", "b", "c", "d"), within=60)
    await replica.stop()


@virtually
async def test_one_groups_failure_stops_no_other() -> None:
    world = World()
    world.join("a")
    replica = world.replica()
    replica.elb.broken["register", HTTP] = UnreachableError("RegisterTargets", "ConnectTimeout", "no answer")
    await world.until(lambda: world.cloud.registered(HTTPS) == world.targets("a", arn=HTTPS), within=2)
    assert world.cloud.registered(HTTP) == set()
    replica.elb.broken.clear()
    await world.until(lambda: world.filled_with("a"), within=35)
    await replica.stop()


@virtually
async def test_a_group_that_hangs_delays_no_other() -> None:
    world = World()
    replica = world.replica()
    hanging = asyncio.Event()
    describe = replica.elb.describe

    async def hang(group: Any) -> Any:
        if group == HTTP:
            await hanging.wait()
        return await describe(group)

    replica.elb.describe = hang  # type: ignore[method-assign]
    world.join("a")
    await world.until(lambda: world.cloud.registered(HTTPS) == world.targets("a", arn=HTTPS), within=2)
    await replica.stop()


@virtually
async def test_an_instance_that_does_not_run_keeps_no_other_out_and_joins_when_it_runs() -> None:
    world = World()
    replica = world.replica()
    await asyncio.sleep(1)
    names = [f"n{number}" for number in range(50)]
    world.join(*names)
    del world.cloud.running[instance("n7")]
    healthy = [name for name in names if name != "n7"]
    assert await world.until(lambda: world.filled_with(*healthy), within=2) < 2
    world.cloud.launch(instance("n7"))
    await world.until(lambda: world.filled_with(*names), within=60)
    await replica.stop()


@pytest.mark.parametrize("named", [True, False])
def test_a_target_that_aws_does_not_deregister_blocks_no_other_target(*, named: bool) -> None:
    async def story() -> None:
        world = World()
        world.cloud.names_refused = named
        world.join(*"abcdef")
        replica = world.replica()
        await world.until(lambda: len(world.cloud.serving(HTTP)) == 6, within=40)
        await asyncio.sleep(10)
        world.cloud.stuck = {instance("f")}
        leaving = {"node.kubernetes.io/exclude-from-external-load-balancers": ""}
        for name in "def":
            world.cluster.put(node(name, instance(name), labels=leaving))
        await world.until(lambda: world.filled_with(*"abcf"), within=5)
        begun = world.cloud.calls["deregister"]
        await asyncio.sleep(300)
        assert world.filled_with(*"abcf")
        assert world.cloud.calls["deregister"] - begun < 2 * 6
        world.cloud.stuck.clear()
        await world.until(lambda: world.filled_with(*"abc"), within=900)
        await replica.stop()

    run_virtually(story())


@virtually
async def test_an_instance_that_was_refused_joins_at_once_when_its_node_turns_ready() -> None:
    world = World()
    world.join("a", "b")
    replica = world.replica()
    await world.until(lambda: world.filled_with("a", "b"), within=2)
    world.cluster.put(node("late", instance("late")))
    await asyncio.sleep(200)
    world.cluster.put(node("late", instance("late"), ready=False))
    await asyncio.sleep(3)
    world.join("late")
    await world.until(lambda: world.filled_with("a", "b", "late"), within=1)
    await replica.stop()


@virtually
async def test_a_refused_target_is_not_tried_more_often_than_its_backoff_allows() -> None:
    world = World()
    replica = world.replica()
    world.cluster.put(node("ghost", instance("ghost")))
    await asyncio.sleep(600)
    attempts = [
        at for at, operation, group, _ in replica.elb.log if operation == "register" and group == HTTP
    ]
    assert 3 <= len(attempts) <= 8
    gaps = [later - earlier for earlier, later in pairwise(attempts)]
    assert min(gaps) >= 30
    await replica.stop()


@virtually
async def test_a_target_refused_alone_is_quarantined_after_any_number_of_searches() -> None:
    world = World()
    world.cloud.names_refused = False
    replica = world.replica()
    ghosts = [f"ghost{number}" for number in range(6)]
    for name in ghosts:
        world.cluster.put(node(name, instance(name)))
    await asyncio.sleep(120)
    tries: dict[Target, list[float]] = {}
    for at, operation, group, targets in replica.elb.log:
        if operation == "register" and group == HTTP and len(targets) == 1:
            tries.setdefault(targets[0], []).append(at)
    assert len(tries) == len(ghosts)
    assert min(later - at for each in tries.values() for at, later in pairwise(each)) >= 30
    await replica.stop()


@virtually
async def test_throttled_writes_are_retried_with_growing_pauses_and_get_through() -> None:
    world = World()
    replica = world.replica()
    replica.elb.faults = [ThrottledError("RegisterTargets", "ThrottlingException", "Rate exceeded")] * 6
    world.join("a")
    await world.until(lambda: world.filled_with("a"), within=60)
    times = [at for at, operation, group, _ in replica.elb.log if operation == "register" and group == HTTP]
    assert all(later - earlier >= 0.5 for earlier, later in pairwise(times))
    await replica.stop()


@virtually
async def test_a_new_node_port_replaces_the_old_targets_only_when_its_own_are_healthy() -> None:
    world = World()
    world.join("a", "b")
    replica = world.replica()
    await world.until(lambda: len(world.cloud.serving(HTTP)) == 2, within=40)
    world.cluster.expose("ingress-traefik/traefik-ingress-service-nlb", "http", 31234)
    new = {Target(instance(name), 31234) for name in ("a", "b")}
    await world.until(lambda: new <= world.cloud.registered(HTTP), within=2)
    assert world.cloud.serving(HTTP) == world.targets("a", "b")
    await world.until(lambda: world.cloud.registered(HTTP) == new, within=60)
    assert world.cloud.serving(HTTP) == new
    await replica.stop()


@virtually
async def test_a_stopped_syncer_deregisters_nothing() -> None:
    world = World()
    world.join("a", "b")
    replica = world.replica()
    await world.until(lambda: world.filled_with("a", "b"), within=2)
    await replica.stop()
    await asyncio.sleep(100)
    assert world.filled_with("a", "b")
    assert world.cloud.calls["deregister"] == 0


@virtually
async def test_the_call_in_flight_at_sigterm_ends_and_no_other_begins() -> None:
    world = World()
    world.cloud.latency = 5.0
    names = [f"n{number}" for number in range(450)]
    world.join(*names)
    replica = world.replica()
    await world.until(lambda: world.cloud.calls["register"] == 2, within=20)
    await replica.stop()
    assert world.cloud.calls["register"] == 2
    assert len(world.cloud.registered(HTTP)) == len(world.cloud.registered(HTTPS)) == 200


@virtually
async def test_a_removal_that_waits_behind_the_call_in_flight_at_sigterm_is_not_sent() -> None:
    world = World()
    world.join("a", "b", "c")
    replica = world.replica()
    await world.until(lambda: len(world.cloud.serving(HTTP)) == 3, within=40)
    await asyncio.sleep(30)
    world.cloud.latency = 5.0
    calls = world.cloud.calls["register"]
    world.join("d")
    world.cluster.delete("a")
    await world.until(lambda: world.cloud.calls["register"] > calls, within=2)
    await replica.stop()
    assert world.cloud.calls["deregister"] == 0
    assert world.filled_with("a", "b", "c", "d")


@virtually
async def test_five_hundred_nodes_take_three_calls_a_group() -> None:
    world = World()
    for group in world.cloud.groups.values():
        group.quota = 5000
    world.join(*(f"n{number}" for number in range(500)))
    replica = world.replica()
    await world.until(lambda: len(world.cloud.registered(HTTPS)) == 500, within=5)
    await world.until(lambda: len(world.cloud.registered(HTTP)) == 500, within=5)
    assert world.cloud.calls["register"] == 6
    await replica.stop()


@virtually
async def test_a_group_is_read_every_30_seconds_and_every_5_while_a_target_is_awaited() -> None:
    world = World()
    world.join("a")
    replica = world.replica()
    await asyncio.sleep(100)
    reads = [at for at, operation, group, _ in replica.elb.log if operation == "describe" and group == HTTP]
    assert 4 <= sum(at < 21 for at in reads) <= 6
    assert 2 <= sum(at > 30 for at in reads) <= 3
    await replica.stop()


@virtually
async def test_stale_targets_of_an_exclusive_group_go_as_soon_as_one_of_our_own_has_recovered() -> None:
    world = World()
    world.join("a", "b")
    world.cloud.launch(instance("x"))
    world.cloud.register(HTTP, [Target(instance("x"), PORTS[HTTP])])
    world.cloud.sick = {instance("a"), instance("b")}
    replica = world.replica()
    await asyncio.sleep(100)
    assert world.cloud.serving(HTTP) == world.targets("x")
    world.cloud.sick.clear()
    assert await world.until(lambda: world.cloud.registered(HTTP) == world.targets("a", "b"), within=30) < 6
    await replica.stop()


@virtually
async def test_a_paused_syncer_plans_but_writes_nothing() -> None:
    world = World({"NLB_SYNC_PAUSED": "true"})
    world.join("a")
    replica = world.replica()
    await asyncio.sleep(60)
    assert world.cloud.calls["register"] == 0
    assert [group.plan and group.plan.register for group in replica.controller.groups] == [
        (Target(instance("a"), PORTS[HTTP]),),
        (Target(instance("a"), PORTS[HTTPS]),),
    ]
    await replica.stop()


@virtually
async def test_a_paused_syncer_plans_as_it_would_act_and_writes_neither_record_nor_event() -> None:
    world = World({"NLB_SYNC_OWNERSHIP": "tracked"})
    world.join("a", "b", "c")
    first = world.replica()
    await world.until(lambda: len(world.cloud.serving(HTTP)) == 3, within=60)
    await asyncio.sleep(10)
    await first.stop()
    world.cluster.delete("c")
    recorded, writes = world.stored.state, len(world.stored.writes)
    world.settings = replace(world.settings, paused=True)
    paused = world.replica()
    await asyncio.sleep(120)
    plan = paused.controller.groups[0].plan
    assert plan is not None
    assert plan.deregister == (Target(instance("c"), PORTS[HTTP]),)  # ours, as the record says
    assert world.filled_with("a", "b", "c")
    assert (world.stored.state, len(world.stored.writes)) == (recorded, writes)
    assert paused.events.written == {}
    await paused.stop()


@virtually
async def test_once_ends_after_one_pass_over_each_group() -> None:
    world = World()
    world.join("a")
    replica = world.replica(once=True)
    await replica.wait()
    assert world.filled_with("a")


@virtually
async def test_once_ends_too_where_it_cannot_begin() -> None:
    world = World()
    cut_off = world.replica(once=True)
    cut_off.cluster.cut = True
    with pytest.raises(NotBegunError, match="within 30 s: cut off"):
        await cut_off.wait()
    port = world.cluster.ports.pop((SERVICE, "https"))
    with pytest.raises(NotBegunError, match="https: its NodePort is not known"):
        await world.replica(once=True).wait()
    world.cluster.expose(SERVICE, "https", port)
    leader = world.replica(elected=True)
    await asyncio.sleep(5)
    with pytest.raises(NotBegunError, match="another replica holds the Lease"):
        await world.replica(once=True, elected=True).wait()
    await leader.stop()


@virtually
async def test_a_full_group_is_filled_to_its_last_place_and_says_so() -> None:
    world = World()
    world.cloud.group(HTTP).quota = 7
    world.cloud.group(HTTP).deregistration_delay_s = 0
    world.join(*(f"n{number}" for number in range(10)))
    replica = world.replica()
    await world.until(lambda: len(world.cloud.registered(HTTP)) == 7, within=120)
    await asyncio.sleep(900)  # the places may still be dealt out anew, one step at a time
    assert len(world.cloud.registered(HTTP)) == 7
    plan = replica.controller.groups[0].plan
    held = plan.held if plan else ()
    assert [each.why for each in held] == ["Quota"] * 3
    await replica.stop()


@virtually
async def test_a_node_that_aws_refuses_keeps_no_place_from_another_one_and_gets_its_own_when_it_runs() -> (
    None
):
    first = None
    for dead in "abcd":
        world = World({"NLB_SYNC_TARGET_LIMIT": "3"})
        alive = [name for name in "abcd" if name != dead]
        world.join(*alive)
        world.cluster.put(node(dead, instance(dead)))
        replica = world.replica()
        await world.until(lambda world=world, alive=alive: world.filled_with(*alive), within=40)  # type: ignore[misc]
        await asyncio.sleep(1200)
        assert world.filled_with(*alive)
        world.cluster.put(node(dead, instance(dead), ready=False))
        await asyncio.sleep(5)
        world.join(dead)
        await asyncio.sleep(300)
        chosen = world.cloud.registered(HTTP)
        assert len(chosen) == 3
        assert first in {None, frozenset(chosen)}  # whoever was dead: the same choice as of four that run
        first = frozenset(chosen)
        await replica.stop()


@virtually
async def test_a_quota_that_was_raised_is_found_within_eleven_minutes_though_nothing_else_happens() -> None:
    world = World()
    for group in world.cloud.groups.values():
        group.quota = 3
    world.cloud.draining_counts = False
    world.join("a", "b", "c", "d")
    replica = world.replica()
    await asyncio.sleep(120)
    assert len(world.cloud.registered(HTTP)) == 3
    for group in world.cloud.groups.values():
        group.quota = 1000
    await world.until(lambda: world.filled_with("a", "b", "c", "d"), within=660)
    await replica.stop()


def test_a_fault_in_the_cluster_adapter_ends_the_process_instead_of_leaving_it_blind() -> None:
    async def story() -> None:
        world = World()
        replica = world.replica()

        async def broken(_: Any) -> None:
            raise RuntimeError("broken adapter")

        replica.cluster.run = broken  # type: ignore[method-assign,assignment]
        await replica.wait()

    with pytest.raises(RuntimeError, match="broken adapter"):
        run_virtually(story())


@virtually
async def test_a_target_without_a_node_may_be_one_of_a_node_that_is_not_selected() -> None:
    world = World({"NLB_SYNC_NODE_SELECTOR": "pool=a", "NLB_SYNC_SERVER_SIDE_SELECTOR": "true"})
    replica = world.replica()
    await asyncio.sleep(5)
    assert "that the label selector matches (pool=a)" in replica.status()["sentences"]["NoNode"]
    await replica.stop()
