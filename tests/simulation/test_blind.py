"""Where AWS denies DescribeTargetHealth: register what is in, remove what was seen to leave, say so."""

import asyncio

from syncer.decide.ownership import record
from syncer.errors import AccessDeniedError, UnreachableError
from syncer.model import GroupState, Target, TargetHealth, TargetState
from syncer.reconcile.observed_state import ObservedState
from tests.simulation.cluster import node
from tests.simulation.virtual import virtually
from tests.simulation.world import HTTP, PORTS, Replica, World, instance

DENIED = AccessDeniedError(
    "DescribeTargetHealth", "AccessDenied", "no policy allows it", "elasticloadbalancing:DescribeTargetHealth"
)


def deny(replica: Replica) -> None:
    for arn in PORTS:
        replica.elb.broken["describe", arn] = DENIED


def allow(replica: Replica) -> None:
    replica.elb.broken.clear()


def world_of(*names: str) -> World:
    world = World({"NLB_SYNC_OWNERSHIP": "tracked"})
    world.join(*names)
    return world


@virtually
async def test_blind_nodes_are_registered_and_those_that_leave_are_deregistered() -> None:
    world = world_of("a", "b", "c", "d")
    replica = world.replica()
    deny(replica)
    await world.until(lambda: world.filled_with("a", "b", "c", "d"), within=2)
    world.join("e")
    await world.until(lambda: world.filled_with("a", "b", "c", "d", "e"), within=2)
    world.cluster.delete("a")
    await world.until(lambda: world.filled_with("b", "c", "d", "e"), within=2)
    world.cluster.put(node("b", instance("b"), taints=["ToBeDeletedByClusterAutoscaler"]))
    await world.until(lambda: world.filled_with("c", "d", "e"), within=2)
    await replica.stop()


@virtually
async def test_blind_a_node_that_turns_not_ready_stays() -> None:
    world = world_of("a", "b")
    replica = world.replica()
    deny(replica)
    await world.until(lambda: world.filled_with("a", "b"), within=2)
    world.cluster.put(node("a", instance("a"), ready=False))
    await asyncio.sleep(1500)
    assert world.filled_with("a", "b")
    await replica.stop()


@virtually
async def test_blind_what_it_never_saw_leave_stays() -> None:
    world = world_of("a")
    stale = Target(instance("x"), PORTS[HTTP])
    world.cloud.launch(stale.id)
    world.cloud.register(HTTP, [stale])
    replica = world.replica()
    deny(replica)
    await world.until(lambda: world.cloud.registered(HTTP) == world.targets("a", "x"), within=2)
    await asyncio.sleep(1500)
    assert world.cloud.registered(HTTP) == world.targets("a", "x")
    await replica.stop()


@virtually
async def test_blind_every_node_is_told_again_within_ten_minutes() -> None:
    world = world_of("a", "b")
    replica = world.replica()
    deny(replica)
    await world.until(lambda: world.filled_with("a", "b"), within=2)
    world.cloud.deregister(HTTP, sorted(world.targets("a")))
    before = world.cloud.calls["register"]
    took = await world.until(lambda: world.filled_with("a", "b"), within=620)
    assert took > 590
    assert world.cloud.calls["register"] <= before + 2
    await replica.stop()


@virtually
async def test_blind_the_brake_keeps_half_and_forgets_what_has_drained() -> None:
    world = world_of("a", "b", "c", "d")
    replica = world.replica()
    deny(replica)
    await world.until(lambda: world.filled_with("a", "b", "c", "d"), within=2)
    for name in ("a", "b", "c"):
        world.cluster.delete(name)
    await asyncio.sleep(60)
    assert world.filled_with("a", "b", "c", "d")
    world.cluster.put(node("a", instance("a")))
    await world.until(lambda: world.filled_with("a", "d"), within=5)
    await asyncio.sleep(1300)
    world.cluster.delete("a")
    await world.until(lambda: world.filled_with("d"), within=5)
    await replica.stop()


@virtually
async def test_it_sees_again_by_itself_when_the_right_appears() -> None:
    world = world_of("a", "b")
    replica = world.replica()
    deny(replica)
    await world.until(lambda: world.filled_with("a", "b"), within=2)
    assert [group["blind"] for group in replica.status()["groups"]] == [True, True]
    assert b'nlb_sync_blind{target_group="http"} 1.0' in replica.metrics().encode()
    allow(replica)
    await world.until(lambda: replica.controller.groups[0].observed.fresh, within=310)
    world.cloud.deregister(HTTP, sorted(world.targets("a")))
    await world.until(lambda: world.filled_with("a", "b"), within=35)
    assert b'nlb_sync_blind{target_group="http"} 0.0' in replica.metrics().encode()
    await replica.stop()


@virtually
async def test_a_right_that_is_taken_away_leaves_it_blind_with_what_was_its_own() -> None:
    world = world_of("a", "b", "c")
    replica = world.replica()
    await world.until(lambda: world.cloud.serving(HTTP) == world.targets("a", "b", "c"), within=60)
    deny(replica)
    await asyncio.sleep(60)
    assert replica.controller.groups[0].observed.blind
    world.cluster.delete("a")
    await world.until(lambda: world.filled_with("b", "c"), within=2)
    assert replica.controller.groups[0].report.last_good_pass is not None
    await replica.stop()


def actual_of(*names: str) -> ObservedState:
    known = ObservedState()
    targets = [Target(instance(name), 80) for name in names]
    known.read(0.0, [TargetHealth(target=target, state=TargetState.HEALTHY) for target in targets])
    return known


