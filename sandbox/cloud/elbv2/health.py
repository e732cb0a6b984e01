"""The health of a target in the API: state, reason code and sentence (source 1); and the check results."""

from dataclasses import dataclass

from sandbox.cloud.elbv2.records import Target, TargetGroup, TargetKey
from sandbox.cloud.elbv2.store import Elbv2
from sandbox.cloud.query import Structure

_NO_INSTANCE = {"stopped", "stopping", "terminated", "shutting-down"}


@dataclass(frozen=True, slots=True)
class Health:
    """State, reason and description of a target at a point in time."""

    state: str
    reason: str | None = None
    description: str | None = None

    def described(self) -> Structure:
        """Return the TargetHealth of the API."""
        return {"State": self.state, "Reason": self.reason, "Description": self.description}


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

_HEALTHY = Health("healthy")
_NOT_REGISTERED = Health("unused", "Target.NotRegistered", "Target is not registered to the target group")
_DRAINING = Health("draining", "Target.DeregistrationInProgress", "Target deregistration is in progress")
_NO_LISTENER = Health(
    "unused", "Target.NotInUse", "Target group is not configured to receive traffic from the load balancer"
)
_NO_ZONE = Health(
    "unused",
    "Target.NotInUse",
    "Target is in an Availability Zone that is not enabled for the load balancer",
)
_REGISTERING = Health("initial", "Elb.RegistrationInProgress", "Target registration is in progress")
_UNCHECKED = Health("initial", "Elb.InitialHealthChecking", "Initial health checks in progress")
_SENTENCES = {
    "Target.FailedHealthChecks": "Health checks failed",
    "Target.Timeout": "Request timed out",
    "Target.ResponseCodeMismatch": "Health checks failed with these codes",
}


def health_of(cloud: Elbv2, group: TargetGroup, key: TargetKey) -> Health:
    """Return the current health of (instance, port) in a group; first match wins."""
    target, now = group.targets.get(key), cloud.clock()
    if target is None:
        return _NOT_REGISTERED
    if target.draining_until is not None:
        return _DRAINING
    if idle := _unused(cloud, group, target.instance_id):
        return idle
    if now < target.registered_at + cloud.faults.registration_delay_s:
        return _REGISTERING
    if target.checked == "healthy":
        return _HEALTHY
    if target.checked == "initial":
        return _UNCHECKED
    reason = target.reason or "Target.FailedHealthChecks"
    lingering = now < target.unhealthy_since + lingering_s(group)
    return Health("unhealthy.draining" if lingering else "unhealthy", reason, _SENTENCES.get(reason))


def lingering_s(group: TargetGroup) -> int:
    """Seconds of `unhealthy.draining`; 0 with connection termination (source 1)."""
    if group.attributes["target_health_state.unhealthy.connection_termination.enabled"] == "true":
        return 0
    return int(group.attributes["target_health_state.unhealthy.draining_interval_seconds"])


def _unused(cloud: Elbv2, group: TargetGroup, instance_id: str) -> Health | None:
    instance, owner = cloud.ec2.instance(instance_id), cloud.load_balancer_of(group.arn)
    if instance is None or instance.state in _NO_INSTANCE:
        state = instance.state if instance else "terminated"
        return Health("unused", "Target.InvalidState", f"Target is in the {state} state")
    if owner is None:
        return _NO_LISTENER
    return None if instance.zone in owner.zones else _NO_ZONE


def record(cloud: Elbv2, results: list[CheckResult]) -> int:
    """Apply the results of checked targets; return the number of changed targets."""
    changed = 0
    for result in results:
        group = cloud.groups.get(result.target_group_arn)
        if group is None:
            continue
        key = (result.instance_id, result.port)
        health = health_of(cloud, group, key)
        checked = health == _UNCHECKED or health.state in {"healthy", "unhealthy", "unhealthy.draining"}
        if checked:
            changed += _apply(cloud, group.targets[key], result)
    return changed


def _apply(cloud: Elbv2, target: Target, result: CheckResult) -> bool:
    reason = None if result.state == "healthy" else result.reason or "Target.FailedHealthChecks"
    if (target.checked, target.reason) == (result.state, reason):
        return False
    if target.checked != "unhealthy" and result.state == "unhealthy":
        target.unhealthy_since = cloud.clock()
    target.checked, target.reason = result.state, reason
    return True


def forget_unchecked(cloud: Elbv2) -> None:
    """Reset targets without health checks: when checked again, their first state is `initial`."""
    for group in cloud.groups.values():
        for target in group.targets.values():
            if _unused(cloud, group, target.instance_id):
                target.checked, target.reason = "initial", None


def forget_drained(group: TargetGroup, now: float) -> None:
    """Remove the targets whose deregistration delay is over."""
    for key, target in list(group.targets.items()):
        if target.draining_until is not None and now >= target.draining_until:
            del group.targets[key]


def next_transition(cloud: Elbv2, after: float) -> float | None:
    """Return the next time at which time alone changes a described state; None if there is no such time."""
    delay = cloud.faults.registration_delay_s
    moments = [balancer.active_at for balancer in cloud.load_balancers.values()]
    for group in cloud.groups.values():
        lingering = lingering_s(group)
        for target in group.targets.values():
            if target.draining_until is not None:
                moments.append(target.draining_until)
            else:
                moments.append(target.registered_at + delay)
                if lingering and target.checked == "unhealthy":
                    moments.append(target.unhealthy_since + lingering)
    return min((moment for moment in moments if moment > after), default=None)
