"""What the syncer knows, wants and holds back, as one JSON object, and whether it is well."""

from collections.abc import Iterable, Mapping
from typing import Any

from syncer.controller import Controller
from syncer.decide.reasons import NO_NODE, WHY_SAYS, health_says, meaning_of
from syncer.group import Group
from syncer.model import GroupPlan, TargetHealth, TargetState, Verdict
from syncer.settings import ServicePort

# A loop that has not turned for this long hangs, whatever AWS or the API server do.
_HUNG_S = 60.0


def alive(controller: Controller) -> bool:
    """/healthz: whether the loop has turned within the last minute."""
    return controller.clock.monotonic() - controller.turned_at < _HUNG_S


def unready(controller: Controller) -> str:
    """/readyz: what is still missing, in one line; empty when ready.

    Not ready while every removal since start is held as doubtful, so that a wrong selector stops its own
    rollout; nor where it cannot be known who leads, as in a namespace that is not there. A standby removes
    nothing: what is held since it was free of holds is no fault of its settings, and two replicas that are
    not ready would keep the leader from being moved to another node.
    """
    if unlisted := _unlisted(controller):
        return "; ".join(controller.cluster.problems) or f"no complete list of {unlisted} yet"
    for group in controller.groups:
        if group.plan is None:
            return f"{group.name}: no pass has ended yet"
    if not controller.leadership.joined:
        return controller.leadership.problem or "who leads is not known yet"
    stands_by = controller.leadership.elected and not controller.leadership.may_write()
    doubted = [
        group.name
        for group in controller.groups
        if group.holds_doubtful and not (stands_by and group.was_free)
    ]
    if doubted and not any(group.removed for group in controller.groups):
        return f"every removal since start is held as doubtful: {', '.join(doubted)}"
    return ""


def _unlisted(controller: Controller) -> str:
    """What has not been listed since the start; "" when all is."""
    if controller.cluster.nodes is None:
        return "nodes"
    sources = (group.settings.port for group in controller.groups)
    services = (source.service for source in sources if isinstance(source, ServicePort))
    return "" if all(map(controller.cluster.knows, services)) else "services"


def snapshot(controller: Controller) -> Mapping[str, Any]:
    """/status, as docs/status.md explains it. Times are seconds since the epoch, ages seconds."""
    return {
        "now": controller.clock.now(),
        "ready": unready(controller) == "",
        "waiting_for": unready(controller),
        "paused": controller.settings.paused,
        "blind": any(group.actual.blind for group in controller.groups),
        **_leader(controller),
        "ownership": controller.settings.ownership,
        "problems": [*controller.cluster.problems, *_own_problems(controller)],
        "sentences": _sentences(controller),
        "nodes": [_node(controller, verdict) for verdict in controller.outlook.verdicts],
        "groups": [_group(controller, group) for group in controller.groups],
    }


def _own_problems(controller: Controller) -> Iterable[str]:
    return filter(None, (controller.leadership.problem, controller.record.problem))


def _leader(controller: Controller) -> Mapping[str, Any]:
    """Whether this replica is the one that writes, and what is wrong with the election, if there is one."""
    leadership = controller.leadership
    if not leadership.elected:
        return {}
    return {"leader": leadership.may_write(), "election": leadership.problem}


def _sentences(controller: Controller) -> Mapping[str, str]:
    """What each code that is in use now means: reasons of verdicts, rules that hold, AWS's own reasons."""
    selector = controller.settings.node_selector.text
    reasons = {NO_NODE, *(verdict.reason for verdict in controller.outlook.verdicts)}
    holds = {held.why for group in controller.groups if group.plan for held in group.plan.held}
    healths = {
        (health.state, health.reason)
        for group in controller.groups
        for health in group.actual.targets.values()
        if health.reason
    }
    return (
        {reason: health_says(state, reason) for state, reason in sorted(healths)}
        | {why: WHY_SAYS[why] for why in sorted(holds)}
        | {reason: meaning_of(reason, selector) for reason in sorted(reasons)}
    )


def _node(controller: Controller, verdict: Verdict) -> Mapping[str, Any]:
    node = (controller.cluster.nodes or {}).get(verdict.node)
    return {
        "node": verdict.node,
        "instance_id": verdict.instance_id,
        "zone": node.zone if node else "",
        "verdict": verdict.standing,
        "reason": verdict.reason,
    }


def _missing_port(controller: Controller, group: Group) -> str:
    source = group.settings.port
    if controller.outlook.port(group) is not None:
        return ""
    if isinstance(source, ServicePort):
        return str(source)
    return "the group's own port"


def _group(controller: Controller, group: Group) -> Mapping[str, Any]:
    plan = group.plan or GroupPlan(target_group=group.arn)
    healths = group.actual.targets.values()
    good = group.last_good_pass
    return {
        "target_group": group.arn,
        "name": group.name,
        "port": controller.outlook.port(group),
        "fresh": group.actual.fresh,
        "blind": group.actual.blind,
        "stale_check_port": group.stale_check,
        "contested": [
            {"id": each.target.id, "port": each.target.port, "cause": each.cause}
            for each in group.contested.now(controller.clock.monotonic()).values()
        ],
        "problem": group.problem,
        "waiting_for": _missing_port(controller, group),
        "read_problem": group.read_problem,
        "last_good_pass": good,
        "last_good_pass_age": None if good is None else max(0.0, round(controller.clock.now() - good, 1)),
        "registered": sum(health.registered for health in healths),
        "healthy": sum(health.state is TargetState.HEALTHY for health in healths),
        "serving": plan.serving if group.plan else None,
        "base": plan.base if group.plan else None,
        "floor": plan.floor if group.plan else None,
        "hold_id": plan.hold_id,
        "targets": _targets(plan, healths),
        "register": [{"id": t.id, "port": t.port} for t in plan.register],
        "deregister": [{"id": t.id, "port": t.port} for t in plan.deregister],
        "held": [{"id": h.target.id, "port": h.target.port, "why": h.why} for h in plan.held],
    }


def _targets(plan: GroupPlan, healths: Iterable[TargetHealth]) -> list[Mapping[str, Any]]:
    """What AWS lists, each with what is done next: register, deregister, held (and `why`) or nothing."""
    nexts = dict.fromkeys(plan.register, "register") | dict.fromkeys(plan.deregister, "deregister")
    whys = {held.target: held.why for held in plan.held}
    return [
        {
            "id": health.target.id,
            "port": health.target.port,
            "state": health.state,
            "reason": health.reason,
            "zone": health.zone,
            "next": nexts.get(health.target, "held" if health.target in whys else "nothing"),
            "why": whys.get(health.target, ""),
        }
        for health in healths
    ]
