"""Who may leave a target group now, in which order, and what holds the others (rules 1, 2, 4, 6, 7)."""

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from math import inf

from syncer.decide.brake import Brake
from syncer.decide.policy import Ownership, PlanPolicy
from syncer.model import (
    Desired,
    GroupState,
    InstanceId,
    Notice,
    Standing,
    Target,
    TargetGroupArn,
    TargetState,
    Urgency,
    Why,
)


@dataclass(slots=True)
class Unwanted:
    """The registered targets that should go, by what is known of them.

    `announced`: their node is leaving. `superseded`: the same instance is wanted on another port.
    `displaced`: their node is wanted, but has no place in the quota. `doubtful`: nobody said that they
    should go, they are only no longer named. `held`: kept whatever the brake says, and why.
    """

    announced: list[Target] = field(default_factory=list)
    superseded: list[Target] = field(default_factory=list)
    displaced: list[Target] = field(default_factory=list)
    doubtful: list[Target] = field(default_factory=list)
    held: dict[Target, Why] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What every question about removals looks at.

    `wanted` are this group's targets, `surplus` the registered ones that are not among them, `owned` ours.
    `settled`: one of the wanted is healthy, so the group can do without those it should not have.
    `crowded_out`: so is one that would be wanted if foreign targets did not take its place.
    `notices` and `succeeding` say since when what is to go has been waiting.
    """

    desired: Desired
    actual: GroupState
    policy: PlanPolicy
    now: float
    wanted: frozenset[Target]
    surplus: tuple[Target, ...]
    owned: frozenset[Target]
    settled: bool
    crowded_out: bool
    notices: Mapping[InstanceId, Notice]
    succeeding: Mapping[Target, float]


def succeeding(
    desired: Desired, actual: GroupState, surplus: Iterable[Target], now: float
) -> dict[Target, float]:
    """Since when each target on an old port has a successor that was registered, or refused.

    One that has no place yet, or whose call has not got through, is no reason to give up the old one. A read
    that fails meanwhile begins no new wait.
    """
    if actual.port is None:
        return {}
    since: dict[Target, float] = {}
    for target in surplus:
        if target.id not in desired.wanted:
            continue
        heir = Target(target.id, actual.port)
        known = actual.targets.get(heir)
        if heir in actual.set_aside or (known is not None and known.registered):
            since[target] = min(actual.memory.superseded.get(target, now), now)
    return since


def notices(
    desired: Desired, actual: GroupState, surplus: Iterable[Target], now: float
) -> dict[InstanceId, Notice]:
    """Since when each instance of the surplus is known to leave, remembered when its Node is gone.

    A Node that goes after its leaving was announced is what was announced; without the memory it would turn
    into a doubtful one. A notice that becomes a deadline starts anew.
    """
    heard: dict[InstanceId, Notice] = {}
    for instance in {target.id for target in surplus}:
        wish, old = desired.wishes.get(instance), actual.memory.announced.get(instance)
        if wish is None:
            if old is not None:
                heard[instance] = old
            continue
        if wish.standing is not Standing.LEAVING:
            continue
        urgency = _urgency(wish.reason, deadline=wish.deadline)
        since = min(old.since, now) if old is not None and old.urgency <= urgency else now
        if wish.since is not None and 0 < wish.since < since:
            since = wish.since
        heard[instance] = Notice(since, urgency)
    return heard


def _urgency(reason: str, *, deadline: bool) -> Urgency:
    if deadline:
        return Urgency.DEADLINE
    return Urgency.CORDON if reason == "Cordoned" else Urgency.LABEL


def unwanted(scene: Scene) -> Unwanted:
    """Sort the registered targets that are not wanted."""
    found = Unwanted()
    for target in scene.surplus:
        if scene.actual.port is None and target.id in scene.desired.wanted:
            continue  # its port is not known: nothing says that this is the wrong one
        why = _kept(scene, target)
        if why is not None:
            found.held[target] = why
        elif target.id in scene.desired.wanted:
            found.superseded.append(target)
        elif not _may_be_cleared(scene, target):
            found.held[target] = Why.FOREIGN
        elif target.id in scene.notices:
            found.announced.append(target)
        elif target.id in scene.desired.over_quota:
            found.displaced.append(target)
        else:
            found.doubtful.append(target)
    return found


def _kept(scene: Scene, target: Target) -> Why | None:
    if not scene.desired.complete:
        return Why.NO_NODE_LIST
    if scene.policy.ownership is Ownership.ADD_ONLY:
        return Why.ADD_ONLY
    if scene.policy.ownership is Ownership.TRACKED and target not in scene.owned:
        return Why.FOREIGN
    if scene.actual.set_aside.get(target) is Why.CONTESTED:
        return Why.CONTESTED
    if not (scene.actual.fresh or scene.actual.blind):
        return Why.SHARE  # the group could not be read: nobody can say how many serve
    return None


def _may_be_cleared(scene: Scene, target: Target) -> bool:
    """Whether it is ours, or one of our own is healthy, with a place of its own or without."""
    return target in scene.owned or scene.settled or scene.crowded_out


class Removals:
    """Goes through the unwanted targets in the order of rule 2 and asks the brake for each."""

    def __init__(self, scene: Scene, brake: Brake, zone_of: Callable[[Target], str]) -> None:
        self._scene = scene
        self._brake = brake
        self._zone_of = zone_of
        self.going: list[Target] = []
        self.held: dict[Target, Why] = {}
        self.look_again: list[float] = []
        self.hold_id = ""
        self.released: frozenset[Target] = frozenset()

    def announced(self, targets: Collection[Target]) -> None:
        """Those whose node is leaving: deadlines first, then label, then cordon, spread over the zones."""
        for target in self._in_order(targets):
            left = self._patience_left(target)
            why = self._brake.release(target, share=left > 0)
            self._note(target, why)
            if why is Why.SHARE:
                self.look_again.append(left)

    def _patience_left(self, target: Target) -> float:
        """Seconds for which a leaving target still waits for the share; without a deadline it always does."""
        notice = self._scene.notices[target.id]
        if notice.urgency is not Urgency.DEADLINE:
            return inf
        return notice.since + self._scene.policy.deadline_patience - self._scene.now

    def replaced(self, targets: Collection[Target]) -> None:
        """Those that a target on another port replaces: after it is healthy, or after a bounded wait."""
        for target in sorted(targets):
            if self._succeeded(target):
                self._note(target, self._brake.release(target))
            else:
                self.held[target] = Why.AWAITING_SUCCESSOR

    def _succeeded(self, target: Target) -> bool:
        scene = self._scene
        if target not in scene.succeeding or scene.actual.port is None:
            return False
        heir = scene.actual.targets.get(Target(target.id, scene.actual.port))
        if heir is not None and heir.state is TargetState.HEALTHY:
            return True
        left = scene.succeeding[target] + scene.policy.successor_patience - scene.now
        if left > 0:
            self.look_again.append(left)
        # Where no wanted target at all is healthy the health check is at fault, not this one (rule 8).
        return left <= 0 and scene.settled

    def make_way(self, displaced: Collection[Target], step: int) -> None:
        """At the quota: up to `step` targets leave places to others, those that do not serve first.

        Besides the displaced these are superseded ones that still wait for their successor, else a full group
        could never change its port.
        """
        waiting = [target for target, why in self.held.items() if why is Why.AWAITING_SUCCESSOR]
        self.held.update(dict.fromkeys(displaced, Why.QUOTA))
        if not self._swaps_serve():
            return
        for target in sorted([*waiting, *displaced], key=lambda t: (self._brake.serves(t), t)):
            if step <= 0:
                return
            why = self._brake.release(target)
            self._note(target, why)
            step -= why is None

    def _swaps_serve(self) -> bool:
        """Whether nothing shows that what is swapped in never serves.

        After the first step one of the wanted must be healthy, as long as others are: a full group would
        give up one healthy target after another, and have none in its stead.
        """
        scene = self._scene
        listed = scene.actual.targets
        return (
            scene.settled
            or not any(target in listed and listed[target].registered for target in scene.wanted)
            or not any(listed[target].state is TargetState.HEALTHY for target in scene.surplus)
        )

    def doubtful(self, targets: Collection[Target]) -> None:
        """Those that nobody announced: all together, or none until a person confirms this very hold."""
        idle = sorted(target for target in targets if not self._brake.serves(target))
        for target in idle:
            self._note(target, self._brake.release(target))
        at_stake = sorted(set(targets).difference(idle))
        actual = self._scene.actual
        self.released = actual.memory.released.intersection(self._scene.surplus)
        asking = [target for target in at_stake if target not in self.released]
        held = self._brake.release_together(asking)
        to_confirm = [target for target, why in held.items() if why is Why.SHARE]
        if to_confirm:
            self.hold_id = hold_id(actual.target_group, to_confirm)
        if self.hold_id in actual.confirmed:
            self.released, self.hold_id = self.released.union(to_confirm), ""
        for target in asking:
            if target not in self.released:
                self._note(target, held.get(target))
        for target in at_stake:
            if target in self.released:
                self._note(target, self._brake.release_confirmed(target))

    def _note(self, target: Target, why: Why | None) -> None:
        if why is None:
            self.going.append(target)
            self.held.pop(target, None)
        else:
            self.held[target] = why

    def _in_order(self, targets: Collection[Target]) -> list[Target]:
        """By urgency, overdue ones first; within that the longest announced of each zone, then the next."""

        def rank(target: Target) -> tuple[bool, Urgency, str]:
            return self._patience_left(target) > 0, notice[target.id].urgency, self._zone_of(target)

        notice = self._scene.notices
        ranked = sorted(targets, key=lambda t: (rank(t), notice[t.id].since, t))
        turns = [
            (waits, urgency, turn, zone, target)
            for (waits, urgency, zone), members in groupby(ranked, rank)
            for turn, target in enumerate(members)
        ]
        return [target for *_, target in sorted(turns)]


def hold_id(group: TargetGroupArn, targets: Iterable[Target]) -> str:
    """A name for this very set of held removals: whoever confirms it approves what was seen and no more."""
    text = "\n".join([group, *(f"{t.id}:{t.port}" for t in sorted(targets))])
    return hashlib.sha256(text.encode()).hexdigest()[:12]
