"""What every question about removals looks at: who is unwanted, and since when it has been waiting."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from syncer.decide.policy import PlanPolicy
from syncer.model import Desired, GroupState, InstanceId, Notice, Standing, Target, Urgency


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
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
