"""The desired state: verdicts and wanted instances, computed again only when an input has changed."""

import logging
from collections.abc import Collection, Mapping, Sequence
from math import inf
from typing import NamedTuple

from syncer.config.settings import ServicePort, Settings
from syncer.decide.desired import choose, final_verdicts, nobody, registered_instances
from syncer.decide.difference import difference
from syncer.decide.evaluate import Judge, evaluate
from syncer.decide.inputs import Inputs, inputs_of, is_same_for_plans, is_unaffected
from syncer.interfaces import Cluster
from syncer.model import Desired, Evaluation, GroupState, NodeView, TargetGroupArn, Verdict
from syncer.reconcile.group import Group
from syncer.telemetry.counters import DESIRED_STATE, Counters

log = logging.getLogger(__name__)

# A full pass repeats the computation without any kept result at this interval, whatever is known of the
# inputs.
FULL_EVERY_S = 30.0


class _Known(NamedTuple):
    """A group at the last computation. An equal key means equal inputs; the converse need not hold.

    The key has the ids of values that are replaced as a whole; `keeps` prevents the reuse of the ids.
    """

    key: tuple[object, ...]
    keeps: tuple[object, ...]
    inputs: Inputs


class _Result(NamedTuple):
    """What is computed for all groups together."""

    evaluation: Evaluation
    desired: Desired
    verdicts: tuple[Verdict, ...]


