from dataclasses import replace
from typing import Any

from sandbox.status import Group, Node, Status, Target, best_pod


def target(node: str, state: str = "healthy") -> Target:
    return Target(id=f"i-{node}", port=30080, node=node, state=state, reason="")


def node(name: str, *, ready: bool = True) -> Node:
    return Node(name=name, instance_id=f"i-{name}", zone="a", ready=ready, cordoned=False, taints=())


def status(http: list[Target], https: list[Target], nodes: list[Node] | None = None) -> Status:
    return Status(
        static_ips={},
        listeners={},
        entries={},
        groups=(
            Group(name="http", arn="arn:http", targets=tuple(http)),
            Group(name="https", arn="arn:https", targets=tuple(https)),
        ),
        nodes=tuple(nodes or [node("a"), node("b")]),
        syncer="http://127.64.16.99:8080/",
        syncer_ready=True,
        processes=(),
    )


def test_a_sandbox_is_settled_when_every_group_has_the_same_healthy_targets() -> None:
    both = [target("a"), target("b")]
    assert status(both, both).settled


def test_it_is_not_settled_without_targets_or_while_one_is_missing_or_not_healthy() -> None:
    both = [target("a"), target("b")]
    assert not status([], []).settled
    assert not status(both, both[:1]).settled
    assert not status(both, [target("a"), target("b", "initial")]).settled


def test_it_is_not_settled_before_the_syncer_is_ready() -> None:
    both = [target("a"), target("b")]
    assert not replace(status(both, both), syncer_ready=False).settled


def test_the_target_of_a_silent_node_is_not_waited_for() -> None:
    both = [target("a"), target("b", "unhealthy")]
    assert status(both, both, [node("a"), node("b", ready=False)]).settled
    assert not status(both, both).settled


def pod(ip: str, *, ready: bool = True, **metadata: str) -> dict[str, Any]:
    condition = {"type": "Ready", "status": "True" if ready else "False"}
    return {"metadata": metadata, "status": {"podIP": ip, "conditions": [condition]}}


def test_the_page_is_a_ready_pods_that_is_not_being_deleted() -> None:
    deleted = pod("127.64.0.1", deletionTimestamp="2026-01-01T00:00:00Z")
    assert best_pod([deleted, pod("127.64.0.2", ready=False), pod("127.64.0.3")]) == ("127.64.0.3", True)
    assert best_pod([deleted, pod("127.64.0.2", ready=False)]) == ("127.64.0.2", False)
    assert best_pod([deleted]) == ("", False)
