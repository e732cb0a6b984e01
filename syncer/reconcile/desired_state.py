"""The desired state: verdicts and wanted instances, computed once after every change."""

import logging
from collections.abc import Collection, Sequence
from math import inf

from syncer.config.settings import ServicePort, Settings
from syncer.decide.desired import choose, final_verdicts, nobody, registered_instances
from syncer.decide.evaluate import Judge, evaluate
from syncer.interfaces import Cluster
from syncer.model import Desired, Evaluation, NodeView, Verdict
from syncer.reconcile.group import Group

log = logging.getLogger(__name__)


class DesiredState:
    """The desired state, the same for every group, so that the groups never differ."""

    def __init__(self, settings: Settings, cluster: Cluster) -> None:
        self._settings = settings
        self._cluster = cluster
        self._judge = Judge(settings.node_policy)
        self._nodes: Sequence[NodeView] | None = None
        self._current_until = -inf
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

    def outdated(self) -> None:
        """Mark the result as outdated; the next call of `of` computes it again."""
        self._current_until = -inf

    def of(self, groups: Collection[Group], now: float) -> tuple[Evaluation, Desired]:
        """Return verdicts and wanted instances; `now` is monotonic. A learnt limit expires."""
        if now >= self._current_until or self.evaluation is None or self.desired is None:
            states = [group.state(self.port(group), now) for group in groups]
            self.evaluation = evaluate(
                self._nodes, registered_instances(states), self._settings.node_policy, judge=self._judge
            )
            self.desired = choose(self.evaluation, states, self._settings.plan_policy)
            self.verdicts = final_verdicts(self.evaluation, self.desired)
            self._say_nobody()
            self._current_until = min(group.calls.limit.ends(now) for group in groups)
        return self.evaluation, self.desired

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
