"""RegisterTargets, DeregisterTargets, DescribeTargetHealth in the API's form; the rules: `sandbox.elbv2`."""

from collections.abc import Callable

from sandbox.cloud.elbv2.records import TargetGroup
from sandbox.cloud.elbv2.store import Elbv2
from sandbox.cloud.errors import answered
from sandbox.cloud.query import Structure
from sandbox.elbv2 import actions
from sandbox.elbv2.account import OVERRIDES
from sandbox.elbv2.actions import Described, Named


def register(cloud: Elbv2, params: Structure) -> Structure:
    """RegisterTargets."""
    return _write(actions.register, cloud, params)


def deregister(cloud: Elbv2, params: Structure) -> Structure:
    """DeregisterTargets."""
    return _write(actions.deregister, cloud, params)


def describe_health(cloud: Elbv2, params: Structure, lag_s: float = 0.0) -> Structure:
    """DescribeTargetHealth: the whole group in one answer, or the requested targets, registered or not."""
    group = cloud.group(params["TargetGroupArn"])
    asked = _named(params) if params.get("Targets") else None
    with answered():
        found = actions.describe(cloud, group, cloud.clock(), asked=asked, lag_s=lag_s)
    return {"TargetHealthDescriptions": [_described(group, one) for one in found]}


def _write(
    action: Callable[[Elbv2, TargetGroup, Named, float], None], cloud: Elbv2, params: Structure
) -> Structure:
    group = cloud.group(params["TargetGroupArn"])
    group.targets.keep_history(bool(cloud.faults.health_lag_s))
    with answered():
        action(cloud, group, _named(params), cloud.clock())
    return {}


def _named(params: Structure) -> Named:
    return [(target["Id"], target.get("Port")) for target in params["Targets"]]


def _described(group: TargetGroup, one: Described) -> Structure:
    ((instance_id, own_port), health, _, override), port = one, group.health_check.port
    description: Structure = {
        "Target": {"Id": instance_id, "Port": own_port},
        "HealthCheckPort": str(own_port) if port == "traffic-port" else port,
        "TargetHealth": {
            "State": health.state,
            "Reason": health.reason or None,
            "Description": health.description or None,
        },
    }
    if override:
        reason, sentence = OVERRIDES[override]
        description["AdministrativeOverride"] = {
            "State": override,
            "Reason": f"AdministrativeOverride.{reason}",
            "Description": sentence,
        }
    return description
