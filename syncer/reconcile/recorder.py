"""Records events of targets in a single place: log, counters, histograms, Kubernetes events."""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from syncer.config.settings import ServicePort
from syncer.decide.check_port import stale_check_port
from syncer.decide.reasons import HOLD_TEXTS
from syncer.errors import AccessDeniedError, AwsError, TargetGroupNotFoundError
from syncer.interfaces import Clock, Cluster
from syncer.model import (
    OWN_PORT,
    OWN_PORT_TEXT,
    GroupPlan,
    Held,
    InstanceId,
    NodeView,
    Target,
    TargetGroupArn,
    TargetState,
    Why,
    port_shown,
)
from syncer.reconcile.group import Group
from syncer.telemetry.counters import Counters
from syncer.telemetry.events import Reporter

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Reported:
    """The last reports of a group: only changes are reported again."""

    held: frozenset[Held] = frozenset()
    port: int | None = None
    missing_port: str = ""
    stale_check: int | None = None


class Recorder:
    """Called on the loop by reader and writer. Times are seconds since the epoch.

    The delay from Ready to traffic is measured only for nodes that turned Ready since the start: older nodes
    have not waited for this process.
    """

    def __init__(
        self,
        cluster: Cluster,
        nodes_of: Callable[[Iterable[InstanceId]], Mapping[InstanceId, NodeView]],
        counters: Counters,
        clock: Clock,
        reporter: Reporter | None = None,
    ) -> None:
        self.nodes_of = nodes_of
        self._reporter = reporter
        self._cluster = cluster
        self._counters = counters
        self._clock = clock
        self._started = clock.now()
        self._joining: dict[tuple[str, Target], float] = {}
        self._reported: defaultdict[TargetGroupArn, _Reported] = defaultdict(_Reported)

    def registered(self, group: Group, targets: Sequence[Target]) -> None:
        """Record that AWS acknowledged the registration of `targets`; no target was registered before."""
        now, nodes = self._clock.now(), self.nodes_of(target.id for target in targets)
        self._publish(group, "Registered", targets, "registered")
        for target in targets:
            node = nodes.get(target.id)
            if node is None or node.ready_since is None or node.ready_since < self._started:
                continue
            self._counters.ready_to_registered[group.arn].observe(now - node.ready_since)
            self._joining[group.arn, target] = node.ready_since

    def deregistered(self, group: Group, targets: Sequence[Target]) -> None:
        """Record an acknowledged deregistration."""
        for target in targets:
            self._joining.pop((group.arn, target), None)
        self._publish(group, "Deregistered", targets, "deregistered")

    def held(self, group: Group, held: tuple[Held, ...]) -> None:
        """Report the holds of a plan, once for every rule with a new hold."""
        reported = self._reported[group.arn]
        new = [each for each in held if each not in reported.held]
        reported.held = frozenset(held)
        for why in sorted({each.why for each in new}):
            targets = [each.target for each in new if each.why is why]
            log.info(
                "%s: hold %s: %s", group.name, named(targets), why, extra={"group": group.name, "why": why}
            )
            if why not in {Why.POISON, Why.CONTESTED}:  # both have separate events
                plan = group.plan
                hold = plan.hold_id if plan and why is Why.SHARE else ""
                how = f"held: {HOLD_TEXTS[why]}" + (f" (hold {hold})" if hold else "")
                self._publish(group, f"Held{why}", targets, how, warning=True)

    def refused(self, group: Group, targets: Sequence[Target], error: AwsError) -> None:
        """Record a refusal of `targets` by AWS; the other targets proceed."""
        self._publish(group, "Poison", targets, f"quarantined, AWS refused: {error}", warning=True)

    def contested(self, group: Group, targets: Sequence[Target], cause: str) -> None:
        """Record the begin of a conflict over `targets`, with the likely `cause`."""
        self._publish(group, "Contested", targets, f"quarantined: {cause}", warning=True)

    def blinded(self, group: Group, error: AwsError) -> None:
        """Record a denied read of the group."""
        self._publish_for_deployment("Blind", f"{group.name}: runs blind: {error}")

    def leader_changed(self) -> None:
        """Report holds and missing ports again: a new leader reports what its predecessor has reported."""
        for reported in self._reported.values():
            reported.held, reported.missing_port = frozenset(), ""

    def leads(self) -> None:
        """Record the election of this replica."""
        if self._reporter is not None:
            self._reporter.publish("Leading", "this replica writes to AWS now")

    def failed(self, group: Group, error: AwsError) -> None:
        """Record a failed call as an event, only if a person must fix the cause."""
        if isinstance(error, AccessDeniedError | TargetGroupNotFoundError):
            self._publish_for_deployment("Misconfigured", f"{group.name}: {error}")

    def port(self, group: Group, port: int | None, missing: str) -> None:
        """Record the port of the group's targets; `missing` is the reason for no port, else ""."""
        reported = self._reported[group.arn]
        if port != reported.port:
            known = "not known yet" if port is None else port_shown(port)
            log.info("%s: the port of its targets is %s", group.name, known, extra={"group": group.name})
        if missing and missing != reported.missing_port:
            log.warning("%s: nothing is registered: %s", group.name, missing, extra={"group": group.name})
            self._publish_for_deployment("Misconfigured", f"{group.name}: nothing is registered: {missing}")
        reported.port, reported.missing_port = port, missing

    def stale_check(self, group: TargetGroupArn) -> int | None:
        """Return the health check port, at the last read, that is no longer a port of the Service, if any."""
        return self._reported[group].stale_check

    def _publish_for_deployment(self, reason: str, message: str) -> None:
        if self._reporter is not None:
            self._reporter.publish(reason, message, warning=True)

    def _publish(
        self, group: Group, reason: str, targets: Sequence[Target], how: str, *, warning: bool = False
    ) -> None:
        """Record an event of the Deployment, and of every target's Node if known."""
        if self._reporter is None or not targets:
            return
        self._reporter.publish(reason, f"{group.name}: {_counted(targets)} {how}", warning=warning)
        nodes = self.nodes_of(target.id for target in targets)
        for target in targets:
            if node := nodes.get(target.id):
                where = OWN_PORT_TEXT if target.port == OWN_PORT else f"port {target.port}"
                self._reporter.publish(
                    reason, f"{group.name}, {where}: {how}", node=node.name, warning=warning
                )

    def read(self, group: Group) -> None:
        """The group was read: those that joined may be healthy now, or gone again."""
        for (arn, target), ready_since in list(self._joining.items()):
            if arn != group.arn:
                continue
            health = group.observed.targets.get(target)
            if health is not None and health.state is TargetState.HEALTHY:
                self._counters.ready_to_healthy[group.arn].observe(self._clock.now() - ready_since)
            elif health is not None and health.registered:
                continue
            del self._joining[arn, target]
        self._look_at_check(group)

    def _look_at_check(self, group: Group) -> None:
        """Report a health check port that is no longer a port of the Service; old targets stay (rule 4)."""
        source, reported = group.config.settings.port, self._reported[group.arn]
        if not isinstance(source, ServicePort):
            return
        live = self._cluster.node_ports(source.service)
        port = self._cluster.node_port(source.service, source.port)
        healths = group.observed.targets.values()
        stale = stale_check_port(healths, port, live.values()) if port else None
        before, reported.stale_check = reported.stale_check, stale
        if stale is None:
            return
        text = (
            f"{group.name}: HealthCheckPortStale: its health is checked on {stale}, which "
            f"{source.service} has no more ({_listed(live)}): run `pulumi up`; the old targets stay"
        )
        if stale != before:
            log.warning(text, extra={"group": group.name})
        self._publish_for_deployment("HealthCheckPortStale", text)


def _counted(targets: Sequence[Target]) -> str:
    return targets[0].id if len(targets) == 1 else f"{len(targets)} targets"


def _listed(ports: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {port}" for name, port in sorted(ports.items()))


def named(targets: Sequence[Target]) -> str:
    """Return the first ten of `targets` and the number of further targets, for a log line."""
    shown = ", ".join(target.shown for target in targets[:10])
    return shown + (f" and {len(targets) - 10} more" if len(targets) > 10 else "")  # noqa: PLR2004


def left_undone(plan: GroupPlan) -> str:
    """Return the calls that a paused syncer does not send, for a log line."""
    parts = (("register", plan.register), ("deregister", plan.deregister))
    changes = [f"{word} {len(targets)} ({named(targets)})" for word, targets in parts if targets]
    return f"would {' and '.join(changes)}" if changes else "nothing to do"
