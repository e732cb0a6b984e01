"""Changes of nodes from outside: join, drain by various tools, failure, replacement."""

import itertools
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sandbox.cloud.client import ec2_client
from sandbox.cloud.network import ZONES, run_node_instance
from sandbox.cluster.rest import ApiError, Rest
from sandbox.errors import SandboxError
from sandbox.layout import Layout
from sandbox.nodes import control, ec2
from sandbox.nodes.drain import TOOLS, Drain
from sandbox.nodes.node import GROUP_LABEL, Kind, node_object
from sandbox.nodes.status import is_ready

Progress = Callable[[str], None]

# Two critical nodes in different zones, so that the syncer's Pod survives the drain of either node.
_SEED = (
    ("control-plane", "eu-central-1a", Kind.CONTROL_PLANE),
    ("node-1", "eu-central-1a", Kind.CRITICAL),
    ("node-2", "eu-central-1b", Kind.CRITICAL),
    ("node-3", "eu-central-1c", Kind.WORKER),
    ("node-4", "eu-central-1a", Kind.WORKER),
    ("node-5", "eu-central-1b", Kind.WORKER),
)
_READY_WITHIN_S = 60.0  # usually one second; the nodes process may still be starting on a busy machine
_POLL_S = 0.1
_GONE = "terminated"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeState:
    """A node for a table: its machine in EC2 and its object in the cluster; either may be missing."""

    name: str
    kind: str
    zone: str
    ip: str
    instance_id: str
    instance_state: str
    ready: bool
    cordoned: bool
    leaving: bool
    killed: bool


def _silent(_: str) -> None:
    pass


def seed_nodes(layout: Layout) -> list[str]:
    """Create the missing nodes of a fresh sandbox, and wait until they are Ready.

    Raises SandboxError. A sandbox whose nodes were changed by a user stays unchanged.
    """
    nodes = list_nodes(layout)
    existing = {node.name for node in nodes if node.instance_state != _GONE}
    marker = layout.run / "nodes-seeded"
    missing = [one for one in _SEED if one[0] not in existing] if not (existing and marker.exists()) else []
    for stale in {node.name for node in nodes} - existing:
        Rest(layout).delete(f"/api/v1/nodes/{stale}")  # its instance ended with a stopped AWS process
    for name, zone, kind in missing:
        _join(layout, name, zone, kind)
    _wait_ready(layout, [name for name, _, _ in missing])
    marker.touch()
    return sorted(existing | {name for name, _, _ in missing})


def add(
    layout: Layout,
    count: int = 1,
    *,
    names: Sequence[str] = (),
    zone: str | None = None,
    critical: bool = False,
    progress: Progress = _silent,
) -> list[str]:
    """Start `count` nodes (or nodes named `names`), in the zones with the fewest nodes; wait until Ready.

    Returns their names. Raises SandboxError for an invalid name or zone.
    """
    existing = list_nodes(layout)
    chosen = list(names) or _free_names(existing, count)
    taken = set(chosen) & {node.name for node in existing}
    if taken:
        raise SandboxError(f"node {min(taken)} exists already; choose another name, or omit the name")
    if zone is not None and zone not in ZONES:
        raise SandboxError(f"unknown zone: {zone!r}; allowed: {', '.join(ZONES)}")
    nodes_per_zone = Counter(dict.fromkeys(ZONES, 0))
    nodes_per_zone.update(node.zone for node in existing if node.kind != Kind.CONTROL_PLANE)
    for name in chosen:
        where = zone or min(nodes_per_zone, key=lambda each: (nodes_per_zone[each], each))
        nodes_per_zone[where] += 1
        progress(f"{name}: starting an instance in {where}")
        _join(layout, name, where, Kind.CRITICAL if critical else Kind.WORKER)
    _wait_ready(layout, chosen)
    return chosen


def drain(
    layout: Layout,
    name: str,
    as_: str = "autoscaler",
    pause_s: float = 10.0,
    progress: Progress = _silent,
) -> None:
    """Take node `name` out of service as the tool `as_` does (a key of `drain.TOOLS`); its instance ends.

    The machine serves until the instance ends. Raises SandboxError for an unknown node or tool.
    """
    node = _find(layout, name)
    if as_ not in TOOLS:
        raise SandboxError(f"unknown drain tool: {as_!r}; allowed: {', '.join(TOOLS)}")
    TOOLS[as_](Drain(layout, name, node.instance_id, pause_s, progress))


