"""What must come after the last fault: the groups hold what is wanted, or say truly why not."""

import asyncio
from collections import Counter
from collections.abc import Iterable

from syncer.model import Target, Why
from syncer.reconcile.group import Group
from tests.simulation.lives.judge import Judge
from tests.simulation.lives.life import Life, now
from tests.simulation.lives.oversight import Oversight

# The longest waits that there are, one after the other: a target set aside for 15 min or left alone for 10,
# a limit that is trusted for 10 min, and the base of eight nodes halved three times in ten minutes.
SETTLED_S = 5400.0
# Longer than two reads: what is new to AWS is known to all.
STEADY_S = 65.0


async def settle(life: Life) -> None:
    """End every fault, and wait until nothing is lacking and nothing is written any more."""
    life.mend()
    began, writes = now(), -1
    while writes != _writes(life) or any(lacking(life)):
        if now() - began > SETTLED_S:
            what = "\n".join(lacking(life)) or "writes go on although nothing is lacking"
            life.wrong.append(f"not settled after {SETTLED_S:.0f} s: {what}")
            return
        writes = _writes(life)
        await asyncio.sleep(STEADY_S)
    for each in life.crew:
        life.hear(each.replica)
    for each in _leaders(life):
        life.wrong.extend(_untold(life, each))


def _writes(life: Life) -> int:
    return sum(life.world.cloud.calls[each] for each in ("register", "deregister"))


def _leaders(life: Life) -> list[Oversight]:
    return [each for each in life.crew if each.replica.leads]


def lacking(life: Life) -> Iterable[str]:
    """What is not as it should be, and not held for a reason that stands."""
    if not _leaders(life):
        yield "nobody leads"
    for each in _leaders(life):
        if each.cluster.nodes != life.world.cluster.nodes:
            yield f"{each.replica.name} does not know the Nodes"
        for group in each.replica.controller.groups:
            if group.report.last_good_pass is None or group.report.problem or group.observed.problem:
                yield f"{group.name} had no good pass: {group.report.problem} {group.observed.problem}"
            yield from _differences(life, each, group)


def _differences(life: Life, each: Oversight, group: Group) -> Iterable[str]:
    held = {one.target: one.why for one in (group.plan.held if group.plan else ())}
    judge, there = each.judge(group.arn), life.world.cloud.registered(group.arn)
    wanted = judge.wanted()
    for target in sorted(wanted - there):
        if not (held.get(target) is Why.QUOTA and life.start.limit):
            yield f"{group.name} lacks {target}, held for {held.get(target)}"
    readings = [each.judge(group.arn, reading) for reading in each.cluster.readings()]
    hold_id = group.plan.hold_id if group.plan else ""
    for target in sorted(there - wanted):
        why = held.get(target)
        if not any(_stands(life, one, target, why, hold_id) for one in readings):
            yield f"{group.name} still has {target}, held for {why}"


def _stands(life: Life, judge: Judge, target: Target, why: Why | None, hold_id: str) -> bool:
    """Whether the reason for which a target is held is true."""
    match why:
        case Why.ADD_ONLY:
            return life.start.ownership == "add-only"
        case Why.FOREIGN:
            return _is_foreign(judge, target) and not judge.may_clear()
        case Why.LAST_SERVING:
            known = judge.known
            alone = any(known.serving(scope) == {target.id} for scope in known.scopes())
            return alone or len(known.registered()) == 1
        case Why.SHARE:
            return _is_short(life, judge, target, hold_id)
        case Why.AWAITING_SUCCESSOR:
            return _no_place_comes(life, judge, target)
        case Why.QUOTA:
            return life.start.limit is not None
        case _:
            return False


def _is_foreign(judge: Judge, target: Target) -> bool:
    """Whether a replica that starts has no reason to take the target for its own."""
    return not judge.choices.recorded(target)


def _no_place_comes(life: Life, judge: Judge, target: Target) -> bool:
    """Whether a successor waits for ever: what is too much is held, or all is foreign and may not go."""
    limit, taken = life.start.limit, len(judge.known.registered())
    foreign = _is_foreign(judge, target) and not judge.may_clear()
    return limit is not None and (taken > limit or (taken == limit and foreign))


def _is_short(life: Life, judge: Judge, target: Target, hold_id: str) -> bool:
    """Whether too few would serve without this one, or without all that nobody announced."""
    alone = not judge.cluster.overdue(target.id, now()) and _too_few(judge, {target})
    if target.id in judge.cluster.announced:
        # What left was no target as far as was known: the group could not be read, or a hand put it back.
        return alone or (bool(hold_id) and (life.unread or target in life.hands.strange))
    if life.start.limit is not None:
        return alone or bool(hold_id)  # it may be held with those without a place, which are not judged here
    if judge.is_superseded(target):
        return alone
    return bool(hold_id) and _too_few(judge, {t for t in judge.known.registered() if judge.is_doubtful(t)})


def _too_few(judge: Judge, going: set[Target]) -> bool:
    known = judge.known
    return any(
        len({target.id for target in known.serving_targets(scope) - going}) < judge.floor(scope)
        for scope in known.scopes()
    )


def _untold(life: Life, each: Oversight) -> Iterable[str]:
    """What is held and not in /status, in the metric and in an event."""
    page, answers = each.replica.metrics(), each.replica.status()["groups"]
    for group, told in zip(each.replica.controller.groups, answers, strict=True):
        holds = group.plan.held if group.plan else ()
        said = {(one["id"], one["port"], one["why"]) for one in told["held"]}
        held = {(one.target.id, one.target.port, str(one.why)) for one in holds}
        if said != held:
            yield f"/status says {said}, held are {held}"
        for why, count in Counter(one.why for one in holds).items():
            if f'nlb_sync_held{{target_group="{group.name}",why="{why}"}} {count:.1f}' not in page:
                yield f"the metric does not say that {count} are held for {why}"
            if not any(why in reason for reason in life.events):
                yield f"no event says Held{why}: {set(life.events)}"
