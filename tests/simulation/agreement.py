"""Invariants of what a controller keeps: the kept desired state is the full computation's, at every step."""

from collections.abc import Collection

from syncer.decide.desired import choose, final_verdicts, registered_instances
from syncer.decide.evaluate import evaluate
from syncer.decide.inputs import is_same_for_plans
from syncer.errors import AwsError
from syncer.model import Desired, Evaluation, GroupState, TargetGroupArn
from syncer.reconcile.controller import Controller
from syncer.reconcile.group import Group


class DisagreementError(BaseException):
    """Not an Exception: a controller survives those."""


class Agreement:
    """Compares with a full computation whenever the controller asks for the desired state.

    And no group is left with a plan from another desired state: a pass is requested then.
    """

    def __init__(self, controller: Controller) -> None:
        self._controller = controller
        self._state = controller.desired_state
        self._of = self._state.of
        self._reconcile, self._observe = controller.reconcile, controller._observe_actual
        self._planned_from: dict[TargetGroupArn, Desired] = {}
        self._state.of = self.of  # type: ignore[method-assign]
        controller.reconcile = self.reconcile  # type: ignore[method-assign]
        controller._observe_actual = self.observe  # type: ignore[method-assign]

    def of(self, groups: Collection[Group], now: float) -> tuple[Evaluation, Desired]:
        evaluation, desired = self._of(groups, now)
        settings, state = self._controller.settings, self._state
        states = [group.state(state.port(group), now) for group in groups]
        full = evaluate(state._nodes, registered_instances(states), settings.node_policy)
        wanted = choose(full, states, settings.plan_policy)
        verdicts = final_verdicts(full, wanted)
        if (evaluation, desired, state.verdicts) != (
            full,
            wanted,
            verdicts,
        ) or self._controller.counters.disagreements:
            raise DisagreementError(f"kept: {desired}; full: {wanted}")
        for group in groups:
            known = self._planned_from.get(group.arn)
            if known and not group.schedule.reconcile_requested and not is_same_for_plans(known, desired):
                raise DisagreementError(f"{group.name}: planned from {known}, and now it is {desired}")
        return evaluation, desired

    async def reconcile(self, group: Group) -> AwsError | None:
        self._planned_from.pop(group.arn, None)
        return await self._reconcile(group)

    def observe(self, group: Group) -> GroupState:
        assert self._state.desired is not None
        self._planned_from[group.arn] = self._state.desired
        return self._observe(group)