def kill(layout: Layout, name: str) -> None:
    """Cut the power of node `name`: no answers, but still running in EC2. Raises SandboxError."""
    _find(layout, name)
    _control(layout, "POST", f"/nodes/{name}/kill")


def revive(layout: Layout, name: str) -> None:
    """Switch a killed node on again. Raises SandboxError."""
    _find(layout, name)
    _control(layout, "POST", f"/nodes/{name}/revive")


def fail_pings(layout: Layout, name: str, *, failing: bool = True) -> None:
    """Make the ingress on node `name` answer `/ping` with 503 (or 200 again). Raises SandboxError."""
    _find(layout, name)
    _control(layout, "POST", f"/nodes/{name}/pings-{'fail' if failing else 'pass'}")


def replace(
    layout: Layout,
    name: str,
    as_: str = "autoscaler",
    pause_s: float = 10.0,
    progress: Progress = _silent,
) -> str:
    """Start a node of the same zone and kind, then drain `name`; return the new node's name."""
    old = _find(layout, name)
    (new,) = add(layout, zone=old.zone, critical=old.kind == Kind.CRITICAL, progress=progress)
    drain(layout, name, as_, pause_s, progress)
    return new


def list_nodes(layout: Layout) -> list[NodeState]:
    """Return all nodes with an instance or a Node object, by name."""
    machines = {one.node: one for one in ec2.instances(ec2_client(layout.aws_url))}
    objects = {item["metadata"]["name"]: item for item in Rest(layout).get("/api/v1/nodes")["items"]}
    try:
        killed = {one["name"] for one in control.call(layout, "GET", "/nodes")["nodes"] if one["killed"]}
    except control.NodesDownError:
        killed = set()
    return [
        _state(name, machines.get(name), objects.get(name), killed=name in killed)
        for name in sorted(machines | objects)
    ]


def _state(
    name: str, machine: ec2.Instance | None, node: dict[str, Any] | None, *, killed: bool
) -> NodeState:
    metadata, spec, status = (
        (node or {}).get(part) or cast("dict[str, Any]", {}) for part in ("metadata", "spec", "status")
    )
    return NodeState(
        name=name,
        kind=metadata.get("labels", {}).get(GROUP_LABEL, ""),
        zone=machine.zone if machine else metadata.get("labels", {}).get("topology.kubernetes.io/zone", ""),
        ip=machine.ip if machine else "",
        instance_id=machine.id if machine else spec.get("providerID", "").rpartition("/")[2],
        instance_state=machine.state if machine else _GONE,
        ready=is_ready(status),
        cordoned=spec.get("unschedulable", False),
        leaving="deletionTimestamp" in metadata,
        killed=killed,
    )


def _find(layout: Layout, name: str) -> NodeState:
    nodes = list_nodes(layout)
    for node in nodes:
        if node.name == name:
            return node
    known = ", ".join(node.name for node in nodes) or "none"
    raise SandboxError(f"unknown node: {name!r}; known: {known}")


def _join(layout: Layout, name: str, zone: str, kind: Kind) -> None:
    instance = run_node_instance(layout.aws_url, name, zone)
    body = node_object(name, zone, instance, kind)
    try:
        Rest(layout).create("/api/v1/nodes", body)
    except ApiError as error:
        ec2.terminate(ec2_client(layout.aws_url), instance.instance_id)
        raise SandboxError(f"the cluster refuses node {name}: {error}") from error


def _wait_ready(layout: Layout, names: Sequence[str]) -> None:
    deadline = time.monotonic() + _READY_WITHIN_S
    waiting = set(names)
    while waiting:
        items = Rest(layout).get("/api/v1/nodes")["items"]
        waiting -= {item["metadata"]["name"] for item in items if is_ready(item.get("status", {}))}
        if waiting and time.monotonic() > deadline:
            raise SandboxError(
                f"node {min(waiting)} is not Ready after {_READY_WITHIN_S:.0f} s; "
                f"see {layout.logs / 'nodes.log'}"
            )
        time.sleep(_POLL_S)


def _free_names(existing: Sequence[NodeState], count: int) -> list[str]:
    taken = {node.name for node in existing}
    numbers = (f"node-{number}" for number in itertools.count(1))
    return list(itertools.islice((name for name in numbers if name not in taken), count))


def _control(layout: Layout, method: str, path: str) -> None:
    try:
        control.call(layout, method, path)
    except ValueError as error:
        raise SandboxError(str(error)) from error