class DesiredState:
    """The desired state, the same for every group, so that the groups never differ.

    The result is kept until an input changes. A full pass, every FULL_EVERY_S and after a doubt, computes
    the result from the Nodes and the groups alone; if the results differ, the full one counts.
    """

    def __init__(self, settings: Settings, cluster: Cluster, counters: Counters) -> None:
        self._settings = settings
        self._counters = counters
        self._cluster = cluster
        self._judge = Judge(settings.node_policy)
        self._nodes: Sequence[NodeView] | None = None
        self._outdated = True
        self._full_at = -inf
        self._known: Mapping[TargetGroupArn, _Known] = {}
        self._result: _Result | None = None
        self._nobody = ""

    @property
    def desired(self) -> Desired | None:
        """The wanted instances, None before the first computation."""
        return self._result.desired if self._result else None

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """The final verdict of every Node."""
        return self._result.verdicts if self._result else ()

    @property
    def listed(self) -> bool:
        """Whether a complete list of Nodes has been taken."""
        return self._nodes is not None

    def take_nodes(self) -> None:
        """Take a snapshot of the Nodes, so that a pass for another reason does not see half of a burst."""
        known = self._cluster.nodes
        self._nodes = None if known is None else tuple(known.values())
        self._outdated = True

    def doubt(self) -> None:
        """Let the next use of the result be a full pass."""
        self._full_at = -inf

    def result(self) -> tuple[Evaluation, Desired]:
        """Return verdicts and wanted instances as of the last `refresh`."""
        if self._result is None:
            raise RuntimeError("the desired state is not computed")
        return self._result.evaluation, self._result.desired

    def refresh(self, groups: Collection[Group], now: float) -> bool:
        """Compute the result again if an input has changed, or if a full pass is due; `now` is monotonic.

        Return whether plans may change without a request: after `take_nodes`, the caller requests a pass of
        every group.
        """
        before, requested = self._result, self._outdated
        if before is None or requested or self._has_new_inputs(before.desired, groups, now):
            states = [group.state(self.port(group), now) for group in groups]
            self._keep(self._compute(states, self._judge, self.verdicts), groups, states, now)
            self._full_at = now if before is None else self._full_at  # computed without a kept result
        disagrees = now >= self._full_at + FULL_EVERY_S and self._pass_fully(groups, now)
        if before is None or self._result is None or before is self._result:
            return disagrees
        return disagrees or not (requested or is_same_for_plans(before.desired, self._result.desired))

    def _has_new_inputs(self, desired: Desired, groups: Collection[Group], now: float) -> bool:
        """Whether any group has changed in a way that may change the desired state."""
        known = dict(self._known)
        for group in groups:
            last, (key, keeps) = known[group.arn], self._key(group, now)
            if key == last.key:
                continue
            inputs = inputs_of(group.state(self.port(group), now), self._settings.plan_policy)
            others = [each.inputs for arn, each in known.items() if arn != group.arn]
            if not is_unaffected(desired, last.inputs, inputs, others):
                return True
            known[group.arn] = _Known(key, keeps, inputs)
        self._known = known
        return False

    def _key(self, group: Group, now: float) -> tuple[tuple[object, ...], tuple[object, ...]]:
        """Return a key of what `inputs_of` reads of the group, and the values behind the key's ids."""
        group.expire(now)
        observed, ours = group.observed, group.owned.targets
        key = (
            *(id(observed.targets), id(ours), self.port(group), observed.blind, group.is_unsettled(now)),
            *(group.quarantine.registrations.instances, group.calls.limit.at(now, observed.targets.values())),
        )
        return key, (observed.targets, ours)

    def _compute(self, states: Sequence[GroupState], judge: Judge, verdicts: Sequence[Verdict]) -> _Result:
        """Compute the result; `judge` and `verdicts`, kept from an earlier result, only save time."""
        evaluation = evaluate(
            self._nodes, registered_instances(states), self._settings.node_policy, judge=judge
        )
        desired = choose(evaluation, states, self._settings.plan_policy)
        return _Result(evaluation, desired, final_verdicts(evaluation, desired, verdicts))

    def _keep(
        self, result: _Result, groups: Collection[Group], states: Sequence[GroupState], now: float
    ) -> None:
        """Replace the result and the inputs; the inputs of a group with an equal key are equal."""
        known = {}
        for group, state in zip(groups, states, strict=True):
            last, (key, keeps) = self._known.get(group.arn), self._key(group, now)
            kept = last.inputs if last is not None and last.key == key else None
            known[group.arn] = _Known(key, keeps, kept or inputs_of(state, self._settings.plan_policy))
        self._result, self._known, self._outdated = result, known, False
        self._say_nobody()

    def _pass_fully(self, groups: Collection[Group], now: float) -> bool:
        """Compute everything without a kept result; return whether the kept result differs."""
        states = [group.state(self.port(group), now) for group in groups]
        judge, kept = Judge(self._settings.node_policy), self._result
        full = self._compute(states, judge, ())
        self._judge, self._known, self._full_at = judge, {}, now
        self._keep(full, groups, states, now)
        if kept is None or (kept.verdicts == full.verdicts and is_same_for_plans(kept.desired, full.desired)):
            return False
        self._counters.disagreements[DESIRED_STATE] += 1
        log.error(
            "the kept desired state differs from the full computation, which counts; please report: %s",
            difference(kept.desired, full.desired, self._nodes or (), states),
        )
        return True

    def _say_nobody(self) -> None:
        """Log once when no Node may be a target, because there is no other sign."""
        before, self._nobody = self._nobody, nobody(self.verdicts)
        if self._nobody and self._nobody != before:
            log.warning("%s", self._nobody)

    def behind(self, group: Group) -> float:
        """Return for how many seconds the input of the group's decisions may have been outdated."""
        source = group.config.settings.port
        return self._cluster.behind(source.service if isinstance(source, ServicePort) else "")

    def missing_port(self, group: Group) -> str:
        """Describe the Service port that does not exist; "" if it exists or is not known yet."""
        source = group.config.settings.port
        if not isinstance(source, ServicePort) or not self._cluster.knows(source.service):
            return ""
        if self.port(group) is not None:
            return ""
        return source.missing(self._cluster.node_ports(source.service))

    def port(self, group: Group) -> int | None:
        """Return the port of wanted targets: the live NodePort or the configured port; None if unknown."""
        source = group.config.settings.port
        if isinstance(source, ServicePort):
            return self._cluster.node_port(source.service, source.port)
        return group.observed.default_port if source is None else source
