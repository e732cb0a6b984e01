"""/metrics: state and counts of the controller at the request; all labels exist from the start."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from syncer.model import Standing, TargetGroupArn, TargetState, Why
from syncer.telemetry.counters import (
    CHANGES,
    DESIRED_STATE,
    LISTING,
    PASS_RESULTS,
    PLAN,
    RESTART_REASONS,
    Counters,
    Histogram,
)
from syncer.telemetry.snapshot import GroupSnapshot, Snapshot
from syncer.telemetry.status import unready
from syncer.version import VERSION

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

# Reasons of `unused` in the API reference of TargetHealth; a listed target never has Target.NotRegistered.
_UNUSED = ("Target.InvalidState", "Target.IpUnusable", "Target.NotInUse", "Target.NotRegistered")
# AWS's codes, and botocore's own words without an answer. Any other code appears after its first occurrence.
_CODES = (
    *("ok", "ThrottlingException", "AccessDenied", "TargetGroupNotFound", "ValidationError"),
    *("ExpiredToken", "InvalidClientTokenId", "ServiceUnavailable", "InternalFailure"),
    *("EndpointConnectionError", "ConnectTimeoutError", "ReadTimeoutError", "ConnectionClosedError"),
)
_OPERATIONS = {
    "DescribeTargetHealth": _CODES,
    "DescribeTargetGroups": _CODES,
    "RegisterTargets": (*_CODES, "InvalidTarget", "TooManyTargets", "TooManyRegistrationsForTargetId"),
    "DeregisterTargets": (*_CODES, "InvalidTarget"),
    # Failures to fetch credentials for a call; no ELB call is sent.
    "Credentials": ("NoCredentials", "AccessDenied", "InvalidIdentityToken", "TimedOut"),
}


def exposition(state: Snapshot, counters: Counters) -> bytes:
    """Return the metrics for Prometheus: text exposition format, version 0.0.4."""
    registry = CollectorRegistry()
    registry.register(_State(state, counters))
    ProcessCollector(registry=registry)
    return generate_latest(registry)


def as_markdown(state: Snapshot, counters: Counters) -> str:
    """Return the table of docs/metrics.md."""
    lines = ["| metric | type | labels | meaning |", "|---|---|---|---|"]
    for family in sorted(_State(state, counters).collect(), key=lambda family: family.name):
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        shown = ", ".join(f"`{label}`" for label in sorted(labels)) or "-"
        name = family.name + ("_total" if family.type == "counter" else "")
        lines.append(f"| `{name}` | {family.type} | {shown} | {family.documentation} |")
    return "\n".join(lines) + "\n"


class _State(Collector):
    def __init__(self, state: Snapshot, counters: Counters) -> None:
        self._snapshot = state
        self._counters = counters
        names = [group.name for group in state.groups]
        # Groups of two regions may share a name; then the label is the ARN.
        unique = len(set(names)) == len(names)
        self._labels = {group.arn: group.name if unique else str(group.arn) for group in state.groups}

    def collect(self) -> Iterator[Metric]:
        yield from self._whole()
        yield from self._groups()
        yield from self._counts()

    def _whole(self) -> Iterator[Metric]:
        state = self._snapshot
        build = GaugeMetricFamily("nlb_sync_build_info", "1, labelled with the version.", labels=["version"])
        build.add_metric([VERSION], 1)
        yield build
        nodes = GaugeMetricFamily("nlb_sync_nodes", "Nodes by verdict.", labels=["verdict"])
        for standing in Standing:
            nodes.add_metric([standing], state.nodes[standing])
        yield nodes
        leads = state.leader.may_write and not state.paused
        text = (
            "1 while this replica may write: the leader, or every replica without an election; 0 if paused."
        )
        yield GaugeMetricFamily("nlb_sync_leader", text, float(leads))
        yield GaugeMetricFamily("nlb_sync_paused", "1 while nothing is written to AWS.", float(state.paused))
        ready = unready(state) == ""
        yield GaugeMetricFamily("nlb_sync_ready", "1 while /readyz answers 200.", float(ready))

    def _groups(self) -> Iterator[Metric]:
        yield self._gauge("desired", "Desired targets of the group.", self._desired)
        yield self._gauge("registered", "Targets that AWS lists as registered.", _registered)
        yield self._gauge("draining", "Targets that drain.", _draining)
        yield self._gauge("serving", "Serving targets, as counted by the brake.", _serving)
        shifted = "Registered targets without traffic because of a zonal shift: they do not serve."
        yield self._gauge("shifted", shifted, _shifted)
        yield self._gauge("floor", "The floor: serving targets that the brake keeps.", _floor)
        yield self._gauge("fresh", "1 while the last read of the group succeeded.", lambda g: g.fresh)
        yield self._gauge(
            "contested",
            "Targets quarantined because a conflicting writer undoes the writes.",
            lambda g: len(g.conflicts),
        )
        stale = "1 while the health check uses a port that is no NodePort of the Service: run `pulumi up`."
        yield self._gauge("health_check_port_stale", stale, lambda g: g.stale_check is not None)
        yield self._gauge("blind", "1 while AWS denies reading the group.", lambda g: g.blind)
        good = "Time of the last pass without a failure, in seconds since the epoch; 0 before the first."
        yield self._gauge("last_good_pass_timestamp_seconds", good, lambda g: g.last_good_pass or 0)
        age = (
            "Seconds since the last pass without a failure and with a cluster read within a minute, or "
            "since the start."
        )
        yield self._gauge("last_good_pass_age_seconds", age, self._age)
        yield self._gauge("poison", "Targets quarantined because AWS refused them.", lambda g: g.refused)
        yield self._unused()
        targets = GaugeMetricFamily(
            "nlb_sync_targets", "Targets by state, as AWS lists them.", labels=["target_group", "state"]
        )
        held = GaugeMetricFamily(
            "nlb_sync_held", "Held targets, by the rule of the hold.", labels=["target_group", "why"]
        )
        for group in self._snapshot.groups:
            label = self._labels[group.arn]
            counts = Counter(health.state for health in group.targets.values())
            for state in TargetState:
                targets.add_metric([label, state], counts[state])
            holds = Counter(each.why for each in group.plan.held) if group.plan else Counter()
            holds[Why.QUOTA] += group.plan.more_over_quota if group.plan else 0
            for why in Why:
                held.add_metric([label, why], holds[why])
        yield targets
        yield held

    def _desired(self, group: GroupSnapshot) -> float:
        return 0 if group.port is None else self._snapshot.wanted

    def _age(self, group: GroupSnapshot) -> float:
        return max(0.0, self._snapshot.now - (group.last_good_pass or self._snapshot.started))

    def _unused(self) -> Metric:
        family = GaugeMetricFamily(
            "nlb_sync_unused",
            "Targets that AWS does not use, by AWS's reason.",
            labels=["target_group", "reason"],
        )
        for group in self._snapshot.groups:
            found = Counter(
                each.reason for each in group.targets.values() if each.state is TargetState.UNUSED
            )
            for reason in sorted({*_UNUSED, *found}):
                family.add_metric([self._labels[group.arn], reason], found[reason])
        return family

    def _gauge(self, name: str, text: str, value: Callable[[GroupSnapshot], float]) -> Metric:
        family = GaugeMetricFamily(f"nlb_sync_{name}", text, labels=["target_group"])
        for group in self._snapshot.groups:
            family.add_metric([self._labels[group.arn]], float(value(group)))
        return family

    def _counts(self) -> Iterator[Metric]:
        counters = self._counters
        passes = CounterMetricFamily(
            "nlb_sync_passes", "Passes over a group by result.", labels=["target_group", "result"]
        )
        changes = CounterMetricFamily(
            "nlb_sync_changes", "Written targets, as acknowledged by AWS.", labels=["target_group", "change"]
        )
        refused = CounterMetricFamily(
            "nlb_sync_refused", "Targets quarantined after AWS refused them.", labels=["target_group"]
        )
        for arn, label in self._labels.items():
            for result in PASS_RESULTS:
                passes.add_metric([label, result], counters.passes[arn, result])
            for change in CHANGES:
                changes.add_metric([label, change], counters.changes[arn, change])
            refused.add_metric([label], counters.refused[arn])
        yield from (passes, changes, refused)
        registered = (
            "Seconds from a node's Ready to its registration, of nodes that became Ready since the start."
        )
        yield self._histogram("ready_to_registered", registered, counters.ready_to_registered)
        healthy = "Seconds from a node's Ready to a healthy target, of the same nodes."
        yield self._histogram("ready_to_healthy", healthy, counters.ready_to_healthy)
        calls = CounterMetricFamily(
            "nlb_sync_aws_calls", "AWS calls by result.", labels=["operation", "code"]
        )
        named = {(operation, code) for operation, codes in _OPERATIONS.items() for code in codes}
        for key in sorted(named | set(counters.calls)):
            calls.add_metric(key, counters.calls[key])
        yield calls
        restarts = CounterMetricFamily(
            "nlb_sync_watch_restarts", "Watches that ended, by reason.", labels=["resource", "reason"]
        )
        known = {(plural, reason) for plural in ("nodes", "services") for reason in RESTART_REASONS}
        for pair in sorted(known | set(counters.restarts)):
            restarts.add_metric(pair, counters.restarts[pair])
        yield restarts
        disagreements = CounterMetricFamily(
            "nlb_sync_disagreements",
            "Full passes with another desired state or another listing of a group's targets than the kept "
            "one, and passes with calls that no change had requested (plan). Each is a fault of the syncer.",
            labels=["result"],
        )
        for result in (DESIRED_STATE, LISTING, PLAN):
            disagreements.add_metric([result], counters.disagreements[result])
        yield disagreements
        yield GaugeMetricFamily(
            "nlb_sync_loop_lag_seconds",
            "The longest time within the last minute for which the loop of decisions was blocked.",
            value=counters.loop_lag,
        )

    def _histogram(self, name: str, text: str, values: Mapping[TargetGroupArn, Histogram]) -> Metric:
        family = HistogramMetricFamily(f"nlb_sync_{name}_seconds", text, labels=["target_group"])
        for arn, label in self._labels.items():
            family.add_metric([label], values[arn].buckets(), values[arn].total)
        return family


def _registered(group: GroupSnapshot) -> float:
    return sum(health.registered for health in group.targets.values())


def _draining(group: GroupSnapshot) -> float:
    return sum(health.state is TargetState.DRAINING for health in group.targets.values())


def _serving(group: GroupSnapshot) -> float:
    return group.plan.serving if group.plan else 0


def _shifted(group: GroupSnapshot) -> float:
    return sum(health.shifted and health.registered for health in group.targets.values())


def _floor(group: GroupSnapshot) -> float:
    return group.plan.floor if group.plan else 0
