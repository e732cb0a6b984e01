"""Observed state, desired state and holds of the syncer as a JSON object, and readiness."""

from collections.abc import Mapping
from typing import Any

from syncer.decide.next_action import next_actions
from syncer.decide.reasons import HOLD_TEXTS, NO_NODE, health_text, meaning_of, override_text
from syncer.model import (
    OWN_PORT,
    QUARANTINES,
    GroupPlan,
    Target,
    TargetState,
    Verdict,
    port_in_json,
)
from syncer.telemetry.snapshot import GroupSnapshot, LeaderState, Snapshot
from syncer.version import VERSION


def unready(state: Snapshot) -> str:
    """Return the missing condition of /readyz in one line; empty when ready.

    The syncer is not ready while every removal since start is held as doubtful, so that a wrong selector
    stops the rollout; nor while the leader cannot be known, as in a missing namespace. A standby removes no
    targets: a hold that begins after a time without holds is no fault of the standby's settings, and two
    unready replicas would prevent the leader from moving to another node.
    """
    if state.unlisted:
        return "; ".join(state.cluster_problems) or f"no complete list of {state.unlisted} yet"
    for group in state.groups:
        if group.plan is None:
            because = f": {group.problem}" if group.problem else ""
            return f"{group.name}: no pass has ended yet{because}"
    if not state.leader.joined:
        return state.leader.problem or "the leader is not known yet"
    stands_by = state.leader.elected and not state.leader.may_write
    doubted = [
        group.name for group in state.groups if group.holds_doubtful and not (stands_by and group.was_free)
    ]
    if doubted and not any(group.deregistered for group in state.groups):
        return f"every removal since start is held as doubtful: {', '.join(doubted)}"
    return ""


def status(state: Snapshot) -> Mapping[str, Any]:
    """Return /status as in docs/status.md. Times are seconds since the epoch, ages seconds."""
    missing = unready(state)
    own_problems = filter(None, (state.leader.problem, state.registry_problem))
    return {
        "now": state.now,
        "version": VERSION,
        "ready": missing == "",
        "waiting_for": missing,
        "paused": state.paused,
        "blind": any(group.blind for group in state.groups),
        **_leader(state.leader),
        "ownership": state.ownership,
        "problems": [*state.cluster_problems, *own_problems],
        "sentences": _sentences(state),
        "nodes": [_node(verdict) for verdict in state.verdicts],
        "groups": [_group(group, state.now) for group in state.groups],
    }


def _leader(leader: LeaderState) -> Mapping[str, Any]:
    """Return whether this replica writes, and the problem of the election, if any."""
    return {"leader": leader.may_write, "election": leader.problem} if leader.elected else {}


def _sentences(state: Snapshot) -> Mapping[str, str]:
    """Explain the codes in use: reasons of verdicts, rules of holds, AWS's own reasons."""
    reasons = {NO_NODE, *(verdict.reason for verdict in state.verdicts)}
    holds = {held.why for group in state.groups if group.plan for held in group.plan.held}
    healths = [health for group in state.groups for health in group.targets.values()]
    states = {(health.state, health.reason) for health in healths if health.reason}
    overrides = {health.override for health in healths} - {""}
    return (
        {reason: health_text(state, reason) for state, reason in sorted(states)}
        | {override: override_text(override) for override in sorted(overrides)}
        | {why: HOLD_TEXTS[why] for why in sorted(holds)}
        | {reason: meaning_of(reason, state.selector, sent=state.only_selected) for reason in sorted(reasons)}
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


def _group(group: GroupSnapshot, now: float) -> Mapping[str, Any]:
    plan = group.plan or GroupPlan(target_group=group.arn)
    healths = group.targets.values()
    good = group.last_good_pass
    return {
        "target_group": group.arn,
        "name": group.name,
        "port": port_in_json(group.port),
        "own_port": group.port == OWN_PORT,
        "fresh": group.fresh,
        "blind": group.blind,
        "stale_check_port": group.stale_check,
        "contested": [{**_named(target), "cause": cause} for target, cause in group.conflicts.items()],
        "problem": group.problem,
        "waiting_for": group.port_source if group.port is None else "",
        "read_problem": group.read_problem,
        "last_good_pass": good,
        "last_good_pass_age": None if good is None else max(0.0, round(now - good, 1)),
        "registered": sum(health.registered for health in healths),
        "healthy": sum(health.state is TargetState.HEALTHY for health in healths),
        "shifted": sum(health.shifted and health.registered for health in healths),
        "serving": plan.serving if group.plan else None,
        "base": plan.base if group.plan else None,
        "floor": plan.floor if group.plan else None,
        "hold_id": plan.hold_id,
        "targets": _targets(group, plan),
        "register": [_named(target) for target in plan.register],
        "deregister": [_named(target) for target in plan.deregister],
        "held": [{**_named(each.target), "why": each.why} for each in plan.held],
        "more_over_quota": plan.more_over_quota,
        "quarantined": _quarantined(plan, group.releases),
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


def _targets(group: GroupSnapshot, plan: GroupPlan) -> list[Mapping[str, Any]]:
    """Return AWS's targets with the next action and, for a hold, its rule."""
    actions = next_actions(plan)
    return [
        {
            **_named(target),
            "state": health.state,
            "reason": health.reason,
            "override": health.override,
            "zone": health.zone,
            "next": actions[target].action,
            "why": actions[target].why or "",
        }
        for target, health in group.targets.items()
    ]
