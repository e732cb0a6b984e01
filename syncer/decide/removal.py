"""Chooses and orders the targets to deregister now, and holds the others (rules 1, 2, 4, 6, 7)."""

import hashlib
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from itertools import groupby
from math import inf

from syncer.decide.brake import Brake
from syncer.decide.context import Context
from syncer.decide.policy import Ownership
from syncer.model import (
    Target,
    TargetGroupArn,
    TargetHealth,
    TargetState,
    Urgency,
    Why,
)

# If the old port is healthy and the new port is not on this many instances, the new port is the cause.
_SEVERAL = 3


@dataclass(slots=True)
class Unwanted:
    """The registered targets to remove, by the reason for the removal.

    `announced`: the node is leaving. `superseded`: the same instance is wanted on another port. `displaced`:
    the node is wanted, but has no place in the quota. `doubtful`: the removal is not announced; the target is
    only no longer wanted. `held`: kept whatever the brake decides, with the reason.
    """

    announced: list[Target] = field(default_factory=list)
    superseded: list[Target] = field(default_factory=list)
    displaced: list[Target] = field(default_factory=list)
    doubtful: list[Target] = field(default_factory=list)
    held: dict[Target, Why] = field(default_factory=dict)


def unwanted(context: Context) -> Unwanted:
    """Sort the registered targets that are not wanted."""
    found = Unwanted()
    for target in context.surplus:
        if context.actual.port is None and target.id in context.desired.wanted:
            continue  # unknown port: this port may be the right one
        why = _kept(context, target)
        if why is not None:
            found.held[target] = why
        elif target.id in context.desired.wanted:
            found.superseded.append(target)
        elif not _may_be_cleared(context, target):
            found.held[target] = Why.FOREIGN
        elif target.id in context.notices:
            found.announced.append(target)
        elif target.id in context.desired.over_quota:
            # A limit is too low if learnt while AWS did not show the whole group.
            if context.desired.unsettled:
                found.held[target] = Why.QUOTA
            else:
                found.displaced.append(target)
        else:
            found.doubtful.append(target)
    return found


def _kept(context: Context, target: Target) -> Why | None:
    if not context.desired.complete:
        return Why.NO_NODE_LIST
    if context.policy.ownership is Ownership.ADD_ONLY:
        return Why.ADD_ONLY
    if context.policy.ownership is Ownership.TRACKED and target not in context.owned:
        return Why.FOREIGN
    if context.actual.set_aside.get(target) is Why.CONTESTED and target.id not in context.notices:
        return Why.CONTESTED
    if target in context.actual.stuck:
        return Why.POISON
    if not (context.actual.fresh or context.actual.blind):
        return Why.SHARE  # the read failed: the number of serving targets is unknown
    return None


def _may_be_cleared(context: Context, target: Target) -> bool:
    """Whether the target is owned, or an owned target is healthy, with or without a place."""
    return target in context.owned or context.settled or context.crowded_out


@dataclass(slots=True)
class Removed:
    """What is decided on unwanted targets: `going` are deregistered now, the others held.

    `look_again` has the seconds until time changes a decision. `released` targets are confirmed.
    """

    going: list[Target] = field(default_factory=list)
    held: dict[Target, Why] = field(default_factory=dict)
    look_again: list[float] = field(default_factory=list)
    hold_id: str = ""
    released: frozenset[Target] = frozenset()


