"""The records that decisions and adapters share: nodes as seen, targets as AWS lists them, plans to apply."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NewType

InstanceId = NewType("InstanceId", str)
TargetGroupArn = NewType("TargetGroupArn", str)


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """What AWS calls a target: one instance on one port. The same instance on two ports is two targets."""

    id: InstanceId
    port: int


class TargetState(StrEnum):
    """TargetHealth.State as DescribeTargetHealth prints it (botocore elbv2 model)."""

    INITIAL = "initial"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    UNHEALTHY_DRAINING = "unhealthy.draining"
    DRAINING = "draining"
    UNUSED = "unused"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetHealth:
    """One line of DescribeTargetHealth."""

    target: Target
    state: TargetState
    reason: str = ""
    zone: str = ""

    @property
    def registered(self) -> bool:
        """Whether AWS still counts it as a target of the group; draining and absent ones are not."""
        if self.state is TargetState.UNUSED:
            return self.reason != "Target.NotRegistered"
        return self.state is not TargetState.DRAINING


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeView:
    """What a verdict needs of one Node, and no more: 5,000 of them are kept in memory.

    `instance_id` is None where the providerID names no EC2 instance; `has_provider_id` tells rule 1 from 2.
    `leaving_taint` is the key of its first leaving taint. Times are seconds since the epoch.
    """

    name: str
    instance_id: InstanceId | None
    has_provider_id: bool
    zone: str
    created: float
    deleting_since: float | None
    selected: bool
    excluded: bool
    leaving_taint: str | None
    cordoned: bool
    ready: bool
    ready_since: float | None


class Standing(StrEnum):
    """Whether a node should be a target."""

    IN = "in"
    LEAVING = "leaving"
    OUT = "out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the rules say of one node, and the code of the rule that said it."""

    node: str
    instance_id: InstanceId | None
    standing: Standing
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A target that would be deregistered (or registered) but for a safety rule; `why` is the rule's code."""

    target: Target
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupPlan:
    """What is to be sent now for one target group, what is held and why, and when to look again (seconds)."""

    target_group: TargetGroupArn
    register: tuple[Target, ...] = ()
    deregister: tuple[Target, ...] = ()
    held: tuple[Held, ...] = ()
    look_again_in: float | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing is to be sent."""
        return not self.register and not self.deregister


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupState:
    """All that is known of one group when a plan is made.

    `targets` is the last DescribeTargetHealth plus our own acknowledged writes. `fresh` is false after a
    failed read: removals freeze, registrations do not. `ours` are the targets of the ownership record.
    """

    target_group: TargetGroupArn
    targets: Mapping[Target, TargetHealth]
    fresh: bool
    ours: frozenset[Target] = field(default_factory=frozenset)
