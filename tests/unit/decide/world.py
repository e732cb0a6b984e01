"""Builders of the records that decisions look at, and a small AWS that keeps one target group."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from syncer.decide.acknowledged import after_deregister, after_register
from syncer.decide.desired import choose, registered_instances
from syncer.decide.evaluate import evaluate
from syncer.decide.plan import plan
from syncer.decide.policy import NodePolicy, PlanPolicy
from syncer.model import (
    GroupMemory,
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
    """One group on an AWS where registered targets turn healthy and draining ones disappear, in time.

    `memory` is the syncer's own and is lost by `restart`; `record` is the ownership record and is kept.
    `dead` instances never pass a health check. `warm_up` and `delay` are seconds.
    """

    arn: TargetGroupArn = HTTP
    port: int | None = PORT
    limit: int | None = None
    warm_up: float = 30.0
    delay: float = 300.0
    dead: set[InstanceId] = field(default_factory=set)
    targets: dict[Target, TargetHealth] = field(default_factory=dict)
    changed: dict[Target, float] = field(default_factory=dict)
    record: frozenset[Target] = frozenset()
    memory: GroupMemory = field(default_factory=GroupMemory)
    confirmed: frozenset[str] = frozenset()

    def read(self) -> GroupState:
        return GroupState(
            target_group=self.arn,
            targets=dict(self.targets),
            fresh=True,
            ours=self.record,
            port=self.port,
            confirmed=self.confirmed,
            memory=self.memory,
        )

    def apply(self, planned: GroupPlan, now: float) -> None:
        """Carry the plan out; a group over its limit refuses the whole call, as AWS does."""
        before, after = self.targets, dict(self.targets)
        after |= {each: after_register(each, after.get(each)) for each in planned.register}
        listed = sum(h.registered for h in after.values())
        assert self.limit is None or not planned.register or listed <= self.limit, "TooManyTargets"
        after |= {each: after_deregister(after[each]) for each in planned.deregister}
        self.changed |= {t: now for t, h in after.items() if before.get(t) != h}
        self.targets = after
        self.record, self.memory = planned.ours, planned.memory

    def tick(self, now: float) -> None:
        """Health checks and deregistration delays that are over by now."""
        for target, known in list(self.targets.items()):
            age = now - self.changed.get(target, -1e9)
            if known.state is TargetState.DRAINING:
                if age >= self.delay:
                    del self.targets[target]
            elif known.registered and (known.state is not TargetState.INITIAL or age >= self.warm_up):
                alive = target.id not in self.dead
                state = TargetState.HEALTHY if alive else TargetState.UNHEALTHY
                self.targets[target] = replace(known, state=state, reason="")

    def restart(self) -> None:
        self.memory = GroupMemory()

    def put(self, numbers: Iterable[int], state: str = "healthy", port: int = PORT) -> None:
        """Targets that were there before us."""
        self.targets |= {target(n, port): health(n, state, port=port) for n in numbers}

    def serving(self) -> int:
        """How many are healthy: what clients feel."""
        return sum(h.state is TargetState.HEALTHY for h in self.targets.values())

    def registered(self) -> set[Target]:
        return {t for t, h in self.targets.items() if h.registered}


def pass_once(aws: Aws, nodes: Iterable[NodeView] | None, policy: PlanPolicy, now: float) -> GroupPlan:
    """One pass of the loop over one group."""
    planned = decide(nodes, aws.read(), policy, now=now)
    aws.apply(planned, now)
    return planned
