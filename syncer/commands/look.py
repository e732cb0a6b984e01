"""Read cluster and groups once and evaluate the pure rules, without any write."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

from syncer.clock import SystemClock
from syncer.commands.quarantine import Quarantine, quarantined
from syncer.config.settings import GroupSettings, ServicePort, Settings
from syncer.decide.desired import choose, registered_instances
from syncer.decide.evaluate import evaluate
from syncer.decide.explanation import Explanation, explanations
from syncer.decide.plan import plan
from syncer.decide.service_ports import LivePort, by_label, node_port_of
from syncer.errors import AccessDeniedError, AwsError, ClusterError
from syncer.interfaces import Elb, Records
from syncer.model import Desired, Evaluation, GroupPlan, GroupState, NodeView
from syncer.reconcile.registry import Registry
from syncer.reconcile.target_type import refuse_other_types

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """Blocking functions that read the cluster and raise ClusterError."""

    nodes: Callable[[], tuple[NodeView, ...]]
    ports: Callable[[str], tuple[LivePort, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The observed state, and the plans of a freshly started syncer; `problems` are failed reads."""

    evaluation: Evaluation
    desired: Desired
    groups: tuple[GroupState, ...]
    plans: tuple[GroupPlan, ...]
    problems: tuple[str, ...]
    quarantine: Quarantine = field(default_factory=dict)

    @property
    def explanations(self) -> list[Explanation]:
        """Explanations of all nodes, and of targets without a node."""
        releases = {
            arn: {target: each.retry_in for target, each in targets.items()}
            for arn, targets in self.quarantine.items()
        }
        return explanations(self.evaluation, self.desired, self.groups, self.plans, releases)


async def look(
    settings: Settings,
    cluster: Readings,
    elb: Elb,
    records: Records | None = None,
    quarantine: Quarantine | None = None,
) -> Look:
    """Read everything once. A failed read is a problem, and the rest is evaluated all the same.

    `quarantine` is the quarantine of the running syncer.

    Raises:
        MisconfiguredError: a group's target type is not `instance`.

    """
    problems: list[str] = []
    await refuse_other_types(settings, elb)
    record = Registry(records, SystemClock())
    nodes = await _ask_cluster(problems, cluster.nodes)
    groups = [await _group(each, cluster, elb, problems) for each in settings.groups]
    try:
        await record.load(each.target_group for each in groups)
    except ClusterError as error:
        problems.append(f"cannot read the ownership registry: {error}")
    confirmed = record.confirmed(time.time())
    groups = [replace(each, ours=record.ours(each.target_group), confirmed=confirmed) for each in groups]
    quarantine = quarantine or {}
    groups = [quarantined(each, quarantine.get(each.target_group, {})) for each in groups]
    evaluation = evaluate(nodes, registered_instances(groups), settings.node_policy)
    desired = choose(evaluation, groups, settings.plan_policy)
    now = time.time()
    return Look(
        evaluation=evaluation,
        desired=desired,
        groups=tuple(groups),
        plans=tuple(plan(desired, each, settings.plan_policy, now) for each in groups),
        problems=tuple(dict.fromkeys(problems)),
        quarantine=quarantine,
    )


async def _group(group: GroupSettings, cluster: Readings, elb: Elb, problems: list[str]) -> GroupState:
    arn, source = group.group.arn, group.port
    port = source if isinstance(source, int) else None
    try:
        if isinstance(source, ServicePort):
            wanted = source
            before = len(problems)
            ports = await _ask_cluster(problems, lambda: cluster.ports(wanted.service)) or ()
            port = node_port_of(ports, wanted.port)
            if port is None and len(problems) == before:
                problems.append(wanted.missing(by_label(ports)))
        elif source is None:
            port = await elb.default_port(arn)
        healths = await elb.describe(arn)
    except AccessDeniedError as error:
        problems.append(f"{group.group.name}: {error}; the syncer runs blind")
        return GroupState(target_group=arn, targets={}, fresh=False, blind=True, port=port)
    except AwsError as error:
        problems.append(f"{group.group.name}: {error}")
        return GroupState(target_group=arn, targets={}, fresh=False)
    targets = {health.target: health for health in healths}
    return GroupState(target_group=arn, targets=targets, fresh=True, port=port)


async def _ask_cluster(problems: list[str], question: Callable[[], Answer]) -> Answer | None:
    try:
        return await asyncio.to_thread(question)
    except ClusterError as error:
        problems.append(str(error))
        return None
