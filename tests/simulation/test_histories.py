"""Random histories of two groups in virtual time: every plan is watched, and every history ends well."""

from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

import pytest

from syncer.decide.desired import choose, registered_instances
from syncer.decide.evaluate import evaluate
from syncer.decide.plan import plan
from syncer.decide.policy import NodePolicy, Ownership, PlanPolicy
from syncer.model import Desired, GroupPlan, GroupState, NodeView, Target, TargetState, Why
from tests.unit.decide.oracle import Oracle
from tests.unit.decide.world import HTTP, HTTPS, NOON, PORT, Aws, held, instance, node

SEEDS = range(24)
STEP_S, TROUBLE_S, QUIET_S = 5, 900, 3000
FOREIGN = range(900, 905)


@dataclass
class History:
    """Two groups of one syncer, and what may happen to them; the seed decides all of it."""

    rng: Random
    now: float = NOON
    nodes: dict[int, NodeView] = field(default_factory=dict)
    unread: bool = False

    def __post_init__(self) -> None:
        rng = self.rng
        limit = rng.choice([None, None, 6, 12])
        self.policy = PlanPolicy(
            ownership=rng.choice([Ownership.TRACKED, Ownership.EXCLUSIVE]),
            share=rng.choice([0.5, 0.5, 0.3, 0.0]),
            target_limit=limit,
            cross_zone=rng.random() < 0.6,
        )
        first = rng.choice([1, 2, 3, 6])
        self.nodes = {n: node(n) for n in range(first)}
        self.groups = [Aws(arn, limit=limit, delay=rng.choice([0, 120, 300])) for arn in (HTTP, HTTPS)]
        for aws in self.groups:
            aws.put(range(first))
            aws.put(rng.sample(FOREIGN, rng.choice([0, 0, 1, 3]) if first + 3 <= (limit or 99) else 0))
            aws.record = frozenset(t for t in aws.targets if rng.random() < 0.5)
        self.oracles = [Oracle(self.policy) for _ in self.groups]
        self.next_number = first

    def turn(self) -> list[tuple[Desired, GroupState, GroupPlan]]:
        """Time passes, then one pass over each group."""
        self.now += STEP_S
        for aws in self.groups:
            aws.tick(self.now)
        states = [replace(aws.read(), fresh=not self.unread) for aws in self.groups]
        desired = choose(
            evaluate(self.nodes.values(), registered_instances(states), NodePolicy()), states, self.policy
        )
        plans = [plan(desired, state, self.policy, self.now) for state in states]
        for aws, oracle, state, planned in zip(self.groups, self.oracles, states, plans, strict=True):
            oracle.watch(desired, state, planned, self.now)
            aws.apply(planned, self.now)
            if planned.empty and self.now % 20 == 0:
                self.nothing_changes_before_it_asks(desired, state, planned)
        return [(desired, state, planned) for state, planned in zip(states, plans, strict=True)]

    def nothing_changes_before_it_asks(self, desired: Desired, state: GroupState, planned: GroupPlan) -> None:
        """Time alone lets nothing go before the moment for which the plan asks, or a minute has passed."""
        wait = min(60.0, planned.look_again_in or 60.0) - 0.01
        later = plan(desired, replace(state, memory=planned.memory), self.policy, self.now + max(0.0, wait))
        assert later.deregister == ()

    def trouble(self) -> None:
        """Something happens to some nodes, targets, ports, or to the syncer."""
        events = [self.join, self.join, self.mark, self.mark, self.leave, self.fail, self.move, self.meddle]
        self.rng.choice([*events, self.restart, self.heal, self.confirm, self.blink])()

    def some(self) -> list[int]:
        return self.rng.sample(sorted(self.nodes), self.rng.randint(0, len(self.nodes)))

    def join(self) -> None:
        for _ in range(self.rng.choice([1, 1, 3])):
            self.nodes[self.next_number] = node(self.next_number)
            self.next_number += 1

    def mark(self) -> None:
        marks: list[dict[str, Any]] = [{"excluded": True}, {"selected": False}, {"deleting_since": self.now}]
        mark = self.rng.choice([*marks, {"leaving_taint": "karpenter.sh/disrupted"}, {"ready": False}])
        self.nodes |= {n: replace(self.nodes[n], **mark) for n in self.some()}

    def leave(self) -> None:
        for n in self.some():
            del self.nodes[n]

    def fail(self) -> None:
        for aws in self.groups:
            aws.dead = set(map(instance, self.some()))

    def move(self) -> None:
        self.rng.choice(self.groups).port = self.rng.choice([PORT, 30081, 30082, None])

    def meddle(self) -> None:
        """Another hand deregisters a target."""
        aws = self.rng.choice(self.groups)
        for each in self.rng.sample(sorted(aws.registered()), min(1, len(aws.registered()))):
            aws.targets[each] = replace(aws.targets[each], state=TargetState.DRAINING)
            aws.changed[each] = self.now

    def restart(self) -> None:
        for aws, oracle in zip(self.groups, self.oracles, strict=True):
            aws.restart()
            oracle.restart()

    def heal(self) -> None:
        self.nodes = {n: node(n) for n in self.nodes}

    def confirm(self) -> None:
        for aws, (_, _, planned) in zip(self.groups, self.turn(), strict=True):
            aws.confirmed = frozenset({planned.hold_id} - {""})

    def blink(self) -> None:
        self.unread = not self.unread

    def calm_down(self) -> None:
        self.unread = False
        for aws in self.groups:
            aws.dead, aws.port = set(), aws.port or PORT


@pytest.mark.parametrize("seed", SEEDS)
def test_every_plan_of_a_history_keeps_the_rules_and_the_history_ends_well(seed: int) -> None:
    history = History(Random(seed))  # noqa: S311
    while history.now < NOON + TROUBLE_S:
        if history.rng.random() < 0.15:
            history.trouble()
        history.turn()
    history.calm_down()
    while history.now < NOON + TROUBLE_S + QUIET_S:
        history.confirm()
    for aws, (desired, _, planned) in zip(history.groups, history.turn(), strict=True):
        wanted = {Target(i, aws.port or 0) for i in desired.wanted}
        # A group full of what may not go before one of ours is healthy stays so, and says it.
        assert wanted <= aws.registered() or len(aws.registered()) == history.policy.target_limit
        left = {each: held(planned).get(each) for each in aws.registered() - wanted}
        assert set(left.values()) <= {Why.FOREIGN, Why.LAST_SERVING}, left
