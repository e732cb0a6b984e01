"""The health of a target in the API: state, reason code and sentence (source 1)."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

from sandbox.elbv2.account import Account, AnyGroup, Checks, Instance
from sandbox.elbv2.targets import Target, TargetKey

_NEVER = float("inf")
_NO_INSTANCE = frozenset({"stopped", "stopping", "terminated", "shutting-down"})


class Health(NamedTuple):
    """State, reason and description of a target at a point in time; empty if AWS gives none."""

    state: str
    reason: str = ""
    description: str = ""


NOT_REGISTERED = Health("unused", "Target.NotRegistered", "Target is not registered to the target group")
UNCHECKED = Health("initial", "Elb.InitialHealthChecking", "Initial health checks in progress")
_DRAINING = Health("draining", "Target.DeregistrationInProgress", "Target deregistration is in progress")
_NO_LISTENER = Health(
    "unused", "Target.NotInUse", "Target group is not configured to receive traffic from the load balancer"
)
_NO_ZONE = Health(
    "unused", "Target.NotInUse", "Target is in an Availability Zone that is not enabled for the load balancer"
)
_UNAVAILABLE = Health("unavailable", "Elb.InternalError", "Health checks failed due to an internal error")
_REGISTERING = Health("initial", "Elb.RegistrationInProgress", "Target registration is in progress")
_HEALTHY = Health("healthy")
_SENTENCES = {
    "Target.FailedHealthChecks": "Health checks failed",
    "Target.Timeout": "Request timed out",
    "Target.ResponseCodeMismatch": "Health checks failed with these codes",
}


@dataclass(frozen=True, slots=True)
class Rules:
    """The inputs of every target's health in a group, read once for all targets of a call."""

    checks: Checks
    lingering_s: float
    served: bool
    zones: Collection[str] | None
    internal_error: bool

    @classmethod
    def of(cls, group: AnyGroup, account: Account[AnyGroup]) -> "Rules":
        """Return the rules in force for the group."""
        conditions, owner = account.conditions(group), account.balancer_of(group)
        return cls(
            conditions.checks,
            group.lingering_s,
            owner is not None,
            owner.zones if owner else None,
            conditions.internal_error,
        )

    def health(self, key: TargetKey, target: Target | None, instance: Instance | None, now: float) -> Health:
        """Return the health of a target; first match wins."""
        if target is None:
            return NOT_REGISTERED
        if target.draining_until is not None:
            return NOT_REGISTERED if now >= target.draining_until else _DRAINING
        if instance is None or instance.state in _NO_INSTANCE:
            state = instance.state if instance else "terminated"
            return Health("unused", "Target.InvalidState", f"Target is in the {state} state")
        if not self.served:
            return _NO_LISTENER
        if self.zones is not None and instance.zone not in self.zones:
            return _NO_ZONE
        if self.internal_error:
            return _UNAVAILABLE
        begun = max(target.registered_at, instance.started_at)
        if now < begun + self.checks.registration_s:
            return _REGISTERING
        state, since, reason = self.checks.result(key, target, begun)
        if now < since or state == "initial":
            return UNCHECKED
        if state == "healthy":
            return _HEALTHY
        lingering = now < since + self.lingering_s
        return Health("unhealthy.draining" if lingering else "unhealthy", reason, _SENTENCES.get(reason, ""))

    def next_change(self, key: TargetKey, target: Target, instance: Instance | None, after: float) -> float:
        """Return the next time at which time alone may change the health; infinite if there is none."""
        if target.draining_until is not None:
            return target.draining_until
        begun = max(target.registered_at, instance.started_at) if instance else target.registered_at
        registered = begun + self.checks.registration_s
        if registered > after:
            return registered
        state, since, _ = self.checks.result(key, target, begun)
        if since > after:
            return since
        lingered = since + self.lingering_s
        return lingered if state == "unhealthy" and lingered > after else _NEVER
