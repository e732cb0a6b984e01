"""Records shared by decisions and adapters: Nodes, targets as AWS lists them, and plans."""

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from operator import attrgetter
from typing import NamedTuple, NewType

InstanceId = NewType("InstanceId", str)
TargetGroupArn = NewType("TargetGroupArn", str)

# Port of a Target with an unknown number: a call without a port uses the target group's default port.
OWN_PORT = 0
OWN_PORT_TEXT = "the group's own port"

# Stands for a Service's healthCheckNodePort among its ports; the label of a port ends with a number.
CHECK_LABEL = "healthCheckNodePort"

# AWS's reason for a target in a zone that the load balancer does not serve, or without a listener.
NOT_IN_USE = "Target.NotInUse"

# Values of TargetHealthDescription.AdministrativeOverride.State (botocore elbv2 model) for a zonal shift.
SHIFTED = frozenset({"zonal_shift_active", "zonal_shift_delegated_to_dns"})
OVERRIDE_UNKNOWN = "unknown"


class Target(NamedTuple):
    """An instance on a port, as in the AWS API; an instance on two ports is two targets.

    A tuple and not a dataclass: plans are set arithmetic over thousands of targets, and tuples hash much
    faster.
    """

    id: InstanceId
    port: int

    @property
    def shown(self) -> str:
        """Target for logs and messages: instance and port."""
        return f"{self.id}:{self.port}" if self.port != OWN_PORT else f"{self.id} on {OWN_PORT_TEXT}"


# The instance of a Target, without a frame of Python for each of 5,000.
INSTANCE: Callable[[Target], InstanceId] = attrgetter("id")


def port_shown(port: int) -> str:
    """Return the port for logs and messages."""
    return str(port) if port != OWN_PORT else OWN_PORT_TEXT


def port_in_json(port: int | None) -> int | None:
    """Return the port for JSON: a number to connect to, or None if unknown."""
    return port if port != OWN_PORT else None


class TargetState(StrEnum):
    """TargetHealth.State of DescribeTargetHealth (botocore elbv2 model)."""

    INITIAL = "initial"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    UNHEALTHY_DRAINING = "unhealthy.draining"
    DRAINING = "draining"
    UNUSED = "unused"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetHealth:
    """A target in the answer of DescribeTargetHealth.

    `check_port` is the health check port, 0 if unknown. `override` is the state of the
    AdministrativeOverride, "" without an override. `registered` is false for draining and absent targets,
    because AWS no longer counts them as part of the group. A plan reads `registered` five times for 5,000
    targets, so the value is computed once.
    """

    target: Target
    state: TargetState
    reason: str = ""
    zone: str = ""
    check_port: int = 0
    override: str = ""
    registered: bool = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        counted = (
            self.reason != "Target.NotRegistered"
            if self.state is TargetState.UNUSED
            else self.state is not TargetState.DRAINING
        )
        object.__setattr__(self, "registered", counted)

    @property
    def shifted(self) -> bool:
        """Whether a zonal shift has moved traffic away from the target."""
        return self.override in SHIFTED


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeView:
    """The facts of a Node that a verdict needs.

    5,000 of them are kept in memory, so other fields are left out. `instance_id` is None if the providerID
    names no EC2 instance; `has_provider_id` separates rule 1 from rule 2. `leaving_taint` is the key of the
    first leaving taint. Times are seconds since the epoch. `zone_source` is a `syncer.decide.zones.Source`.
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
    zone_source: str = field(default="", compare=False)


class Standing(StrEnum):
    """Whether a node should be a target."""

    IN = "in"
    LEAVING = "leaving"
    OUT = "out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The standing of a Node, and the code of the rule that decided.

    `authoritative` is the name of the authoritative Node, if another Node of the same instance decided.
    `zone` is the zone of the instance, read from `zone_source`.
    """

    node: str
    instance_id: InstanceId | None
    standing: Standing
    reason: str
    authoritative: str = ""
    zone: str = ""
    zone_source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """The desired state of an instance: the verdict of its authoritative Node.

    `deadline`: the instance is leaving and will soon be stopped, whichever rule matched (Karpenter sets
    label, taint and deletionTimestamp together). `since` is the deletionTimestamp in seconds since the epoch,
    None without a deletionTimestamp.
    """

    standing: Standing
    reason: str
    zone: str = ""
    zone_source: str = ""
    deadline: bool = False
    since: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Result of the rules for a node list: a verdict per Node, a desired state per instance.

    `complete` is false until a complete list has been read since the start. Until then, no target may be
    removed.
    """

    verdicts: tuple[Verdict, ...]
    instances: Mapping[InstanceId, Intent]
    complete: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """The instances that every group of this syncer should contain.

    The set is computed once for all groups, so the groups never differ. `wanted` instances should be targets;
    `over_quota` instances would be wanted if the quota had room. `intents` has every instance that a Node
    names, wanted or not. `joining` instances are out only until their Nodes are Ready. `next_in_line` are the
    first instances over the quota, in the order of places. `all_out`: the rules exclude every listed Node, or
    the API server selects none, and no Node is leaving or joining. `unsettled`: at least one group is
    unsettled (see GroupState), so a learnt limit may be too low.
    """

    wanted: frozenset[InstanceId]
    over_quota: AbstractSet[InstanceId] = frozenset()
    next_in_line: tuple[InstanceId, ...] = ()
    joining: frozenset[InstanceId] = frozenset()
    intents: Mapping[InstanceId, Intent] = field(default_factory=dict)
    complete: bool = True
    all_out: bool = False
    unsettled: bool = False


class Why(StrEnum):
    """Code of the safety rule that holds a target; a contract, because `plan --json` prints the codes."""

    NO_NODE_LIST = "NoNodeList"
    SHARE = "Share"
    LAST_SERVING = "LastServing"
    AWAITING_SUCCESSOR = "AwaitingSuccessor"
    FOREIGN = "Foreign"
    ADD_ONLY = "AddOnly"
    POISON = "Poison"
    QUOTA = "Quota"
    CONTESTED = "Contested"


# A target with such a hold is retried after a separate delay.
QUARANTINES = frozenset({Why.POISON, Why.CONTESTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A target whose deregistration or registration a safety rule holds; `why` is the rule's code."""

    target: Target
    why: Why