class Removals:
    """Passes the unwanted targets to the brake in the order of rule 2; `found` has the decisions."""

    def __init__(self, context: Context, brake: Brake, zone_of: Callable[[Target], str]) -> None:
        self._context = context
        self._brake = brake
        self._zone_of = zone_of
        self.found = Removed()

    def announced(self, targets: Collection[Target]) -> None:
        """Release targets of leaving nodes: deadlines, then labels, then cordons, from every zone in turn."""
        for target in self._in_order(targets):
            left = self._patience_left(target)
            why = self._brake.release(target, share=left > 0)
            self._note(target, why)
            if why is Why.SHARE:
                self.found.look_again.append(left)

    def _patience_left(self, target: Target) -> float:
        """Return the seconds for which a leaving target waits for the share; `inf` without a deadline."""
        notice = self._context.notices[target.id]
        if notice.urgency is not Urgency.DEADLINE:
            return inf
        return notice.since + self._context.policy.deadline_patience - self._context.now

    def replaced(self, targets: Collection[Target]) -> None:
        """Release targets on an old port, once the successor is healthy or after a bounded wait."""
        for target in sorted(targets):
            if self._succeeded(target):
                self._note(target, self._brake.release(target))
            else:
                self.found.held[target] = Why.AWAITING_SUCCESSOR

    def _succeeded(self, target: Target) -> bool:
        context = self._context
        if target not in context.succeeding or context.actual.port is None:
            return False
        successor = context.actual.targets.get(Target(target.id, context.actual.port))
        if (
            successor is not None
            and successor.state is TargetState.HEALTHY
            and self._stands_in(successor, target)
        ):
            return True
        left = context.succeeding[target] + context.policy.successor_patience - context.now
        if left > 0:
            self.found.look_again.append(left)
        # If no wanted target is healthy, the health check is at fault, not the successor (rule 8).
        return left <= 0 and context.settled

    def _stands_in(self, successor: TargetHealth, target: Target) -> bool:
        """Whether traffic reaches the successor, or does not reach the old target either (zonal shift)."""
        return (
            not successor.override or self._brake.counts(successor.target) or not self._brake.counts(target)
        )

    def make_way(self, displaced: Collection[Target], step: int) -> None:
        """Swap up to `step` targets at the quota, targets that do not serve first.

        Besides the displaced targets, superseded targets that wait for a successor are swapped: otherwise a
        full group could never change its port.
        """
        waiting = [
            target
            for target, why in self.found.held.items()
            if why is Why.AWAITING_SUCCESSOR and _may_be_cleared(self._context, target)
        ]
        self.found.held.update(dict.fromkeys(displaced, Why.QUOTA))
        if not self._swaps_serve():
            return
        for target in sorted([*waiting, *displaced], key=lambda t: (self._brake.serves(t), t)):
            if step <= 0:
                return
            why = self._brake.release(target)
            self._note(target, why)
            step -= why is None

    def _swaps_serve(self) -> bool:
        """Whether there is no sign that the new port serves worse than the old port.

        With such a sign, a full group would give up one healthy target after another. The sign: the old
        target of an instance is healthy and the new target is not, either for a short time (the state may
        still change) or on several instances.
        """
        context = self._context
        if context.settled:
            return True
        worse = [since for old, since in context.succeeding.items() if self._is_worse_off(old)]
        waiting = any(since > context.now - context.policy.successor_patience for since in worse)
        return not waiting and len(worse) < _SEVERAL

    def _is_worse_off(self, old: Target) -> bool:
        """Whether the old target is healthy and its registered successor is not."""
        context = self._context
        successor = context.actual.targets.get(Target(old.id, context.actual.port or 0))
        return (
            context.actual.targets[old].state is TargetState.HEALTHY
            and successor is not None
            and successor.registered
            and successor.state is not TargetState.HEALTHY
        )

    def doubtful(self, targets: Collection[Target]) -> None:
        """Release the unannounced targets all together, or none until a person confirms this hold.

        A target that does not serve is removed at once, unless the rules exclude every Node: the registered
        targets may then be all that a wrong selector or list of zones has left.
        """
        idle = sorted(
            target for target in targets if not self._brake.serves(target) and not self._is_put_out(target)
        )
        for target in idle:
            self._note(target, self._brake.release(target))
        at_stake = sorted(set(targets).difference(idle))
        actual = self._context.actual
        self.found.released = actual.memory.released.intersection(self._context.surplus)
        asking = [target for target in at_stake if target not in self.found.released]
        held = self._brake.release_together(asking)
        to_confirm = [target for target, why in held.items() if why is Why.SHARE]
        if to_confirm:
            self.found.hold_id = hold_id(actual.target_group, to_confirm)
        if self.found.hold_id in actual.confirmed:
            self.found.released, self.found.hold_id = self.found.released.union(to_confirm), ""
        for target in asking:
            if target not in self.found.released:
                self._note(target, held.get(target))
        for target in at_stake:
            if target in self.found.released:
                self._note(target, self._brake.release_confirmed(target))

    def _is_put_out(self, target: Target) -> bool:
        """Whether the target's Node is listed, or not even selected, and the rules exclude every Node."""
        desired, policy = self._context.desired, self._context.policy
        return desired.all_out and (policy.only_selected or target.id in desired.intents)

    def _note(self, target: Target, why: Why | None) -> None:
        if why is None:
            self.found.going.append(target)
            self.found.held.pop(target, None)
        else:
            self.found.held[target] = why

    def _in_order(self, targets: Collection[Target]) -> list[Target]:
        """Sort by urgency, overdue targets first; then by turn, the longest announced of every zone first."""

        def rank(target: Target) -> tuple[bool, Urgency, str]:
            return self._patience_left(target) > 0, notice[target.id].urgency, self._zone_of(target)

        notice = self._context.notices
        ranked = sorted(targets, key=lambda t: (rank(t), notice[t.id].since, t))
        turns = [
            (waits, urgency, turn, zone, target)
            for (waits, urgency, zone), members in groupby(ranked, rank)
            for turn, target in enumerate(members)
        ]
        return [target for *_, target in sorted(turns)]


def hold_id(group: TargetGroupArn, targets: Iterable[Target]) -> str:
    """Return an id for exactly this set of held removals: a confirmation approves no other set."""
    text = "\n".join([group, *(f"{t.id}:{t.port}" for t in sorted(targets))])
    return hashlib.sha256(text.encode()).hexdigest()[:12]
