"""Builds the snapshot of a controller for probes, /status and /metrics."""

from syncer.config.settings import ServicePort
from syncer.reconcile.controller import Controller
from syncer.reconcile.group import Group
from syncer.telemetry.snapshot import GroupSnapshot, LeaderState, Snapshot


def snapshot(controller: Controller, *, nodes: bool = False) -> Snapshot:
    """Return the state at this moment, with the verdicts of all Nodes if `nodes`. Call on the loop.

    Without verdicts the cost does not grow with the number of nodes: targets and plans are replaced as a
    whole by their owners, so the snapshot refers to the present ones.
    """
    leadership, desired = controller.leadership, controller.desired_state.desired
    return Snapshot(
        now=controller.clock.now(),
        started=controller.started,
        paused=controller.settings.paused,
        ownership=controller.settings.ownership,
        selector=controller.settings.node_selector.text,
        only_selected=controller.settings.server_side_selector,
        unlisted=_unlisted(controller),
        cluster_problems=tuple(controller.cluster.problems),
        registry_problem=controller.record.problem,
        leader=LeaderState(
            elected=leadership.elected,
            joined=leadership.joined,
            may_write=leadership.may_write(),
            problem=leadership.problem,
        ),
        nodes=controller.desired_state.count(),
        verdicts=controller.desired_state.verdicts() if nodes else (),
        wanted=len(desired.wanted) if desired else 0,
        groups=tuple(_group(controller, group) for group in controller.groups),
    )


def _unlisted(controller: Controller) -> str:
    if controller.cluster.nodes is None:
        return "nodes"
    sources = (group.config.settings.port for group in controller.groups)
    services = (source.service for source in sources if isinstance(source, ServicePort))
    return "" if all(map(controller.cluster.knows, services)) else "services"


def _group(controller: Controller, group: Group) -> GroupSnapshot:
    now, source = controller.clock.monotonic(), group.config.settings.port
    observed, quarantine = group.observed, group.quarantine
    return GroupSnapshot(
        arn=group.arn,
        name=group.name,
        port=controller.desired_state.port(group),
        port_source=str(source) if isinstance(source, ServicePort) else "the group's own port",
        fresh=observed.fresh,
        blind=observed.blind,
        targets=observed.targets,
        plan=group.decision.plan,
        holds_doubtful=group.holds_doubtful,
        was_free=group.report.was_free,
        conflicts={target: each.cause for target, each in quarantine.conflicts.now(now).items()},
        releases=quarantine.releases(now),
        refused=quarantine.refused(now),
        stale_check=controller.recorder.stale_check(group.arn),
        problem=group.report.problem,
        read_problem=observed.problem,
        last_good_pass=group.report.last_good_pass,
        deregistered=group.calls.deregistered,
    )