class Urgency(IntEnum):
    """How long an announced removal can wait: the order in which leaving targets are deregistered."""

    DEADLINE = 0
    LABEL = 1
    CORDON = 2


@dataclass(frozen=True, slots=True)
class Notice:
    """Since when (seconds since the epoch) an instance is known to be leaving, and the urgency."""

    since: float
    urgency: Urgency


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupMemory:
    """State of one group from one plan to the next; kept in memory only.

    A restart may lose the state. Its entries only make a plan act sooner (a wait already served) or remember
    a larger base, and the `draining` state in AWS replaces the larger base.

    `peaks` has, for every scope ("" is the group, else a zone), the (time, count) pairs of serving + draining
    instances that no later count has reached. `draining` has the time since when a target was seen to drain,
    `announced` since when an instance is known to be leaving, `superseded` since when a target has a
    replacement. `zones` has the zone where an instance was last seen, `released` the targets that a confirmed
    hold released. Blind, all wanted targets are registered again at `register_again_at`, and until AWS
    accepts the registrations of `unacknowledged`.
    """

    peaks: Mapping[str, tuple[tuple[float, int], ...]] = field(default_factory=dict)
    draining: Mapping[Target, float] = field(default_factory=dict)
    announced: Mapping[InstanceId, Notice] = field(default_factory=dict)
    superseded: Mapping[Target, float] = field(default_factory=dict)
    zones: Mapping[InstanceId, str] = field(default_factory=dict)
    released: frozenset[Target] = frozenset()
    register_again_at: float | None = None
    unacknowledged: frozenset[Target] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupPlan:
    """The calls to send now for one target group, the holds, and the seconds until the next plan.

    `ours` is the content of the ownership registry to be written before `register` is sent; joining targets
    are included. `memory` goes into the next GroupState of this group. `hold_id` names the doubtful removals
    that wait for a confirmation, "" without any. `serving`, `base` and `floor` are the brake's figures for
    the whole group before this plan, in instances. `held` has the first instances over the quota, and
    `more_over_quota` is the number of further ones.
    """

    target_group: TargetGroupArn
    register: tuple[Target, ...] = ()
    deregister: tuple[Target, ...] = ()
    held: tuple[Held, ...] = ()
    look_again_in: float | None = None
    ours: frozenset[Target] = frozenset()
    memory: GroupMemory = field(default_factory=GroupMemory)
    hold_id: str = ""
    serving: int = 0
    base: int = 0
    floor: int = 0
    more_over_quota: int = 0

    @property
    def empty(self) -> bool:
        """Whether the plan sends no call."""
        return not self.register and not self.deregister


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupState:
    """The known facts of one group from which a plan is made.

    `targets` is the last DescribeTargetHealth plus the syncer's acknowledged writes. `fresh` is false after a
    failed read: removals freeze, registrations continue. `blind`: AWS denies the read; `targets` then has
    only targets that the syncer has written or recorded, so no other target can be removed. `acknowledged`
    are the registrations that AWS has accepted since the last plan of a blind group.

    `ours` are the targets in the ownership registry. `port` is the port of the wanted targets: the live
    NodePort, or the group's default port. While `port` is None (unknown), no target is registered or
    replaced.

    `set_aside` are targets that must not be changed now, with Why.POISON or Why.CONTESTED. A conflict does
    not hold an announced removal. `stuck` are targets that AWS has recently refused to deregister. `unsure`
    targets may be deregistered although AWS lists them: within the last minute their DeregisterTargets call
    got no response.

    `unsettled`: another process may have written within the last minute, and AWS may not show the write yet.
    `inherited` are the targets that such a process has recorded; empty after that minute.

    `refused` are the instances for which AWS refused the last registration, quarantined or not. `limit` is
    the number of targets that AWS was seen to accept (learnt from TooManyTargets), None if not learnt.
    `confirmed` are the ids of confirmed holds that have not expired.
    """

    target_group: TargetGroupArn
    targets: Mapping[Target, TargetHealth]
    fresh: bool
    ours: frozenset[Target] = field(default_factory=frozenset)
    port: int | None = None
    set_aside: Mapping[Target, Why] = field(default_factory=dict)
    stuck: frozenset[Target] = frozenset()
    unsure: frozenset[Target] = frozenset()
    unsettled: bool = False
    inherited: frozenset[Target] = frozenset()
    refused: frozenset[InstanceId] = frozenset()
    limit: int | None = None
    confirmed: frozenset[str] = frozenset()
    blind: bool = False
    acknowledged: frozenset[Target] = frozenset()
    memory: GroupMemory = field(default_factory=GroupMemory)
