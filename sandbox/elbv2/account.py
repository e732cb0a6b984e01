"""What the rules read of an account: instances, load balancers, limits, and how health is determined."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, TypeVar

from sandbox.elbv2.targets import Target, TargetKey, Targets

OVERRIDES = {
    "no_override": ("NoOverride", "No override is currently active on target"),
    "zonal_shift_active": ("ZonalShiftActive", "Zonal shift is active in target Availability Zone"),
    "zonal_shift_delegated_to_dns": ("ZonalShiftDelegatedToDns", "Zonal shift state is shown by ARC"),
    "unknown": ("Unknown", "State cannot be propagated due to an internal error"),
}
"""Reason and sentence by state (botocore: TargetAdministrativeOverrideStateEnum; the NLB guide)."""


class Instance(NamedTuple):
    """An EC2 instance; `state` is EC2's name (running, stopped, ...). A start begins the checks afresh."""

    state: str
    zone: str = ""
    vpc_id: str = ""
    started_at: float = float("-inf")


class Group(Protocol):
    """A target group."""

    targets: Targets

    @property
    def port(self) -> int:
        """Return the default port of targets."""

    @property
    def target_type(self) -> str:
        """Return the type: `instance` or `ip`."""

    @property
    def vpc_id(self) -> str:
        """Return the VPC."""

    @property
    def deregistration_delay_s(self) -> float:
        """Return how long a deregistered target drains (source 4)."""

    @property
    def lingering_s(self) -> float:
        """Return how long an unhealthy target is `unhealthy.draining` (source 1)."""


@dataclass(frozen=True, slots=True)
class Balancer:
    """The load balancer of a group's listeners, its enabled zones (None: all) and its target groups."""

    zones: Collection[str] | None
    groups: Sequence[Group]
    cross_zone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotas:
    """The most targets (source 3); None for no limit. Cross-zone replaces the limits of zone and balancer."""

    group: int | None = None
    zone: int | None = None
    balancer: int | None = None
    cross_zone: int | None = None
    draining_counts: bool = True
    """Whether draining targets count; AWS documents neither."""


Result = tuple[str, float, str]
"""The result of health checks: state, the time from which it holds (`initial` before), and reason."""


class Checks(Protocol):
    """How the health of a target is determined."""

    @property
    def registration_s(self) -> float:
        """Return the seconds of Elb.RegistrationInProgress before the first check."""

    def result(self, key: TargetKey, target: Target, begun: float) -> Result:
        """Return the result for a target whose checks began at `begun`."""


@dataclass(frozen=True, slots=True)
class Reported:
    """Checks by a real data plane: `sandbox.elbv2.actions.record` puts the results into the targets."""

    registration_s: float = 0.0

    def result(self, key: TargetKey, target: Target, begun: float) -> Result:  # noqa: ARG002
        """Return the recorded result."""
        return target.checked, target.checked_at, target.reason


@dataclass(frozen=True, slots=True)
class Delayed:
    """Checks by a clock: a target is healthy, or unhealthy if `failing`, after a fixed time."""

    after_s: float
    registration_s: float = 0.0
    failing: Collection[str] = frozenset()

    def result(self, key: TargetKey, target: Target, begun: float) -> Result:  # noqa: ARG002
        """Return the result that holds after the fixed time."""
        if key[0] in self.failing:
            return "unhealthy", begun + self.after_s, "Target.FailedHealthChecks"
        return "healthy", begun + self.after_s, ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """The limits and injected faults in force for a group."""

    checks: Checks
    quotas: Quotas = Quotas()
    largest_batch: int | None = None
    """The API model has no maximum; the ELB team advises 200."""
    refused: Mapping[str, str] = field(default_factory=dict)
    """Running instances that RegisterTargets refuses, with the error code."""
    stuck: Collection[str] = frozenset()
    """Instances that DeregisterTargets refuses."""
    names_ids: bool = True
    """Whether the message of a refusal names the instances."""
    shifts: Mapping[str, str] = field(default_factory=dict)
    """AdministrativeOverride by zone."""
    internal_error: bool = False
    """Whether AWS knows no target's health (Elb.InternalError)."""


class Instances(Protocol):
    """The EC2 instances of an account."""

    def instance(self, instance_id: str) -> Instance | None:
        """Return the instance, also a terminated instance; None for an unknown id."""


AnyGroup = TypeVar("AnyGroup", bound=Group)
_Group_contra = TypeVar("_Group_contra", bound=Group, contravariant=True)


class Account(Instances, Protocol[_Group_contra]):
    """The state around the target groups."""

    def balancer_of(self, group: _Group_contra) -> Balancer | None:
        """Return the load balancer whose listeners forward to the group, or None."""

    def conditions(self, group: _Group_contra) -> Conditions:
        """Return the limits and injected faults in force for the group."""
