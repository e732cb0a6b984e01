"""Quotas of targets for a group, zone and load balancer (source 3); a target in N groups counts N."""

from collections import Counter
from collections.abc import Iterable

from sandbox.cloud.elbv2.records import LoadBalancer, TargetGroup, TargetKey
from sandbox.cloud.elbv2.store import Elbv2
from sandbox.cloud.errors import AwsError


def require_place(cloud: Elbv2, group: TargetGroup, joining: set[TargetKey]) -> None:
    """Raise TooManyTargets if the new targets exceed a quota of `group` or its load balancer."""
    limit = cloud.faults.quotas["targets-per-target-group"]
    if len(group.targets.keys() | joining) > limit:
        raise AwsError("TooManyTargets", f"You cannot have more than {limit} targets per target group")
    owner = cloud.load_balancer_of(group.arn)
    if owner is not None:
        keys = _keys(other for other in cloud.groups_of(owner.arn) if other is not group)
        _require(cloud, owner, [*keys, *(group.targets.keys() | joining)])


def require_places(cloud: Elbv2, owner: LoadBalancer, joining: list[TargetGroup]) -> None:
    """Raise TooManyTargets if the targets of the joining groups exceed a quota of the load balancer."""
    groups = {group.arn: group for group in [*cloud.groups_of(owner.arn), *joining]}
    _require(cloud, owner, _keys(groups.values()))


def _keys(groups: Iterable[TargetGroup]) -> list[TargetKey]:
    return [key for group in groups for key in group.targets]


def _require(cloud: Elbv2, owner: LoadBalancer, keys: list[TargetKey]) -> None:
    quotas = cloud.faults.quotas
    if owner.cross_zone:
        limit = quotas["targets-per-network-load-balancer-cross-zone"]
        if len(keys) > limit:
            raise AwsError(
                "TooManyTargets",
                f"You cannot have more than {limit} targets per network load balancer with cross-zone load "
                "balancing enabled",
            )
        return
    limit = quotas["targets-per-network-load-balancer"]
    if len(keys) > limit:
        raise AwsError(
            "TooManyTargets", f"You cannot have more than {limit} targets per network load balancer"
        )
    limit = quotas["targets-per-availability-zone-per-network-load-balancer"]
    if len(keys) > limit:
        zones = Counter(found.zone for key in keys if (found := cloud.ec2.instance(key[0])))
        if max(zones.values(), default=0) > limit:
            raise AwsError(
                "TooManyTargets",
                f"You cannot have more than {limit} targets per Availability Zone per network load balancer",
            )
