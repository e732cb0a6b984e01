"""Invariants of what a controller keeps: at every step, the kept results are those of a full computation."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from syncer.decide.desired import choose, final_verdicts, outcome, registered_instances
from syncer.decide.evaluate import evaluate
from syncer.decide.plan import plan
from syncer.model import GroupPlan, GroupState, TargetGroupArn
from syncer.reconcile.controller import Controller
from syncer.reconcile.group import LONGEST_S, Group

# A moment in epoch seconds, and thus a waiting time, is exact to a quarter of a microsecond.
_DUST_S = 0.001


class DisagreementError(BaseException):
    """Not an Exception: a controller survives those."""


@dataclass(frozen=True)
class Waiting:
    """A group that waits for a request until `due`: its last plan, and what time changes by itself.

    `untimed`: nothing else than the longest time between passes ends the wait.
    """

    plan: GroupPlan
    by_time: object
    due: float
    untimed: bool


class Agreement:
    """Compares with a full computation whenever the controller asks for the desired state.

    And no wake-up is missing: the plan of a group without a requested pass is the plan of this moment.
    """

    def __init__(self, controller: Controller) -> None:
        self._controller = controller
        self._state = controller.desired_state
        self._refresh, self._pass = self._state.refresh, controller._pass
        self._waiting: dict[TargetGroupArn, Waiting] = {}
        self._state.refresh = self.refresh  # type: ignore[method-assign]
        controller._pass = self.run_pass  # type: ignore[method-assign]

    def refresh(self, now: float, of: Collection[Group] = ()) -> bool:
        wakes_all = self._refresh(now, of)
        settings, state, groups = self._controller.settings, self._state, self._controller.groups
        states = [group.state(state.port(group), now) for group in groups]
        nodes = state.nodes.values() if state.listed else None
        full = evaluate(nodes, registered_instances(states), settings.node_policy)
        wanted = choose(full, states, settings.plan_policy)
        verdicts = final_verdicts(full, wanted)
        outcomes = Counter(map(outcome, verdicts))
        if (state.result(), tuple(state.verdicts()), +state._kept.outcomes) != (wanted, verdicts, outcomes):
            raise DisagreementError(f"kept: {state.result()}; full: {wanted}")
        if any(self._controller.counters.disagreements.values()):
            raise DisagreementError("a full pass has counted a disagreement")
        for group in groups:
            if group.observed.listing.repair():
                raise DisagreementError(f"{group.name}: the listing differs from {group.observed.targets}")
        for group in groups:
            waiting = self._waiting.get(group.arn)
            requested = wakes_all or group.schedule.reconcile_requested
            if waiting and not requested and now < waiting.due - _DUST_S:
                self._compare(group, waiting, now)
        return wakes_all

    async def run_pass(self, group: Group, *, idle: bool = False) -> float:
        waiting, now = self._waiting.pop(group.arn, None), self._controller.clock.monotonic()
        if waiting and waiting.untimed and abs(now - waiting.due) < _DUST_S:
            self._compare(group, waiting, now)
        wait = await self._pass(group, idle=idle)
        if not wait and group.plan is not None:
            now = self._controller.clock.monotonic()
            left = group.next_change(now)
            waiting = Waiting(
                group.plan, _by_time(self._now(group, now)), now + min(left, LONGEST_S), left > LONGEST_S
            )
            self._waiting[group.arn] = waiting
        return wait

    def _now(self, group: Group, now: float) -> GroupState:
        return group.state(self._state.port(group), now)

    def _compare(self, group: Group, waiting: Waiting, now: float) -> None:
        state, desired = self._now(group, now), self._state.desired
        if desired is None or waiting.by_time != _by_time(state) or self._controller._debounce.pending:
            return
        last = waiting.plan
        new = plan(desired, state, self._controller.settings.plan_policy, self._controller._epoch())
        if (last.register, last.deregister, last.held) != (new.register, new.deregister, new.held):
            raise DisagreementError(f"{group.name}: no pass is requested; planned: {last}; now: {new}")


def _by_time(state: GroupState) -> object:
    """What ends without a wake-up, because nothing is lost until the next pass."""
    return state.fresh, state.confirmed
