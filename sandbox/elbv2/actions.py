"""RegisterTargets, DeregisterTargets, DescribeTargetHealth, and the results of health checks."""

from collections.abc import Iterable

from sandbox.elbv2.account import Account, AnyGroup, Result
from sandbox.elbv2.health import UNCHECKED, Health, Rules
from sandbox.elbv2.quotas import require_places
from sandbox.elbv2.refusals import named_targets, require_deregistrable, require_registrable
from sandbox.elbv2.targets import TargetKey

_CHECKED = frozenset({"healthy", "unhealthy", "unhealthy.draining"})
Named = Iterable[tuple[str, int | None]]
"""Targets of a call: id, and port or None for the group's port."""


Described = tuple[TargetKey, Health, str, str]
"""A target in the answer of DescribeTargetHealth, with zone and override ("" where no zone is shifted).

A plain tuple, as the bench reads groups of 5,000 targets.
"""


def register(account: Account[AnyGroup], group: AnyGroup, targets: Named, now: float) -> None:
    """RegisterTargets: all or none. Raises Refusal."""
    conditions = account.conditions(group)
    keys = named_targets(group, targets, conditions.largest_batch)
    group.targets.end_drains(now)
    require_registrable(group, keys, account, conditions)
    require_places(group, keys, account, conditions.quotas, now)
    group.targets.register(keys, now)


def deregister(account: Account[AnyGroup], group: AnyGroup, targets: Named, now: float) -> None:
    """DeregisterTargets: an unregistered target is no error. Raises Refusal."""
    conditions = account.conditions(group)
    keys = named_targets(group, targets, conditions.largest_batch)
    group.targets.end_drains(now)
    require_deregistrable(keys, conditions)
    group.targets.deregister(keys, now, group.deregistration_delay_s)


def describe(
    account: Account[AnyGroup], group: AnyGroup, now: float, *, asked: Named | None = None, lag_s: float = 0.0
) -> list[Described]:
    """DescribeTargetHealth of the group, or of the asked targets, registered or not, `lag_s` before `now`."""
    group.targets.end_drains(now)
    then = now - lag_s
    targets = group.targets.at(then) if lag_s else group.targets.present
    keys = list(targets) if asked is None else named_targets(group, asked)
    rules, shifts = Rules.of(group, account), account.conditions(group).shifts
    found: list[Described] = []
    for key in keys:
        instance = account.instance(key[0])
        health = rules.health(key, targets.get(key), instance, then)
        zone = instance.zone if instance else ""
        found.append((key, health, zone, shifts.get(zone, "no_override") if shifts else ""))
    return found


def record(account: Account[AnyGroup], group: AnyGroup, key: TargetKey, result: Result) -> bool:
    """Record the result of a health check; return whether it changes a target under health checks."""
    target, rules = group.targets.present.get(key), Rules.of(group, account)
    state, now, reason = result
    health = rules.health(key, target, account.instance(key[0]), now)
    if target is None or (health != UNCHECKED and health.state not in _CHECKED):
        return False
    reason = "" if state == "healthy" else reason or "Target.FailedHealthChecks"
    if (target.checked, target.reason) == (state, reason):
        return False
    # Another reason does not prolong `unhealthy.draining`.
    since = target.checked_at if target.checked == state else now
    group.targets.put(key, target._replace(checked=state, reason=reason, checked_at=since), now)
    return True


def reset_unused(account: Account[AnyGroup], group: AnyGroup, now: float) -> None:
    """Reset targets without health checks: when checked again, their first state is `initial`."""
    rules = Rules.of(group, account)
    for key, target in list(group.targets.present.items()):
        if target.checked == "initial":
            continue
        if rules.health(key, target, account.instance(key[0]), now).state == "unused":
            group.targets.put(key, target._replace(checked="initial", reason="", checked_at=0.0), now)


def next_change(account: Account[AnyGroup], group: AnyGroup, after: float) -> float:
    """Return the next time at which time alone may change a described state; infinite if there is none."""
    rules = Rules.of(group, account)
    present = group.targets.present.items()
    moments = [rules.next_change(key, one, account.instance(key[0]), after) for key, one in present]
    return min((moment for moment in moments if moment > after), default=float("inf"))
