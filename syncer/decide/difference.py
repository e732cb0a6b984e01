"""The difference between two desired states, with the input of both, for the log."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict

from syncer.model import Desired, GroupState, InstanceId, NodeView

_SAMPLE = 10


def difference(kept: Desired, full: Desired, nodes: Iterable[NodeView], groups: Sequence[GroupState]) -> str:
    """Describe the first ten instances with another intent or place, their Nodes and their targets."""
    instances = sorted(
        instance
        for instance in kept.intents.keys() | full.intents.keys() | kept.wanted | full.wanted
        if _shown(kept, instance) != _shown(full, instance)
    )
    sample = instances[:_SAMPLE]
    flags = [
        f"{name} {getattr(kept, name)} -> {getattr(full, name)}"
        for name in ("complete", "all_out", "unsettled")
        if getattr(kept, name) != getattr(full, name)
    ]
    changes = [f"{each} {_shown(kept, each)} -> {_shown(full, each)}" for each in sample]
    further = [f"{len(instances) - _SAMPLE} more"] if len(instances) > _SAMPLE else []
    found = ", ".join([*flags, *changes, *further]) or "verdicts only"
    return "; ".join([found, *_input(set(sample), nodes, groups)])


def _shown(desired: Desired, instance: InstanceId) -> str:
    intent = desired.intents.get(instance)
    known = f"{intent.standing} {intent.reason} {intent.zone or '-'}" if intent is not None else "absent"
    return known + (" wanted" if instance in desired.wanted else "")


def _input(
    instances: set[InstanceId], nodes: Iterable[NodeView], groups: Sequence[GroupState]
) -> Iterable[str]:
    """Yield the facts of the instances' Nodes, and the part of each group that the result depends on."""
    for node in nodes:
        if node.instance_id in instances:
            facts = asdict(node)
            yield "Node " + " ".join(f"{name}={value}" for name, value in facts.items() if value)
    for group in groups:
        targets = [
            f"{target.shown} {health.state} {health.reason or '-'} {health.zone or '-'}"
            for target, health in group.targets.items()
            if target.id in instances
        ]
        facts = {"limit": group.limit, "blind": group.blind, "unsettled": group.unsettled}
        facts["refused"] = sorted(instances.intersection(group.refused))
        shown = [f"{name}={value}" for name, value in facts.items() if value]
        yield f"group {group.target_group.rpartition(':')[2]}: " + ", ".join([*shown, *targets])
