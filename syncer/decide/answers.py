"""The output of `explain` and `plan` as plain JSON values; the field names are a contract."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from syncer.decide.desired import ZONE_NOT_ENABLED, choose, registered_instances
from syncer.decide.evaluate import RULES, evaluate
from syncer.decide.plan import plan
from syncer.decide.policy import NodePolicy, PlanPolicy
from syncer.model import GroupPlan, GroupState, InstanceId, NodeView, Target, Verdict, port_in_json


def explained(
    verdicts: Iterable[Verdict], overrides: Mapping[InstanceId, str] | None = None
) -> list[dict[str, Any]]:
    """Return instance, verdict and code of the deciding rule for every Node, in the given order.

    Optional fields: `zone` and `zone_source` of a node whose zone decided, `override` of an instance for
    which AWS reports a zonal shift.
    """
    return [
        {
            "node": verdict.node,
            "instance_id": verdict.instance_id,
            "verdict": verdict.standing.value,
            "reason": verdict.reason,
            **_place(verdict),
            **_override(verdict, overrides or {}),
        }
        for verdict in verdicts
    ]


def _place(verdict: Verdict) -> dict[str, str]:
    if verdict.reason != ZONE_NOT_ENABLED:
        return {}
    return {"zone": verdict.zone, "zone_source": verdict.zone_source}


def _override(verdict: Verdict, overrides: Mapping[InstanceId, str]) -> dict[str, str]:
    override = overrides.get(verdict.instance_id) if verdict.instance_id else None
    return {"override": override} if override else {}


def overrides_of(groups: Iterable[GroupState]) -> dict[InstanceId, str]:
    """Return the AdministrativeOverride of every instance with an override on a registered target."""
    return {
        health.target.id: health.override
        for group in groups
        for health in group.targets.values()
        if health.override and health.registered
    }


def sentence_of(reason: str) -> str:
    """Return the sentence of the rule with this code; "" for an unknown code."""
    code = "Taint:{key}" if reason.startswith("Taint:") else reason
    return next((f"a node {rule.text}" for rule in RULES if rule.code == code), "")


def verdict_table() -> str:
    """Return the rules as in docs/verdicts.md: a Markdown row for every rule."""
    lines = ["| # | a node … | verdict | reason |", "|---|---|---|---|"]
    lines += [
        f"| {rule.number} | {rule.text} | {rule.standing.value} | `{rule.code.format(key='<key>')}` |"
        for rule in RULES
    ]
    return "\n".join(lines) + "\n"


def plans_from_scratch(
    nodes: Iterable[NodeView],
    groups: Sequence[GroupState],
    node_policy: NodePolicy,
    policy: PlanPolicy,
    now: float,
    *,
    complete: bool = True,
) -> list[GroupPlan]:
    """Return the plan of every group right after a start, without history and ownership registry."""
    evaluation = evaluate(nodes, registered_instances(groups), node_policy, complete=complete)
    desired = choose(evaluation, groups, policy)
    return [plan(desired, actual, policy, now) for actual in groups]


def planned(plans: Iterable[GroupPlan]) -> dict[str, Any]:
    """Return the calls to send now and the holds, by group."""
    return {
        "groups": [
            {
                "target_group": each.target_group,
                "register": [_target(target) for target in each.register],
                "deregister": [_target(target) for target in each.deregister],
                "held": [{**_target(hold.target), "why": hold.why.value} for hold in each.held],
                **({"more_over_quota": each.more_over_quota} if each.more_over_quota else {}),
            }
            for each in plans
        ]
    }


def _target(target: Target) -> dict[str, Any]:
    return {"id": target.id, "port": port_in_json(target.port)}
