"""What the syncer knows, wants and holds back, as one JSON object, and whether it is well."""

from collections.abc import Mapping
from typing import Any

from syncer.controller import Controller
from syncer.decide.policy import Ownership
from syncer.group import Group
from syncer.model import Why
from syncer.settings import ServicePort

# A loop that has not turned for this long hangs, whatever AWS or the API server do.
_HUNG_S = 60.0


def alive(controller: Controller) -> bool:
    """/healthz: whether the loop has turned within the last minute."""
    return controller.clock.monotonic() - controller.turned_at < _HUNG_S


def unready(controller: Controller) -> str:
    """/readyz: what is still missing, in one line; empty when ready.

    Not ready while every removal since start is held as doubtful, so that a wrong selector stops its own
    rollout.
    """
    if controller.cluster.nodes is None:
        return "; ".join(controller.cluster.problems) or "no complete list of nodes yet"
    for group in controller.groups:
        if group.plan is None:
            return f"{group.name}: no pass has ended yet"
    doubted = [group.name for group in controller.groups if _holds_doubtful(controller, group)]
    if doubted and not any(group.removed for group in controller.groups):
        return f"every removal since start is held as doubtful: {', '.join(doubted)}"
    return ""


def _holds_doubtful(controller: Controller, group: Group) -> bool:
    """Whether removals wait to be confirmed, or for one of our own targets to be healthy first."""
    if group.plan is None:
        return False
    exclusive = controller.settings.ownership is Ownership.EXCLUSIVE
    return bool(group.plan.hold_id) or (
        exclusive and any(each.why is Why.FOREIGN for each in group.plan.held)
    )


def snapshot(controller: Controller) -> Mapping[str, Any]:
    """/status: times are seconds since the epoch."""
    evaluation = controller.evaluation
    return {
        "ready": unready(controller) == "",
        "waiting_for": unready(controller),
        "paused": controller.settings.paused,
        "ownership": controller.settings.ownership,
        "problems": [*controller.cluster.problems],
        "nodes": [
            {
                "node": verdict.node,
                "instance_id": verdict.instance_id,
                "verdict": verdict.standing,
                "reason": verdict.reason,
            }
            for verdict in (evaluation.verdicts if evaluation else ())
        ],
        "groups": [_group(controller, group) for group in controller.groups],
    }


def _missing_port(controller: Controller, group: Group) -> str:
    source = group.settings.port
    if controller.port(group) is not None:
        return ""
    if isinstance(source, ServicePort):
        return f"the Service {source.service} has no NodePort named {source.port}"
    return "the group's own port"


def _group(controller: Controller, group: Group) -> Mapping[str, Any]:
    plan = group.plan
    return {
        "target_group": group.arn,
        "port": controller.port(group),
        "fresh": group.actual.fresh,
        "problem": group.problem,
        "waiting_for": _missing_port(controller, group),
        "read_problem": group.read_problem,
        "last_good_pass": group.last_good_pass,
        "serving": plan.serving if plan else None,
        "floor": plan.floor if plan else None,
        "hold_id": plan.hold_id if plan else "",
        "targets": [
            {
                "id": health.target.id,
                "port": health.target.port,
                "state": health.state,
                "reason": health.reason,
                "zone": health.zone,
            }
            for health in group.actual.targets.values()
        ],
        "register": [{"id": t.id, "port": t.port} for t in (plan.register if plan else ())],
        "deregister": [{"id": t.id, "port": t.port} for t in (plan.deregister if plan else ())],
        "held": [
            {"id": h.target.id, "port": h.target.port, "why": h.why} for h in (plan.held if plan else ())
        ],
    }
