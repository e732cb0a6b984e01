"""The controller's state at one moment, for probes, /status and /metrics. Nothing in it changes later."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from syncer.decide.policy import Ownership
from syncer.model import GroupPlan, Standing, Target, TargetGroupArn, TargetHealth, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaderState:
    """State of this replica in the leader election, with the properties of `syncer.interfaces.Leadership`."""

    elected: bool
    joined: bool
    may_write: bool
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSnapshot:
    """State of one group.

    `port` is the port of its targets, None if unknown; `port_source` names the Service port. `plan` is None
    before the first pass. `conflicts` has the likely cause of every target in conflict, `releases` the
    seconds until every quarantined target is retried; `refused` is the number of targets quarantined after a
    refusal. `last_good_pass` is in epoch seconds. `deregistered` counts targets since the start.
    """

    arn: TargetGroupArn
    name: str
    port: int | None
    port_source: str
    fresh: bool
    blind: bool
    targets: Mapping[Target, TargetHealth]
    plan: GroupPlan | None
    holds_doubtful: bool
    was_free: bool
    conflicts: Mapping[Target, str]
    releases: Mapping[Target, float]
    refused: int
    stale_check: int | None
    problem: str
    read_problem: str
    last_good_pass: float | None
    deregistered: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """State of the syncer at `now` (epoch seconds).

    `unlisted` is the kind of Kubernetes objects without a complete list since the start, "" when all are
    listed. `nodes` has the number of Nodes by verdict, `verdicts` the verdict of every Node if asked for.
    `only_selected`: the API server lists only Nodes that the selector matches. `wanted` is the number of
    instances that every group should contain.
    """

    now: float
    started: float
    paused: bool
    ownership: Ownership
    selector: str
    only_selected: bool
    unlisted: str
    cluster_problems: tuple[str, ...]
    registry_problem: str
    leader: LeaderState
    nodes: Mapping[Standing, int]
    verdicts: Iterable[Verdict]
    wanted: int
    groups: tuple[GroupSnapshot, ...]
