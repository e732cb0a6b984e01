"""The check results of the data plane, and the times at which states change."""

from collections.abc import Iterable
from dataclasses import dataclass

from sandbox.cloud.elbv2.store import Elbv2
from sandbox.elbv2 import actions


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """A result of the data plane for a target: healthy, or unhealthy with AWS's reason code."""

    target_group_arn: str
    instance_id: str
    port: int
    state: str
    reason: str | None = None


# After these ELBv2 and EC2 calls, health checks of some targets may end.
ENDING_CHECKS = frozenset(
    {
        "DeleteListener",
        "DeleteLoadBalancer",
        "ModifyListener",
        "SetSubnets",
        "StopInstances",
        "TerminateInstances",
    }
)


def record(cloud: Elbv2, results: Iterable[CheckResult]) -> int:
    """Apply the results of checked targets; return the number of changed targets."""
    now, changed = cloud.clock(), 0
    for one in results:
        group = cloud.groups.get(one.target_group_arn)
        if group is not None:
            result = (one.state, now, one.reason or "")
            changed += actions.record(cloud, group, (one.instance_id, one.port), result)
    return changed


def forget_unchecked(cloud: Elbv2) -> None:
    """Reset targets without health checks: when checked again, their first state is `initial`."""
    for group in cloud.groups.values():
        actions.reset_unused(cloud, group, cloud.clock())


def next_transition(cloud: Elbv2, after: float) -> float | None:
    """Return the next time at which time alone changes a described state; None if there is no such time."""
    moments = [balancer.active_at for balancer in cloud.load_balancers.values() if balancer.active_at > after]
    moments += [actions.next_change(cloud, group, after) for group in cloud.groups.values()]
    first = min(moments, default=float("inf"))
    return None if first == float("inf") else first
