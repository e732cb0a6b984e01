"""What `kubectl get node -o json` and `aws elbv2 describe-target-health` print, to be varied."""

from collections.abc import Iterable, Mapping
from typing import Any

ZONE = "eu-central-1a"
PORT = 30080

Json = dict[str, Any]


def instance(letter: str) -> str:
    """The id of instance `letter`, one of `a` to `f`."""
    return f"i-0{letter * 16}"


def node(letter: str = "a", **changes: Any) -> Json:
    """A Ready Node of instance `letter`.

    `labels`, `metadata`, `spec` and `status` replace or add fields of that part; `without` takes away parts
    or fields, written as `part` or `part.field`.
    """
    labels = {"kubernetes.io/os": "linux", "topology.kubernetes.io/zone": ZONE} | changes.get("labels", {})
    raw: Json = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": f"node-{letter}",
            "uid": f"00000000-0000-0000-0000-{ord(letter):012}",
            "resourceVersion": "4711",
            "creationTimestamp": "2026-11-23T08:00:00Z",
            "annotations": {"node.alpha.kubernetes.io/ttl": "0"},
            "labels": labels,
            **changes.get("metadata", {}),
        },
        "spec": {
            "podCIDR": "10.1.2.0/24",
            "providerID": f"aws:///{ZONE}/{instance(letter)}",
            **changes.get("spec", {}),
        },
        "status": {
            "addresses": [{"type": "InternalIP", "address": "10.0.0.7"}],
            "conditions": [condition("MemoryPressure", "False"), condition("Ready", "True")],
            "nodeInfo": {"kubeletVersion": "v1.36.3"},
            **changes.get("status", {}),
        },
    }
    for path in changes.get("without", ()):
        part, _, field = path.partition(".")
        if field:
            del raw[part][field]
        else:
            del raw[part]
    return raw


def condition(kind: str, status: Any) -> Json:
    return {
        "type": kind,
        "status": status,
        "reason": "KubeletReady" if status == "True" else "NodeStatusUnknown",
        "lastTransitionTime": "2026-11-23T08:01:00Z",
    }


def not_ready(status: Any = "False") -> Json:
    """The `status` of a Node whose Ready condition says `status`."""
    return {"conditions": [condition("MemoryPressure", "Unknown"), condition("Ready", status)]}


def tainted(*taints: Mapping[str, Any] | str) -> Json:
    """The `spec` of a Node with these taints; a bare key is one without value and effect."""
    return {"taints": [{"key": taint} if isinstance(taint, str) else dict(taint) for taint in taints]}


def taint(key: str, value: str | None = None, effect: str = "NoSchedule") -> Json:
    return {"key": key, "effect": effect} | ({} if value is None else {"value": value})


def listed(*nodes: Any, **metadata: str) -> Json:
    """The List in which kubectl wraps several Nodes."""
    return {
        "apiVersion": "v1",
        "kind": "List",
        "metadata": {"resourceVersion": ""} | metadata,
        "items": [*nodes],
    }


def target(who: str, state: str | None = "healthy", reason: str | None = None, **changes: Any) -> Json:
    """One line of DescribeTargetHealth: of instance `who` if that is a letter, else of the id `who`.

    Without `state` there is no TargetHealth. `port` is the target's; other `changes` are keys of the line.
    """
    port = changes.pop("port", PORT)
    line: Json = {
        "Target": {"Id": instance(who) if len(who) == 1 else who, "Port": port},
        "HealthCheckPort": str(port),
    }
    if state is not None:
        line["TargetHealth"] = {"State": state}
        if reason is not None:
            line["TargetHealth"] |= {"Reason": reason, "Description": "as AWS describes it"}
    return line | changes


def health(lines: Iterable[Json]) -> Json:
    return {"TargetHealthDescriptions": [*lines]}
