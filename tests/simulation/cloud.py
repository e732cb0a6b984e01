"""The ELBv2 of simulation runs: `sandbox.elbv2` on the running loop's clock, with the syncer's types.

All replicas of a world share one cloud. Tests change its attributes at any time.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

from sandbox.elbv2 import actions
from sandbox.elbv2.account import Balancer, Conditions, Delayed, Instance, Quotas
from sandbox.elbv2.errors import Refusal
from sandbox.elbv2.targets import Targets
from sandbox.elbv2.throttle import RATES, Throttle
from syncer.errors import (
    AwsError,
    InvalidTargetError,
    TargetGroupNotFoundError,
    ThrottledError,
    TooManyRegistrationsError,
    TooManyTargetsError,
)
from syncer.model import InstanceId, Target, TargetGroupArn, TargetHealth, TargetState
from tests.simulation import lag

# The batch that the ELB team advised the AWS Load Balancer Controller to use.
LARGEST_BATCH = 200
WRITES = frozenset({"register", "deregister"})
CALLS = {
    "describe": "DescribeTargetHealth",
    "register": "RegisterTargets",
    "deregister": "DeregisterTargets",
    "default_port": "DescribeTargetGroups",
}
_ERRORS: dict[str, Callable[[str, Refusal], AwsError]] = {
    "InvalidTarget": lambda call, no: InvalidTargetError(call, no.code, no.message, no.ids),
    "TooManyRegistrationsForTargetId": lambda call, no: TooManyRegistrationsError(
        call, no.code, no.message, no.ids
    ),
    "TooManyTargets": lambda call, no: TooManyTargetsError(call, no.code, no.message),
    "ThrottlingException": lambda call, no: ThrottledError(call, no.code, no.message),
}


@dataclass(slots=True)
class MemoryGroup:
    """A target group. `healthy_after` is in seconds; `check_port` is 0 for each target's own port.

    `lingering_s` is the time of unhealthy.draining, `listening` whether a listener forwards to the group.
    """

    target_type: str = "instance"
    port: int = 80
    vpc_id: str = ""
    check_port: int = 0
    healthy_after: float = 20.0
    deregistration_delay_s: float = 300.0
    quota: int = 1000
    lingering_s: float = 0.0
    listening: bool = True
    targets: Targets = field(default_factory=partial(Targets, history=True))


class MemoryCloud:
    """Instances and target groups of one load balancer; `sandbox.elbv2.account.Account`.

    `running` has the zone of each running instance. `sick` instances fail the health check,
    `crowded` instances are in too many groups, `stuck` instances cannot be deregistered. `zones` are the
    enabled zones, None for all.
    `confused`: AWS knows no target's health. `quota` limits the targets of the load balancer.
    """

    def __init__(self, arns: Iterable[TargetGroupArn]) -> None:
        self.groups = {arn: MemoryGroup() for arn in arns}
        self.running: dict[InstanceId, str] = {}
        self.started_at: dict[InstanceId, float] = {}
        self.sick: set[InstanceId] = set()
        self.crowded: set[InstanceId] = set()
        self.stuck: set[InstanceId] = set()
        self.zones: set[str] | None = None
        self.confused = False
        self.overrides: dict[str, str] = {}  # AdministrativeOverride by zone
        self.quota: int | None = None
        self.draining_counts = True
        self.names_refused = True
        self.calls: Counter[str] = Counter()
        self.latency = 0.05
        self.lag = lag.none
        self.throttled: Counter[str] = Counter()
        self._throttle = Throttle()

    def launch(self, instance: str, zone: str = "eu-central-1a") -> None:
        """Start an instance that is not running."""
        if InstanceId(instance) not in self.running:
            self.running[InstanceId(instance)] = zone
            self.started_at[InstanceId(instance)] = _now()

    def group(self, arn: TargetGroupArn) -> MemoryGroup:
        """Return the group. Raises TargetGroupNotFoundError."""
        if arn not in self.groups:
            raise TargetGroupNotFoundError("Any", "TargetGroupNotFound", f"Target group '{arn}' not found")
        return self.groups[arn]

    def admit(self, operation: str) -> None:
        """Take a token of the account's bucket. Raises ThrottledError if the bucket is empty."""
        try:
            self._throttle.spend(CALLS[operation], RATES, _now())
        except Refusal as refusal:
            self.throttled[operation] += 1
            raise _error(CALLS[operation], refusal) from None

    def described(self, arn: TargetGroupArn) -> list[TargetHealth]:
        """Return the answer of DescribeTargetHealth, which may lag."""
        return self._healths(arn, self.lag.of(arn))

    def healths(self, arn: TargetGroupArn) -> list[TargetHealth]:
        """Return the state of this moment, without the lag of a read."""
        return self._healths(arn, 0.0)

    def serving(self, arn: TargetGroupArn) -> set[Target]:
        """Return the healthy targets."""
        return {health.target for health in self.healths(arn) if health.state is TargetState.HEALTHY}

    def registered(self, arn: TargetGroupArn) -> set[Target]:
        """Return the registered targets, whatever their health."""
        return {health.target for health in self.healths(arn) if health.registered}

    def register(self, arn: TargetGroupArn, targets: Sequence[Target]) -> None:
        """RegisterTargets."""
        self._write("RegisterTargets", actions.register, arn, targets)

    def deregister(self, arn: TargetGroupArn, targets: Sequence[Target]) -> None:
        """DeregisterTargets."""
        self._write("DeregisterTargets", actions.deregister, arn, targets)

    def instance(self, instance_id: str) -> Instance | None:
        """Return the instance; None if never launched."""
        identity = InstanceId(instance_id)
        if identity not in self.started_at:
            return None
        zone = self.running.get(identity)
        return Instance("stopped" if zone is None else "running", zone or "", "", self.started_at[identity])

    def balancer_of(self, group: MemoryGroup) -> Balancer | None:
        """Return the load balancer, if a listener forwards to the group."""
        served = [each for each in self.groups.values() if each.listening]
        return Balancer(self.zones, served) if group.listening else None

    def conditions(self, group: MemoryGroup) -> Conditions:
        """Return the limits and faults that the tests have set."""
        return Conditions(
            checks=Delayed(group.healthy_after, group.healthy_after / 4, self.sick),
            quotas=Quotas(group=group.quota, balancer=self.quota, draining_counts=self.draining_counts),
            largest_batch=LARGEST_BATCH,
            refused=dict.fromkeys(self.crowded, "TooManyRegistrationsForTargetId"),
            stuck=self.stuck,
            names_ids=self.names_refused,
            shifts=self.overrides,
            internal_error=self.confused,
        )

    def _write(
        self, call: str, action: Callable[..., None], arn: TargetGroupArn, targets: Sequence[Target]
    ) -> None:
        named = [(target.id, target.port or None) for target in targets]
        try:
            action(self, self.group(arn), named, _now())
        except Refusal as refusal:
            raise _error(call, refusal) from None

    def _healths(self, arn: TargetGroupArn, lag_s: float) -> list[TargetHealth]:
        group = self.group(arn)
        found = [
            TargetHealth(
                target=Target(InstanceId(instance), port),
                state=TargetState(health.state),
                reason=health.reason,
                zone=zone,
                check_port=group.check_port or port,
                override="" if override == "no_override" else override,
            )
            for (instance, port), health, zone, override in actions.describe(self, group, _now(), lag_s=lag_s)
        ]
        return sorted(found, key=lambda health: health.target)


def _error(call: str, refusal: Refusal) -> AwsError:
    kind = _ERRORS.get(refusal.code)
    return kind(call, refusal) if kind else AwsError(call, refusal.code, refusal.message)


def _now() -> float:
    return asyncio.get_running_loop().time()
