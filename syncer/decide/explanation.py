"""The full answer to "why is this node (not) a target": verdict, AWS's list, and the next action."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from syncer.decide.desired import final_verdicts
from syncer.decide.evaluate import Facts, rule_for
from syncer.decide.next_action import Action, next_actions
from syncer.decide.policy import NodePolicy
from syncer.decide.reasons import NO_NODE
from syncer.model import (
    QUARANTINES,
    Desired,
    Evaluation,
    GroupPlan,
    GroupState,
    InstanceId,
    NodeView,
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
    `unread`: the API server does not send the Node to the syncer, because the label selector is sent to it.
    """

    node: str
    instance_id: InstanceId | None
    standing: Standing
    reason: str
    groups: tuple[AtGroup, ...]
    authoritative: str = ""
    zone: str = ""
    zone_source: str = ""
    unread: bool = False


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


def explain_unlisted(
    node: NodeView, listed: Iterable[Explanation], states: Iterable[GroupState], policy: NodePolicy
) -> Explanation:
    """Return the explanation of a Node that the API server does not list for the label selector.

    Plans do not know the Node: a target of its instance is a target without a Node, as in `listed`, unless
    another Node of the instance is listed and decides.
    """
    known = {each.instance_id: each for each in listed if each.instance_id is not None}
    same = known.get(node.instance_id) if node.instance_id is not None else None
    groups = same.groups if same else tuple(_nowhere(state) for state in states)
    if same is not None and same.node:
        return replace(
            same, node=node.name, authoritative=same.authoritative or same.node, unread=not node.selected
        )
    rule = rule_for(Facts(node, registered=same is not None, policy=policy))
    return Explanation(
        node=node.name,
        instance_id=node.instance_id,
        standing=rule.standing,
        reason=rule.code.format(key=node.leaving_taint),
        groups=groups,
        zone=node.zone,
        zone_source=node.zone_source,
        unread=not node.selected,
    )


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
            state=health.state.value if health else _missing(self.state),
            reason=health.reason if health else "",
            next=action,
            why=why,
            override=health.override if health else "",
            retry_in=self.releases.get(target) if why in QUARANTINES else None,
        )


def _missing(state: GroupState) -> str:
    return ABSENT if state.fresh else UNKNOWN


def _nowhere(state: GroupState, *, over_quota: bool = False) -> AtGroup:
    """Return the entry of an instance that the plan does not name: of those over the quota, most."""
    waits = over_quota and state.port is not None
    return AtGroup(
        target_group=state.target_group,
        port=state.port if waits else None,
        state=_missing(state),
        reason="",
        next=Action.HOLD if waits else Action.NOTHING,
        why=Why.QUOTA if waits else None,
    )


def _at_groups(instance: InstanceId | None, views: Iterable[_View]) -> tuple[AtGroup, ...]:
    found: list[AtGroup] = []
    for view in views:
        targets = view.targets.get(instance, []) if instance else []
        found += [view.at(target) for target in targets] or [
            _nowhere(view.state, over_quota=instance in view.desired.over_quota)
        ]
    return tuple(found)
