"""Registration and the lifecycle of a target: initial, healthy or unhealthy, draining, absent (source 1)."""

from collections.abc import Iterable

from sandbox.cloud.elbv2.health import forget_drained, health_of
from sandbox.cloud.elbv2.lag import remember
from sandbox.cloud.elbv2.quotas import require_place
from sandbox.cloud.elbv2.records import Target, TargetGroup, TargetKey
from sandbox.cloud.elbv2.store import Elbv2
from sandbox.cloud.errors import AwsError, AwsValidationError
from sandbox.cloud.faults import OVERRIDES
from sandbox.cloud.query import Structure


def register(cloud: Elbv2, params: Structure) -> Structure:
    """RegisterTargets: all or none; a registered target is unchanged, a draining target starts as initial."""
    group, now = cloud.group(params["TargetGroupArn"]), cloud.clock()
    keys = _keys(group, params["Targets"])
    forget_drained(group, now)
    _require_registrable(cloud, group, [key[0] for key in keys])
    require_place(cloud, group, set(keys))
    if cloud.faults.health_lag_s:
        remember(cloud, group, describe_health(cloud, {"TargetGroupArn": group.arn}))
    for key in keys:
        known = group.targets.get(key)
        if known is None or known.draining_until is not None:
            group.targets[key] = Target(*key, registered_at=now)
    return {}


def deregister(cloud: Elbv2, params: Structure) -> Structure:
    """DeregisterTargets: an unregistered target is no error; a draining target drains further (source 1)."""
    group, now = cloud.group(params["TargetGroupArn"]), cloud.clock()
    keys = _keys(group, params["Targets"])
    if cloud.faults.health_lag_s:
        remember(cloud, group, describe_health(cloud, {"TargetGroupArn": group.arn}))
    for key in keys:
        target = group.targets.get(key)
        if target is not None and target.draining_until is None:
            target.draining_until = now + group.deregistration_delay_s
    forget_drained(group, now)
    return {}


def describe_health(cloud: Elbv2, params: Structure) -> Structure:
    """DescribeTargetHealth: the whole group in one answer, or the requested targets, registered or not."""
    group = cloud.group(params["TargetGroupArn"])
    forget_drained(group, cloud.clock())
    keys = _keys(group, params["Targets"]) if params.get("Targets") else list(group.targets)
    port = group.health_check.port
    return {
        "TargetHealthDescriptions": [
            {
                "Target": {"Id": key[0], "Port": key[1]},
                "HealthCheckPort": str(key[1]) if port == "traffic-port" else port,
                "TargetHealth": health_of(cloud, group, key).described(),
                **_override(cloud, key),
            }
            for key in keys
        ]
    }


def _override(cloud: Elbv2, key: TargetKey) -> Structure:
    """Return the AdministrativeOverride of a target while any zone is shifted; empty otherwise."""
    shifts, instance = cloud.faults.zonal_shift, cloud.ec2.instance(key[0])
    if not shifts:
        return {}
    state = shifts.get(instance.zone if instance else "", "no_override")
    reason, sentence = OVERRIDES[state]
    described = {"State": state, "Reason": f"AdministrativeOverride.{reason}", "Description": sentence}
    return {"AdministrativeOverride": described}


def _keys(group: TargetGroup, targets: list[Structure]) -> list[TargetKey]:
    """Return the named targets; an Id alone means the group's default port (source 1)."""
    if not targets:
        raise AwsValidationError("At least one target must be specified")
    for target in targets:
        port = target.get("Port", group.port)
        if not 1 <= port <= 65_535:  # noqa: PLR2004 (TCP's own range)
            raise AwsValidationError(f"Target port '{port}' must be between 1 and 65535")
    return list(dict.fromkeys((target["Id"], target.get("Port", group.port)) for target in targets))


def _require_registrable(cloud: Elbv2, group: TargetGroup, ids: list[str]) -> None:
    """Fail the whole call if an instance does not exist, is in another VPC or is not running (source 1)."""
    if group.target_type == "ip":
        raise AwsValidationError(f"The IP address '{ids[0]}' is not a valid IPv4 address")
    for instance_id in ids:
        if code := cloud.faults.poison.get(instance_id):
            raise AwsError(code, f"The following targets cannot be registered: '{instance_id}'")
    found = {one: cloud.ec2.instance(one) if one.startswith("i-") else None for one in dict.fromkeys(ids)}
    if unknown := [one for one, instance in found.items() if instance is None]:
        raise AwsError("InvalidTarget", f"The following instances do not exist: {_quoted(unknown)}")
    known = [instance for instance in found.values() if instance is not None]
    if idle := [one.instance_id for one in known if one.state != "running"]:
        raise AwsError(
            "InvalidTarget",
            f"The following targets are not in a running state and cannot be registered: {_quoted(idle)}",
        )
    if strangers := [one.instance_id for one in known if one.vpc_id != group.vpc_id]:
        raise AwsError(
            "InvalidTarget",
            f"The following targets are not in the target group VPC '{group.vpc_id}': {_quoted(strangers)}",
        )


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
