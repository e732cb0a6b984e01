"""The full answer to "why is this node (not) a target": verdict, AWS's list, and the next action."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from syncer.decide.desired import final_verdicts
from syncer.decide.next_action import Action, next_actions
from syncer.decide.reasons import NO_NODE
from syncer.model import (
    QUARANTINES,
    Desired,
    Evaluation,
    GroupPlan,
    GroupState,
    InstanceId,
    Standing,
    Target,
    TargetGroupArn,
    Why,
)

ABSENT = "absent"
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class AtGroup:
    """A target of the instance in one group; `port` is None without an existing or wanted target.

    `state`, `reason` and `override` (of a zonal shift) are as AWS reports them. `state` is `absent` without a
    target, and `unknown` if the group could not be read. `why` is the rule if `next` is `hold`. A quarantined
    target is retried in `retry_in` seconds, else None.
    """

    target_group: TargetGroupArn
    port: int | None
    state: str
    reason: str
    next: Action
    why: Why | None
    override: str = ""
    retry_in: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A node, or an instance that AWS lists without a Node (`node` is "").

    `authoritative` is the name of the authoritative Node if another Node of the instance decides, else "".
    """

    node: str
    instance_id: InstanceId | None
    standing: Standing
    reason: str
    groups: tuple[AtGroup, ...]
    authoritative: str = ""
    zone: str = ""
    zone_source: str = ""


def explanations(
    evaluation: Evaluation,
    desired: Desired,
    states: Sequence[GroupState],
    plans: Sequence[GroupPlan],
    releases: Mapping[TargetGroupArn, Mapping[Target, float]],
) -> list[Explanation]:
    """Return an explanation of every Node in the given order, then of every instance without a Node.

    `releases` has, by group, the seconds until every quarantined target is retried.
    """
    views = [
        _View(desired, state, plan, releases.get(state.target_group, {}))
        for state, plan in zip(states, plans, strict=True)
    ]
    found = [
        Explanation(
            node=verdict.node,
            instance_id=verdict.instance_id,
            standing=verdict.standing,
            reason=verdict.reason,
            groups=_at_groups(verdict.instance_id, views),
            authoritative=verdict.authoritative,
            zone=verdict.zone,
            zone_source=verdict.zone_source,
        )
        for verdict in final_verdicts(evaluation, desired)
    ]
    known = {verdict.instance_id for verdict in evaluation.verdicts}
    strangers = sorted({instance for view in views for instance in view.targets} - known)
    return found + [
        Explanation(
            node="",
            instance_id=instance,
            standing=Standing.OUT,
            reason=NO_NODE,
            groups=_at_groups(instance, views),
        )
        for instance in strangers
    ]


class _View:
    """State and plan of a group, by instance."""

    def __init__(
        self, desired: Desired, state: GroupState, plan: GroupPlan, releases: Mapping[Target, float]
    ) -> None:
        self.desired = desired
        self.state = state
        self.releases = releases
        self.actions = next_actions(plan)
        self.targets: dict[InstanceId, list[Target]] = defaultdict(list)
        for target in sorted({*state.targets, *self.actions}):
            self.targets[target.id].append(target)

    def at(self, target: Target) -> AtGroup:
        health = self.state.targets.get(target)
        action, why = self.actions[target]
        return AtGroup(
            target_group=self.state.target_group,
            port=target.port,
            state=health.state.value if health else self.missing,
            reason=health.reason if health else "",
            next=action,
            why=why,
            override=health.override if health else "",
            retry_in=self.releases.get(target) if why in QUARANTINES else None,
        )

    @property
    def missing(self) -> str:
        return ABSENT if self.state.fresh else UNKNOWN

    def nowhere(self, instance: InstanceId | None) -> AtGroup:
        """Return the entry of an instance that the plan does not name: of those over the quota, most."""
        is_over = instance is not None and instance in self.desired.over_quota
        waits = is_over and self.state.port is not None
        return AtGroup(
            target_group=self.state.target_group,
            port=self.state.port if waits else None,
            state=self.missing,
            reason="",
            next=Action.HOLD if waits else Action.NOTHING,
            why=Why.QUOTA if waits else None,
        )


def _at_groups(instance: InstanceId | None, views: Iterable[_View]) -> tuple[AtGroup, ...]:
    found: list[AtGroup] = []
    for view in views:
        targets = view.targets.get(instance, []) if instance else []
        found += [view.at(target) for target in targets] or [view.nowhere(instance)]
    return tuple(found)
