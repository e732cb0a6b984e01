"""The planning context of removals: the unwanted targets, and since when they have been waiting."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from syncer.decide.listing import Listing
from syncer.decide.policy import PlanPolicy
from syncer.model import Desired, GroupState, InstanceId, Notice, Standing, Target, Urgency


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The input of all decisions about removals.

    `listing` has the targets of `actual`. `surplus` are the registered targets that are not wanted, `owned`
    the syncer's own, `unlisted` own ones that are not registered. `settled`: a wanted target is healthy, so
    the group can do without its unwanted targets. `crowded_out`: a healthy target would be wanted if foreign
    targets did not take its place. `notices` and `succeeding` have the times since when removals have been
    waiting.
    """

    desired: Desired
    actual: GroupState
    listing: Listing
    policy: PlanPolicy
    now: float
    surplus: tuple[Target, ...]
    owned: frozenset[Target]
    unlisted: Collection[Target]
    settled: bool
    crowded_out: bool
    notices: Mapping[InstanceId, Notice]
    succeeding: Mapping[Target, float]


def succeeding(
    desired: Desired, actual: GroupState, surplus: Iterable[Target], now: float
) -> dict[Target, float]:
    """Return since when every target on an old port has a successor that was registered or refused.

    A successor without a place, or without a successful call, does not replace the old target. A failed
    read does not restart the wait.
    """
    if actual.port is None:
        return {}
    since: dict[Target, float] = {}
    for target in surplus:
        if target.id not in desired.wanted:
            continue
        successor = Target(target.id, actual.port)
        known = actual.targets.get(successor)
        if successor in actual.set_aside or (known is not None and known.registered):
            since[target] = min(actual.memory.superseded.get(target, now), now)
    return since


def notices(
    desired: Desired, actual: GroupState, surplus: Iterable[Target], now: float
) -> dict[InstanceId, Notice]:
    """Return since when every surplus instance is known to be leaving.

    The notice is kept after the Node is gone: the removal was announced, and without the notice it would
    become a doubtful removal. A notice that becomes a deadline starts again.
    """
    heard: dict[InstanceId, Notice] = {}
    for instance in {target.id for target in surplus}:
        intent, old = desired.intents.get(instance), actual.memory.announced.get(instance)
        if intent is None:
            if old is not None:
                heard[instance] = old
            continue
        if intent.standing is not Standing.LEAVING:
            continue
        urgency = _urgency(intent.reason, deadline=intent.deadline)
        since = min(old.since, now) if old is not None and old.urgency <= urgency else now
        if intent.since is not None and 0 < intent.since < since:
            since = intent.since
        heard[instance] = Notice(since, urgency)
    return heard


def _urgency(reason: str, *, deadline: bool) -> Urgency:
    if deadline:
        return Urgency.DEADLINE
    return Urgency.CORDON if reason == "Cordoned" else Urgency.LABEL
