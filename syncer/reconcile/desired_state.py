"""The desired state: verdicts and wanted instances, computed again only when an input has changed."""

import logging
from collections.abc import Collection, Sequence
from math import inf
from typing import NamedTuple

from syncer.config.settings import ServicePort, Settings
from syncer.decide.desired import choose, final_verdicts, nobody, registered_instances
from syncer.decide.evaluate import Judge, evaluate
from syncer.decide.inputs import Inputs, difference, inputs_of, is_same_for_plans, is_unaffected
from syncer.interfaces import Cluster
from syncer.model import Desired, Evaluation, NodeView, TargetGroupArn, Verdict
from syncer.reconcile.group import Group
from syncer.telemetry.counters import Counters

log = logging.getLogger(__name__)

# The desired state is computed again at this interval, whatever is known of its inputs.
FULL_EVERY_S = 30.0


class _Known(NamedTuple):
    """A group at the last computation. An equal key means equal inputs; the converse need not hold.

    The key has the ids of values that are replaced as a whole; `keeps` prevents the reuse of the ids.
    """

    key: tuple[object, ...]
    keeps: tuple[object, ...]
    inputs: Inputs


class DesiredState:
    """The desired state, the same for every group, so that the groups never differ.

    The result is kept until an input changes, and computed completely every FULL_EVERY_S all the same.
    """

    def __init__(self, settings: Settings, cluster: Cluster, counters: Counters) -> None:
        self._settings = settings
        self._counters = counters
        self._cluster = cluster
        self._judge = Judge(settings.node_policy)
        self._nodes: Sequence[NodeView] | None = None
        self._outdated = True
        self._full_at = -inf
        self._known: dict[TargetGroupArn, _Known] = {}
        self.evaluation: Evaluation | None = None
        self.desired: Desired | None = None
        self.verdicts: tuple[Verdict, ...] = ()
        self._nobody = ""

    @property
    def listed(self) -> bool:
        """Whether a complete list of Nodes has been taken."""
        return self._nodes is not None

    def take_nodes(self) -> None:
        """Take a snapshot of the Nodes, so that a pass for another reason does not see half of a burst."""
        known = self._cluster.nodes
        self._nodes = None if known is None else tuple(known.values())
        self._outdated = True

    def outdated(self) -> None:
        """Mark the result as outdated; the next call of `refresh` or `of` computes it again."""
        self._outdated = True

    def of(self, groups: Collection[Group], now: float) -> tuple[Evaluation, Desired]:
        """Return verdicts and wanted instances; `now` is monotonic."""
        self.refresh(groups, now)
        if self.evaluation is None or self.desired is None:
            raise RuntimeError("the desired state is not computed")
        return self.evaluation, self.desired

    def refresh(self, groups: Collection[Group], now: float) -> bool:
        """Compute the result again if an input has changed; return whether the plan of any group may change.

        The return value is False after `outdated`, whose callers request a pass of every group themselves.
        """
        before = self.desired
        if before is None or self._outdated:
            self._compute(groups, now)
            return False
        changed = self._has_new_inputs(before, groups, now)
        if not changed and now < self._full_at + FULL_EVERY_S:
            return False
        after = self._compute(groups, now)
        if is_same_for_plans(before, after):
            return False
        if not changed:
            self._counters.disagreements += 1
            log.error(
                "the kept desired state differs from the full computation, which counts; please report: %s",
                difference(before, after),
            )
        return True

    def _has_new_inputs(self, desired: Desired, groups: Collection[Group], now: float) -> bool:
        """Whether any group has changed in a way that may change the desired state."""
        for group in groups:
            known, (key, keeps) = self._known[group.arn], self._key(group, now)
            if key == known.key:
                continue
            inputs = inputs_of(group.state(self.port(group), now), self._settings.plan_policy)
            others = [each.inputs for arn, each in self._known.items() if arn != group.arn]
            if not is_unaffected(desired, known.inputs, inputs, others):
                return True
            self._known[group.arn] = _Known(key, keeps, inputs)
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

    def _compute(self, groups: Collection[Group], now: float) -> Desired:
        states = [group.state(self.port(group), now) for group in groups]
        policy = self._settings.plan_policy
        self.evaluation = evaluate(
            self._nodes, registered_instances(states), self._settings.node_policy, judge=self._judge
        )
        self.desired = choose(self.evaluation, states, policy)
        self.verdicts = final_verdicts(self.evaluation, self.desired, self.verdicts)
        self._known = {
            group.arn: _Known(*self._key(group, now), inputs_of(state, policy))
            for group, state in zip(groups, states, strict=True)
        }
        self._outdated, self._full_at = False, now
        self._say_nobody()
        return self.desired

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
