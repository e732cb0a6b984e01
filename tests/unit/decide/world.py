"""Builders of the records that decisions look at, and a small AWS that keeps one target group."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from syncer.decide.acknowledged import with_deregistered, with_registered
from syncer.decide.desired import choose, registered_instances
from syncer.decide.evaluate import evaluate
from syncer.decide.plan import plan
from syncer.decide.policy import NodePolicy, PlanPolicy
from syncer.model import (
    GroupPlan,
    GroupState,
    InstanceId,
    NodeView,
    Target,
    TargetGroupArn,
    TargetHealth,
    TargetState,
    Why,
)

HTTP = TargetGroupArn(
    "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/http/0123456789abcdef"
)
HTTPS = TargetGroupArn(
    "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/https/0123456789abcdef"
)
PORT = 30080
NOON = 1_800_000_000.0


def instance(number: int) -> InstanceId:
    return InstanceId(f"i-{number:017x}")


def target(number: int, port: int = PORT) -> Target:
    return Target(instance(number), port)


def node(number: int, **changes: Any) -> NodeView:
    """A Ready node of instance `number`, with whatever is different about it."""
    plain = NodeView(
        name=f"node-{number}",
        instance_id=instance(number),
        has_provider_id=True,
        zone="eu-central-1" + "abc"[number % 3],
        created=NOON - 3600,
        deleting_since=None,
        selected=True,
        excluded=False,
        leaving_taint=None,
        cordoned=False,
        ready=True,
        ready_since=NOON - 3500,
    )
    return replace(plain, **changes)


def health(number: int, state: str = "healthy", reason: str = "", port: int = PORT) -> TargetHealth:
    return TargetHealth(target=target(number, port), state=TargetState(state), reason=reason)


def group(*targets: TargetHealth, **changes: Any) -> GroupState:
    plain = GroupState(target_group=HTTP, targets={h.target: h for h in targets}, fresh=True, port=PORT)
    return replace(plain, **changes)


def decide(
    nodes: Iterable[NodeView] | None,
    actual: GroupState,
    policy: PlanPolicy | None = None,
    *,
    now: float = NOON,
    node_policy: NodePolicy | None = None,
) -> GroupPlan:
    """Evaluate, choose and plan, as the loop does for one group."""
    policy = policy or PlanPolicy()
    evaluation = evaluate(nodes, registered_instances([actual]), node_policy or NodePolicy())
    return plan(choose(evaluation, [actual], policy), actual, policy, now)


def held(planned: GroupPlan) -> dict[Target, Why]:
    return {hold.target: hold.why for hold in planned.held}


@dataclass
class Aws:
    """One group on an AWS that makes registered targets healthy and drained ones disappear.

    `memory` and `record` are what the syncer keeps: `restart` loses the first and keeps the second.
    """

    arn: TargetGroupArn = HTTP
    port: int | None = PORT
    targets: dict[Target, TargetHealth] = field(default_factory=dict)
    record: frozenset[Target] = frozenset()
    state: GroupState = field(init=False)
    confirmed: frozenset[str] = frozenset()
    limit: int | None = None

    def __post_init__(self) -> None:
        self.state = GroupState(target_group=self.arn, targets={}, fresh=True)

    def read(self) -> GroupState:
        self.state = replace(
            self.state,
            targets=dict(self.targets),
            ours=self.record,
            port=self.port,
            confirmed=self.confirmed,
        )
        return self.state

    def apply(self, planned: GroupPlan) -> None:
        """Carry the plan out; a group over its limit refuses the whole call, as AWS does."""
        self.record = planned.ours
        after = with_registered(self.read(), planned.register)
        listed = sum(h.registered for h in after.targets.values())
        assert self.limit is None or not planned.register or listed <= self.limit, "TooManyTargets"
        after = with_deregistered(after, planned.deregister)
        self.targets = dict(after.targets)
        self.state = replace(self.state, memory=planned.memory)

    def settle(self, *, drained: bool = True, dead: Iterable[InstanceId] = ()) -> None:
        """Let health checks pass (but on dead instances) and, if wanted, draining targets be gone."""
        self.targets = {
            t: _checked(h, alive=t.id not in set(dead))
            for t, h in self.targets.items()
            if not (drained and h.state is TargetState.DRAINING)
        }

    def restart(self) -> None:
        self.state = GroupState(target_group=self.arn, targets={}, fresh=True)

    def put(self, numbers: Iterable[int], state: str = "healthy", port: int = PORT) -> None:
        """Targets that were there before us."""
        self.targets |= {target(n, port): health(n, state, port=port) for n in numbers}

    def serving(self) -> int:
        return sum(h.state is TargetState.HEALTHY for h in self.targets.values())

    def states(self) -> Mapping[Target, TargetState]:
        return {t: h.state for t, h in self.targets.items()}

    def registered(self) -> set[Target]:
        return {t for t, h in self.targets.items() if h.registered}


def _checked(known: TargetHealth, *, alive: bool) -> TargetHealth:
    if known.state is TargetState.DRAINING or not known.registered:
        return known
    return replace(known, state=TargetState.HEALTHY if alive else TargetState.UNHEALTHY, reason="")


def pass_once(aws: Aws, nodes: Iterable[NodeView] | None, policy: PlanPolicy, now: float) -> GroupPlan:
    """One pass of the loop over one group."""
    planned = decide(nodes, aws.read(), policy, now=now)
    aws.apply(planned)
    return planned
