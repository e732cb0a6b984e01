"""The records that decisions and adapters share: nodes as seen, targets as AWS lists them, plans to apply."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import NamedTuple, NewType

InstanceId = NewType("InstanceId", str)
TargetGroupArn = NewType("TargetGroupArn", str)

# The port of a Target whose number is unknown: AWS uses the group's own where a call names none.
OWN_PORT = 0
OWN_PORT_SAYS = "the group's own port"

# Values of TargetHealthDescription.AdministrativeOverride.State (botocore elbv2 model) for a zonal shift.
SHIFTED = frozenset({"zonal_shift_active", "zonal_shift_delegated_to_dns"})
OVERRIDE_UNKNOWN = "unknown"


class Target(NamedTuple):
    """What AWS calls a target: one instance on one port. The same instance on two ports is two targets.

    A tuple and no dataclass: plans are set arithmetic over thousands of them, and tuples hash much faster.
    """

    id: InstanceId
    port: int

    @property
    def shown(self) -> str:
        """The target as people read it: instance and port."""
        return f"{self.id}:{self.port}" if self.port != OWN_PORT else f"{self.id} on {OWN_PORT_SAYS}"


def port_shown(port: int) -> str:
    """Return a port as people read it."""
    return str(port) if port != OWN_PORT else OWN_PORT_SAYS


def port_in_json(port: int | None) -> int | None:
    """Return a port for JSON: a number that can be connected to, or None."""
    return port if port != OWN_PORT else None


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
    """One line of DescribeTargetHealth. `check_port` is where its health is checked, 0 where not known.

    `override` is the state of its AdministrativeOverride, "" for none. `registered`: whether AWS still counts
    it as a target of the group; draining and absent ones are not. It is read for 5,000 targets five times a
    plan, so it is worked out once.
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
        """Whether a zonal shift has moved traffic away from it."""
        return self.override in SHIFTED


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeView:
    """What a verdict needs of one Node, and no more: 5,000 of them are kept in memory.

    `instance_id` is None where the providerID names no EC2 instance; `has_provider_id` tells rule 1 from 2.
    `leaving_taint` is the key of its first leaving taint. Times are seconds since the epoch. `zone_source` is
    a `syncer.decide.zones.Source`.
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
    """What the rules say of one node, and the code of the rule that said it.

    `speaker` is the Node whose facts it rests on, where that is another one of the same instance. `zone` is
    where the instance is, by `zone_source`.
    """

    node: str
    instance_id: InstanceId | None
    standing: Standing
    reason: str
    speaker: str = ""
    zone: str = ""
    zone_source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the cluster wishes of one instance: the verdict of the one Node that speaks for it.

    `deadline`: it is leaving and somebody will stop it soon, whatever rule spoke (Karpenter sets label, taint
    and deletionTimestamp alike). `since` is its deletionTimestamp in seconds since the epoch, if it has one.
    """

    standing: Standing
    reason: str
    zone: str = ""
    zone_source: str = ""
    deadline: bool = False
    since: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What the rules say of a node list: one verdict for each Node, one wish for each instance.

    `complete` is false while no complete list has been read since start: then nothing may be removed.
    """

    verdicts: tuple[Verdict, ...]
    instances: Mapping[InstanceId, Wish]
    complete: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """The instances that every group of this syncer should hold; made once for all, so groups never differ.

    `wanted` should be targets. `over_quota` would be, if the quota had room. `wishes` is of every instance
    that a Node names, wanted or not. `all_out`: rules put every listed Node out, and none leaves or joins.
    `unsettled`: so is a group (see GroupState), so a limit may be too low.
    """

    wanted: frozenset[InstanceId]
    over_quota: frozenset[InstanceId] = frozenset()
    wishes: Mapping[InstanceId, Wish] = field(default_factory=dict)
    complete: bool = True
    all_out: bool = False
    unsettled: bool = False


class Why(StrEnum):
    """The safety rule that holds a target back. The names are a contract: `plan --json` prints them."""

    NO_NODE_LIST = "NoNodeList"
    SHARE = "Share"
    LAST_SERVING = "LastServing"
    AWAITING_SUCCESSOR = "AwaitingSuccessor"
    FOREIGN = "Foreign"
    ADD_ONLY = "AddOnly"
    POISON = "Poison"
    QUOTA = "Quota"
    CONTESTED = "Contested"


# A target that is held for one of these is tried again after a time of its own.
QUARANTINES = frozenset({Why.POISON, Why.CONTESTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A target that would be deregistered (or registered) but for a safety rule; `why` is the rule's code."""

    target: Target
    why: Why


class Urgency(IntEnum):
    """How long an announced leaving can wait: the order in which leaving targets go."""

    DEADLINE = 0
    LABEL = 1
    CORDON = 2


@dataclass(frozen=True, slots=True)
class Notice:
    """Since when (seconds) an instance is known to be leaving, and how urgently."""

    since: float
    urgency: Urgency


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupMemory:
    """What a plan must remember of one group's last minutes; kept in memory only.

    A restart may lose it: everything in it only makes a plan act sooner (a wait already served) or remember
    a larger base, and AWS's own `draining` stands in for the latter.

    `peaks` are, for each scope ("" is the group, else a zone), the (time, count) of serving + draining
    instances that no later count has reached. `draining` says since when a target is seen to drain,
    `announced` since when an instance is known to leave, `superseded` since when a target has a successor,
    `zones` where an instance was last seen, `released` which targets a confirmed hold let go.
    """

    peaks: Mapping[str, tuple[tuple[float, int], ...]] = field(default_factory=dict)
    draining: Mapping[Target, float] = field(default_factory=dict)
    announced: Mapping[InstanceId, Notice] = field(default_factory=dict)
    superseded: Mapping[Target, float] = field(default_factory=dict)
    zones: Mapping[InstanceId, str] = field(default_factory=dict)
    released: frozenset[Target] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupPlan:
    """What is to be sent now for one target group, what is held and why, and when to look again (seconds).

    `ours` is the ownership record as it must stand before `register` is sent; what is joining is in it too.
    `memory` goes into the next GroupState of this group. `hold_id` names the doubtful removals that wait to
    be confirmed, "" if none.
    `serving`, `base` and `floor` are the brake's figures for the whole group before this plan, in instances.
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

    @property
    def empty(self) -> bool:
        """Whether nothing is to be sent."""
        return not self.register and not self.deregister


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupState:
    """All that is known of one group when a plan is made.

    `targets` is the last DescribeTargetHealth plus our own acknowledged writes. `fresh` is false after a
    failed read: removals freeze, registrations do not. `blind`: AWS does not let us read the group; `targets`
    is then what we wrote ourselves, and what is removed is what was seen to leave.
    `ours` are the targets of the ownership record.
    `port` is where this group's targets are wanted: the live NodePort, or the group's own port; None while
    it is not known, and then nothing is registered and nothing replaced.
    `set_aside` are targets that must not be touched now, with Why.POISON or Why.CONTESTED. A conflict holds
    back no announced removal. `stuck` are those that AWS has just refused to deregister.
    `unsure` may be deregistered although AWS lists them: within the last minute such a call was not answered.
    `unsettled`: another process may have written within the last minute, which AWS may not show yet.
    `inherited` are those that such a process has recorded; none once that minute is over.
    `refused` are the instances of which AWS took no target when it was last asked, set aside or not.
    `limit` is how many targets AWS was seen to accept (learnt from TooManyTargets), None if not learnt.
    `confirmed` are the hold ids that a person has let go and that have not expired.
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
    memory: GroupMemory = field(default_factory=GroupMemory)
