"""Where Node and instance are not one to one: renamed, re-created, stopped."""

import time

import pytest

from sandbox.cloud.client import ec2_client
from tests.integration.syncer.household import Household, Syncer

pytestmark = pytest.mark.toolchain

EXCLUDED = "node.kubernetes.io/exclude-from-external-load-balancers"


def _removed(home: Household, syncer: Syncer) -> float:
    """How many targets the syncer has taken out of both groups."""
    each = 'nlb_sync_changes_total{{change="deregister",target_group="{}"}}'
    return sum(syncer.metric(each.format(group)) for group in home.names())


def _instances(home: Household, group: str = "http") -> set[str]:
    return {home.instances.get(name, name) for name, _ in home.registered(group)}


def _holds(syncer: Syncer) -> bool:
    """Whether removals wait to be confirmed in both groups."""
    return all(group["hold_id"] for group in syncer.status["groups"])


def test_of_two_nodes_with_one_instance_the_newest_speaks_and_neither_takes_the_target_away(
    home: Household,
) -> None:
    home.join("old", "b", "c")
    syncer = home.syncer()
    home.until(lambda: home.filled_with("old", "b", "c"), within=20)
    instances = _instances(home)
    time.sleep(1.1)  # a Node's age is in whole seconds
    home.join_as("new", home.instances["old"])
    home.until(lambda: len(syncer.status["nodes"]) == 4, within=5)
    home.label("old", EXCLUDED, "true")
    home.stays(lambda: _instances(home) == instances, for_s=2)
    home.delete("old")
    home.until(lambda: len(syncer.status["nodes"]) == 3, within=5)
    home.stays(lambda: _instances(home) == instances, for_s=2)
    assert _removed(home, syncer) == 0
    home.label("new", EXCLUDED, "true")
    home.until(lambda: _instances(home) == {home.instances["b"], home.instances["c"]}, within=10)


def test_a_stopped_instance_stays_a_target_and_serves_again_when_it_is_started(home: Household) -> None:
    home.join("a", "b", "sleeper")
    syncer = home.syncer()
    home.until(lambda: home.filled_with("a", "b", "sleeper"), within=20)
    home.until(lambda: set(home.states().values()) == {"healthy"}, within=10)
    ec2 = ec2_client(home.layout.aws_url)
    ec2.stop_instances(InstanceIds=[home.instances["sleeper"]])
    home.ready("sleeper", "Unknown")
    home.until(lambda: home.states()["sleeper"] == "unused Target.InvalidState", within=10)
    home.until(lambda: _state_in_status(home, syncer, "sleeper") == "unused", within=10)
    home.stays(lambda: len(home.registered("http")) == 3, for_s=2)
    ec2.start_instances(InstanceIds=[home.instances["sleeper"]])
    home.ready("sleeper", "True")
    home.until(lambda: home.states()["sleeper"] == "healthy", within=10)
    assert _removed(home, syncer) == 0
    verdicts = {each["node"]: each["verdict"] for each in syncer.status["nodes"]}
    assert verdicts == {"a": "in", "b": "in", "sleeper": "in"}


def test_a_node_whose_instance_does_not_run_yet_is_registered_as_soon_as_it_turns_ready(
    home: Household,
) -> None:
    home.join("a", "late")
    home.delete("late")
    ec2 = ec2_client(home.layout.aws_url)
    ec2.stop_instances(InstanceIds=[home.instances["late"]])
    syncer = home.syncer()
    home.until(lambda: home.filled_with("a"), within=20)
    home.join("late")  # it says that it is Ready, and AWS says that it does not run
    home.until(lambda: all(group["held"] for group in syncer.status["groups"]), within=10)
    assert {each["why"] for group in syncer.status["groups"] for each in group["held"]} == {"Poison"}
    home.ready("late", "False")
    ec2.start_instances(InstanceIds=[home.instances["late"]])
    home.until(lambda: _verdict(syncer, "late") == "NotReadyYet", within=5)
    home.ready("late", "True")
    assert home.until(lambda: home.filled_with("a", "late"), within=10) < 3


def test_a_node_that_its_kubelet_makes_again_has_its_target_back_at_once(home: Household) -> None:
    home.join("a", "b", "c", "d")
    syncer = home.syncer()
    home.until(lambda: home.filled_with("a", "b", "c", "d"), within=20)
    home.until(lambda: set(home.states().values()) == {"healthy"}, within=10)
    home.delete("a")
    home.until(lambda: home.filled_with("b", "c", "d"), within=5)
    assert home.states()["a"].startswith("draining")
    home.join("a")
    assert home.until(lambda: home.filled_with("a", "b", "c", "d"), within=10) < 3
    home.until(lambda: not syncer.status["problems"] and not _holds(syncer), within=5)


def test_nodes_that_are_all_deleted_and_made_again_keep_the_floor_and_come_back(home: Household) -> None:
    home.join("a", "b", "c", "d")
    syncer = home.syncer()
    home.until(lambda: home.filled_with("a", "b", "c", "d"), within=20)
    home.until(lambda: set(home.states().values()) == {"healthy"}, within=10)
    home.delete_all_nodes()
    home.until(lambda: _holds(syncer), within=10)
    home.stays(lambda: len(home.registered("http")) >= 2, for_s=2)
    home.join("d", "c", "b", "a")
    assert home.until(lambda: home.filled_with("a", "b", "c", "d"), within=10) < 3
    home.until(lambda: not _holds(syncer), within=5)


def test_an_empty_list_at_start_takes_no_target_and_is_not_called_ready(
    home: Household,
) -> None:
    home.join("a", "b", "c", "d")
    syncer = home.syncer()
    home.until(lambda: home.filled_with("a", "b", "c", "d"), within=20)
    home.until(lambda: set(home.states().values()) == {"healthy"}, within=10)
    syncer.stop()
    home.delete_all_nodes()
    syncer = home.syncer()
    home.until(lambda: "held as doubtful" in syncer.get("/readyz")[1], within=15)
    home.stays(lambda: len(home.registered("http")) == 4, for_s=2)
    assert _removed(home, syncer) == 0
    home.join("a", "b", "c", "d")
    home.until(lambda: syncer.ready and home.filled_with("a", "b", "c", "d"), within=5)


def test_a_node_alone_keeps_its_target_while_it_is_made_again(home: Household) -> None:
    home.join("a")
    syncer = home.syncer()
    home.until(lambda: home.filled_with("a"), within=20)
    home.until(lambda: home.states() == {"a": "healthy"}, within=10)
    home.delete("a")
    home.until(lambda: all(group["held"] for group in syncer.status["groups"]), within=5)
    home.join("a")
    home.until(lambda: not any(group["held"] for group in syncer.status["groups"]), within=5)
    assert home.filled_with("a")
    assert _removed(home, syncer) == 0


def _verdict(syncer: Syncer, node: str) -> str:
    return next(str(each["reason"]) for each in syncer.status["nodes"] if each["node"] == node)


def _state_in_status(home: Household, syncer: Syncer, node: str) -> str:
    targets = syncer.status["groups"][0]["targets"]
    return next(str(each["state"]) for each in targets if each["id"] == home.instances[node])
