"""Observed state, desired state and holds of the syncer as a JSON object, and readiness."""

from collections.abc import Iterable, Mapping
from typing import Any

from syncer.config.settings import ServicePort
from syncer.decide.reasons import NO_NODE, WHY_SAYS, health_says, meaning_of, override_says
from syncer.model import (
    OWN_PORT,
    QUARANTINES,
    GroupPlan,
    Target,
    TargetHealth,
    TargetState,
    Verdict,
    port_in_json,
)
from syncer.reconcile.controller import Controller
from syncer.reconcile.group import Group
from syncer.version import VERSION


def unready(controller: Controller) -> str:
    """Return the missing condition of /readyz in one line; empty when ready.

    The syncer is not ready while every removal since start is held as doubtful, so that a wrong selector
    stops the rollout; nor while the leader cannot be known, as in a missing namespace. A standby removes no
    targets: a hold that begins after a time without holds is no fault of the standby's settings, and two
    unready replicas would prevent the leader from moving to another node.
    """
    if unlisted := _unlisted(controller):
        return "; ".join(controller.cluster.problems) or f"no complete list of {unlisted} yet"
    for group in controller.groups:
        if group.plan is None:
            because = f": {group.problem}" if group.problem else ""
            return f"{group.name}: no pass has ended yet{because}"
    if not controller.leadership.joined:
        return controller.leadership.problem or "the leader is not known yet"
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
    """Return the kind without a list since the start; "" when all are listed."""
    if controller.cluster.nodes is None:
        return "nodes"
    sources = (group.settings.port for group in controller.groups)
    services = (source.service for source in sources if isinstance(source, ServicePort))
    return "" if all(map(controller.cluster.knows, services)) else "services"


def snapshot(controller: Controller) -> Mapping[str, Any]:
    """Return /status as in docs/status.md. Times are seconds since the epoch, ages seconds."""
    return {
        "now": controller.clock.now(),
        "version": VERSION,
        "ready": unready(controller) == "",
        "waiting_for": unready(controller),
        "paused": controller.settings.paused,
        "blind": any(group.actual.blind for group in controller.groups),
        **_leader(controller),
        "ownership": controller.settings.ownership,
        "problems": [*controller.cluster.problems, *_own_problems(controller)],
        "sentences": _sentences(controller),
        "nodes": [_node(verdict) for verdict in controller.desired_state.verdicts],
        "groups": [_group(controller, group) for group in controller.groups],
    }


def _own_problems(controller: Controller) -> Iterable[str]:
    return filter(None, (controller.leadership.problem, controller.record.problem))


def _leader(controller: Controller) -> Mapping[str, Any]:
    """Return whether this replica writes, and the problem of the election, if any."""
    leadership = controller.leadership
    if not leadership.elected:
        return {}
    return {"leader": leadership.may_write(), "election": leadership.problem}


def _sentences(controller: Controller) -> Mapping[str, str]:
    """Explain the codes in use: reasons of verdicts, rules of holds, AWS's own reasons."""
    selector = controller.settings.node_selector.text
    reasons = {NO_NODE, *(verdict.reason for verdict in controller.desired_state.verdicts)}
    holds = {held.why for group in controller.groups if group.plan for held in group.plan.held}
    healths = {
        (health.state, health.reason)
        for group in controller.groups
        for health in group.actual.targets.values()
        if health.reason
    }
    overrides = {
        health.override for group in controller.groups for health in group.actual.targets.values()
    } - {""}
    return (
        {reason: health_says(state, reason) for state, reason in sorted(healths)}
        | {override: override_says(override) for override in sorted(overrides)}
        | {why: WHY_SAYS[why] for why in sorted(holds)}
        | {reason: meaning_of(reason, selector) for reason in sorted(reasons)}
    )


def _node(verdict: Verdict) -> Mapping[str, Any]:
    return {
        "node": verdict.node,
        "instance_id": verdict.instance_id,
        "zone": verdict.zone,
        "zone_source": verdict.zone_source,
        "verdict": verdict.standing,
        "reason": verdict.reason,
    }


def _missing_port(controller: Controller, group: Group) -> str:
    source = group.settings.port
    if controller.desired_state.port(group) is not None:
        return ""
    if isinstance(source, ServicePort):
        return str(source)
    return "the group's own port"


def _group(controller: Controller, group: Group) -> Mapping[str, Any]:
    plan = group.plan or GroupPlan(target_group=group.arn)
    healths = group.actual.targets.values()
    good, port = group.last_good_pass, controller.desired_state.port(group)
    return {
        "target_group": group.arn,
        "name": group.name,
        "port": port_in_json(port),
        "own_port": port == OWN_PORT,
        "fresh": group.actual.fresh,
        "blind": group.actual.blind,
        "stale_check_port": group.stale_check,
        "contested": [
            {**_named(each.target), "cause": each.cause}
            for each in group.contested.now(controller.clock.monotonic()).values()
        ],
        "problem": group.problem,
        "waiting_for": _missing_port(controller, group),
        "read_problem": group.read_problem,
        "last_good_pass": good,
        "last_good_pass_age": None if good is None else max(0.0, round(controller.clock.now() - good, 1)),
        "registered": sum(health.registered for health in healths),
        "healthy": sum(health.state is TargetState.HEALTHY for health in healths),
        "shifted": sum(health.shifted and health.registered for health in healths),
        "serving": plan.serving if group.plan else None,
        "base": plan.base if group.plan else None,
        "floor": plan.floor if group.plan else None,
        "hold_id": plan.hold_id,
        "targets": _targets(plan, healths),
        "register": [_named(target) for target in plan.register],
        "deregister": [_named(target) for target in plan.deregister],
        "held": [{**_named(each.target), "why": each.why} for each in plan.held],
        "quarantined": _quarantined(plan, group.releases(controller.clock.monotonic())),
    }


def _named(target: Target) -> Mapping[str, Any]:
    return {"id": target.id, "port": port_in_json(target.port)}


def _quarantined(plan: GroupPlan, releases: Mapping[Target, float]) -> list[Mapping[str, Any]]:
    """Return the held targets with a retry time of their own, and the seconds until the retry."""
    return [
        {
            **_named(held.target),
            "why": held.why,
            "retry_in": round(releases.get(held.target, 0.0), 1),
        }
        for held in plan.held
        if held.why in QUARANTINES
    ]


def _targets(plan: GroupPlan, healths: Iterable[TargetHealth]) -> list[Mapping[str, Any]]:
    """Return AWS's targets with the next action: register, deregister, held (and `why`) or nothing."""
    nexts = dict.fromkeys(plan.register, "register") | dict.fromkeys(plan.deregister, "deregister")
    whys = {held.target: held.why for held in plan.held}
    return [
        {
            **_named(health.target),
            "state": health.state,
            "reason": health.reason,
            "override": health.override,
            "zone": health.zone,
            "next": nexts.get(health.target, "held" if health.target in whys else "nothing"),
            "why": whys.get(health.target, ""),
        }
        for health in healths
    ]
