"""Parse the output of kubectl (`get node -o json`) and of DescribeTargetHealth into records.

The running syncer and the commands that read files use the same parser for DescribeTargetHealth.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from syncer.decide.nodes import node_view
from syncer.decide.policy import NodePolicy
from syncer.model import OVERRIDE_UNKNOWN, InstanceId, NodeView, Target, TargetHealth, TargetState
from syncer.text.numbers import port

_STATES: Mapping[str, TargetState] = {state.value: state for state in TargetState}


class DocumentError(ValueError):
    """A document has an unexpected shape; the one-line message has the finding and its place."""


@dataclass(frozen=True, slots=True)
class NodeDocument:
    """Nodes in the given order; `complete` is false for a page of a longer list."""

    nodes: tuple[NodeView, ...]
    complete: bool


def read_nodes(document: object, policy: NodePolicy) -> NodeDocument:
    """Parse a Node, or a List of Nodes.

    Raises:
        DocumentError: if the document is neither. A malformed Node in a List is no error, but gets a verdict.

    """
    kind = _kind(document) if isinstance(document, dict) else ""
    if not isinstance(document, dict) or kind not in {"Node", "List", "NodeList"}:
        raise DocumentError(
            f"found {_shape(document)}, expected a Node or a List of Nodes (kubectl get node -o json)"
        )
    if kind == "Node":
        return NodeDocument((node_view(document, policy),), complete=True)
    items = document.get("items")
    if not isinstance(items, list):
        raise DocumentError(f"items is {_shape(items)}, expected the List's Nodes")
    for number, item in enumerate(items):
        if isinstance(item, dict) and _kind(item) not in {"", "Node"}:
            raise DocumentError(f"items[{number}] is {_shape(item)}, expected a Node")
    metadata = document.get("metadata")
    rest = metadata.get("continue") if isinstance(metadata, dict) else None
    return NodeDocument(tuple(node_view(item, policy) for item in items), complete=not rest)


def read_targets(document: object) -> tuple[TargetHealth, ...]:
    """Parse the targets of a DescribeTargetHealth answer.

    Raises:
        DocumentError: if the answer is malformed, or an entry names no target.

    """
    lines = document.get("TargetHealthDescriptions") if isinstance(document, dict) else None
    if not isinstance(lines, list):
        raise DocumentError(
            f"found {_shape(document)}, expected TargetHealthDescriptions"
            " (aws elbv2 describe-target-health --output json)"
        )
    return tuple(map(read_target, range(len(lines)), lines))


def read_target(number: int, line: object) -> TargetHealth:
    """Parse entry `number` of the answer, as printed by the CLI or parsed by botocore.

    Without health, or in a state that AWS has added later, the target is registered and does not serve.

    Raises:
        DocumentError: if id or port is missing or malformed, or the state is not a string.

    """
    where, parts = f"TargetHealthDescriptions[{number}]", _mapping(line)
    target, health = _mapping(parts.get("Target")), _mapping(parts.get("TargetHealth"))
    instance, port, state = target.get("Id"), target.get("Port"), health.get("State", TargetState.UNAVAILABLE)
    if not isinstance(instance, str) or not instance or not instance.isprintable():
        raise DocumentError(f"{where}.Target.Id is {_shape(instance)}, expected an instance id")
    if not isinstance(port, int) or isinstance(port, bool) or not 1 <= port <= 65535:  # noqa: PLR2004
        raise DocumentError(f"{where}.Target.Port is {_shape(port)}, expected a port from 1 to 65535")
    if not isinstance(state, str):
        raise DocumentError(f"{where}.TargetHealth.State is {_shape(state)}, expected a state")
    reason, zone, checked = health.get("Reason"), target.get("AvailabilityZone"), parts.get("HealthCheckPort")
    return TargetHealth(
        target=Target(InstanceId(instance), port),
        state=_STATES.get(state, TargetState.UNAVAILABLE),
        reason=reason if isinstance(reason, str) else "",
        zone=zone if isinstance(zone, str) and zone != "all" else "",
        check_port=_port(checked) if isinstance(checked, str) else 0,
        override=_override(parts.get("AdministrativeOverride")),
    )


def _override(value: object) -> str:
    """Return the state of a target's AdministrativeOverride; "" without an override.

    An override without a readable state counts as AWS's own state `unknown`.
    """
    if value is None or value in ({}, ""):  # absent in the CLI's output, or an empty element
        return ""
    state = _mapping(value).get("State")
    if not isinstance(state, str) or not state.isidentifier():
        return OVERRIDE_UNKNOWN
    return "" if state == "no_override" else sys.intern(state)


@cache
def _port(text: str) -> int:
    """Return the port, 0 for `traffic-port`. Cached, because all targets of a group share a port."""
    try:
        return port(text)
    except ValueError:
        return 0


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _kind(value: Mapping[str, Any]) -> str:
    """Return the kind of the document, "" if it is not a word."""
    kind = value.get("kind")
    return kind if isinstance(kind, str) and kind.isidentifier() else ""


def _shape(value: object) -> str:
    """Describe a value in a few words, never in full."""
    if isinstance(value, dict):
        return f"a {kind}" if (kind := _kind(value)) else "an object without kind"
    if isinstance(value, list):
        return "an array"
    return "nothing" if value is None else repr(value)[:60]
