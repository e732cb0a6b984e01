"""Quotas of targets for a group, zone and load balancer (source 3); a target in N groups counts N."""

from collections import Counter
from collections.abc import Collection, Sequence

from sandbox.elbv2.account import Account, AnyGroup, Balancer, Group, Instances, Quotas
from sandbox.elbv2.errors import Refusal
from sandbox.elbv2.targets import TargetKey

_OF_BALANCER = "targets per network load balancer"


def require_places(
    group: AnyGroup, keys: Collection[TargetKey], account: Account[AnyGroup], quotas: Quotas, now: float
) -> None:
    """Raise TooManyTargets if new targets exceed a quota of the group or its load balancer."""
    new = group.targets.new(keys, draining=quotas.draining_counts)
    if new:
        total = group.targets.count(draining=quotas.draining_counts) + new
        _require(total, quotas.group, "targets per target group")
        owner = account.balancer_of(group)
        if owner is not None:
            members = [(other, keys if other is group else ()) for other in owner.groups]
            _require_balancer(owner, members, account, quotas, now)


def require_group_places(
    owner: Balancer, groups: Sequence[Group], account: Instances, quotas: Quotas, now: float
) -> None:
    """Raise TooManyTargets if the targets of `groups` exceed a quota of their load balancer."""
    _require_balancer(owner, [(group, ()) for group in groups], account, quotas, now)


def _require_balancer(
    owner: Balancer,
    members: Sequence[tuple[Group, Collection[TargetKey]]],
    account: Instances,
    quotas: Quotas,
    now: float,
) -> None:
    """`members`: the groups, each with the targets that join."""
    draining, total = quotas.draining_counts, 0
    for group, joining in members:
        group.targets.end_drains(now)
        total += group.targets.count(draining=draining) + group.targets.new(joining, draining=draining)
    if owner.cross_zone:
        _require(total, quotas.cross_zone, f"{_OF_BALANCER} with cross-zone load balancing enabled")
        return
    _require(total, quotas.balancer, _OF_BALANCER)
    # Only now: the count by zone reads every target.
    if quotas.zone is not None and total > quotas.zone:
        zones: Counter[str] = Counter()
        for group, joining in members:
            counted = {*joining, *group.targets.counted(draining=draining)}
            zones.update(found.zone for key in counted if (found := account.instance(key[0])))
        most = max(zones.values(), default=0)
        _require(most, quotas.zone, "targets per Availability Zone per network load balancer")


def _require(total: int, most: int | None, what: str) -> None:
    if most is not None and total > most:
        raise Refusal("TooManyTargets", f"You cannot have more than {most} {what}")