def test_blind_it_believes_only_in_what_is_its_own_and_calls_nothing_healthy() -> None:
    known, ours = actual_of("ours", "foreign"), Target(instance("ours"), 80)
    assert known.denied({ours}, "denied")
    assert {target: health.state for target, health in known.targets.items()} == {
        ours: TargetState.UNAVAILABLE
    }
    assert not known.denied({ours}, "denied")


def test_blind_for_months_it_keeps_no_list_of_what_it_wrote() -> None:
    known = actual_of()
    for number in range(100):
        known.registered([Target(instance(str(number)), 80)], float(number))
        known.denied(set(), "denied")
    assert known._writes._last == {}


def test_blind_what_was_deregistered_is_struck_off_the_record_and_the_rest_stays_on_it() -> None:
    gone, unseen = Target(instance("gone"), 80), Target(instance("unseen"), 80)
    drains = TargetHealth(target=gone, state=TargetState.DRAINING)
    state = GroupState(target_group=HTTP, targets={gone: drains}, fresh=False, blind=True)
    new = Target(instance("new"), 80)
    assert record(state, frozenset({gone, unseen}), frozenset({new}), ()) == {unseen, new}


@virtually
async def test_blind_an_heir_removes_what_left_while_nobody_led_and_keeps_what_was_removed_out() -> None:
    world = world_of("a", "b", "c", "d")
    both = [world.replica(elected=True), world.replica(elected=True)]
    for replica in both:
        deny(replica)
    await world.until(lambda: world.filled_with("a", "b", "c", "d"), within=5)
    leader = next(each for each in both if each.leads)
    heir = next(each for each in both if each is not leader)
    world.cluster.delete("a")
    await world.until(lambda: world.filled_with("b", "c", "d"), within=5)
    await asyncio.sleep(10)
    await leader.kill()
    await asyncio.sleep(2)
    world.cluster.delete("b")
    before = world.cloud.calls["deregister"]
    await world.until(lambda: heir.leads and world.filled_with("c", "d"), within=20)
    assert world.cloud.calls["deregister"] == before + 2
    await heir.stop()


@virtually
async def test_blind_a_restart_finds_in_the_record_what_left_meanwhile() -> None:
    world = world_of("a", "b", "c")
    replica = world.replica()
    deny(replica)
    await world.until(lambda: world.filled_with("a", "b", "c"), within=5)
    await asyncio.sleep(10)
    await replica.kill()
    world.cluster.delete("a")
    successor = world.replica()
    deny(successor)
    await world.until(lambda: world.filled_with("b", "c"), within=5)
    await successor.stop()


@virtually
async def test_blind_a_restart_registers_what_was_recorded_and_never_got_through() -> None:
    world = world_of("a", "b")
    world.cluster.put(node("c", instance("c"), ready=False))
    world.cloud.launch(instance("c"))
    replica = world.replica()
    await world.until(lambda: world.filled_with("a", "b"), within=5)
    await asyncio.sleep(10)
    await replica.kill()
    world.join("c")
    successor = world.replica()
    deny(successor)
    await world.until(lambda: world.filled_with("a", "b", "c"), within=5)
    await successor.stop()


@virtually
async def test_blind_a_restart_whose_first_call_fails_makes_it_again_and_waits_for_no_ten_minutes() -> None:
    world = world_of("a")
    world.cluster.put(node("b", instance("b"), ready=False))
    world.cloud.launch(instance("b"))
    replica = world.replica()
    await world.until(lambda: world.filled_with("a"), within=5)
    await asyncio.sleep(10)
    await replica.kill()
    world.join("b")
    successor = world.replica()
    deny(successor)
    silent = UnreachableError("RegisterTargets", "ConnectTimeout", "no answer")
    successor.elb.broken |= {("register", arn): silent for arn in PORTS}
    await asyncio.sleep(3)
    deny(successor)
    for arn in PORTS:
        del successor.elb.broken["register", arn]
    await world.until(lambda: world.filled_with("a", "b"), within=15)
    await successor.stop()


@virtually
async def test_blind_nothing_is_removed_before_what_is_to_stay_was_registered() -> None:
    """What the record says of the others may never have got through."""
    world = world_of("a", "b")
    replica = world.replica()
    await world.until(lambda: world.filled_with("a", "b"), within=5)
    await asyncio.sleep(10)
    await replica.kill()
    world.cluster.delete("b")
    for arn in PORTS:
        world.cloud.deregister(arn, sorted(world.targets("a", arn=arn)))
    successor = world.replica()
    deny(successor)
    refused = AccessDeniedError("RegisterTargets", "AccessDenied", "no policy allows it", "RegisterTargets")
    successor.elb.broken |= {("register", arn): refused for arn in PORTS}
    await asyncio.sleep(1500)
    assert world.filled_with("b")
    for arn in PORTS:
        del successor.elb.broken["register", arn]
    await world.until(lambda: world.filled_with("a"), within=300)
    await successor.stop()


@virtually
async def test_a_node_that_joins_while_nothing_is_known_of_a_group_is_not_taken_for_registered() -> None:
    world = world_of("a")
    replica = world.replica()
    for arn in PORTS:
        replica.elb.broken["describe", arn] = UnreachableError("DescribeTargetHealth", "Any", "no answer")
    world.cluster.put(node("b", instance("b"), ready=False))
    world.cloud.launch(instance("b"))
    await asyncio.sleep(2)
    deny(replica)
    await asyncio.sleep(60)
    assert world.filled_with("a")
    world.join("b")
    await world.until(lambda: world.filled_with("a", "b"), within=5)
    await replica.stop()
