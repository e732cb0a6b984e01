"""Target groups of Network Load Balancers; the health check's ranges, and the allowed changes (source 5)."""

import re
from dataclasses import replace
from typing import Any

from sandbox.cloud.elbv2 import attributes
from sandbox.cloud.elbv2.records import HealthCheck, TargetGroup
from sandbox.cloud.elbv2.store import Elbv2, named
from sandbox.cloud.errors import AwsError, AwsValidationError
from sandbox.cloud.query import Structure

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,30}[A-Za-z0-9])?")
_TYPES = {"instance", "ip"}
_PROTOCOLS = {"TCP", "UDP", "TCP_UDP", "TLS"}
_MATCHER = re.compile(r"\d{3}(?:-\d{3})?(?:,\d{3}(?:-\d{3})?)*")
_RANGES = {  # source 5
    "HealthCheckIntervalSeconds": (5, 300),
    "HealthCheckTimeoutSeconds": (2, 120),
    "HealthyThresholdCount": (2, 10),
    "UnhealthyThresholdCount": (2, 10),
}


def create(cloud: Elbv2, params: Structure) -> Structure:
    """CreateTargetGroup: target type instance (or ip: always empty), a protocol of NLBs."""
    name, protocol, port = _valid_name(cloud, params["Name"]), params.get("Protocol"), params.get("Port")
    target_type = params.get("TargetType", "instance")
    if target_type not in _TYPES or protocol not in _PROTOCOLS:
        raise AwsValidationError(
            "The sandbox simulates target groups of type 'instance' and protocol TCP, UDP, TCP_UDP or TLS, "
            "and empty ones of type 'ip'"
        )
    if port is None or not 1 <= port <= 65_535:  # noqa: PLR2004 (TCP's own range)
        raise AwsValidationError("A port between 1 and 65535 must be specified")
    vpc_id = params.get("VpcId")
    if vpc_id is None or not cloud.ec2.vpc_exists(vpc_id):
        raise AwsValidationError(f"The VPC ID '{vpc_id}' is not found")
    if len(cloud.groups) >= cloud.faults.quotas["target-groups"]:
        raise AwsError("TooManyTargetGroups", "The maximum number of target groups has been reached")
    made = TargetGroup(
        arn=cloud.new_arn("targetgroup", name),
        name=name,
        protocol=protocol,
        port=port,
        vpc_id=vpc_id,
        target_type=target_type,
        ip_address_type=params.get("IpAddressType", "ipv4"),
        health_check=_valid(_changed(_default_check(params.get("HealthCheckProtocol", "TCP")), params)),
        attributes=attributes.of_group(protocol),
        tags=named(params.get("Tags")),
    )
    cloud.groups[made.arn] = made
    return {"TargetGroups": [described(cloud, made)]}


def describe(cloud: Elbv2, params: Structure) -> Structure:
    """DescribeTargetGroups: all, by ARN, by name, or of a load balancer."""
    arns, names, owner = (params.get(key) for key in ("TargetGroupArns", "Names", "LoadBalancerArn"))
    every = list(cloud.groups.values())
    if arns:
        every = [cloud.group(arn) for arn in arns]
    elif names:
        every = [one for one in every if one.name in names]
        if len(every) < len(set(names)):
            raise AwsError("TargetGroupNotFound", "One or more target groups not found")
    elif owner:
        cloud.load_balancer(owner)
        every = cloud.groups_of(owner)
    return {"TargetGroups": [described(cloud, one) for one in every]}


def modify(cloud: Elbv2, params: Structure) -> Structure:
    """ModifyTargetGroup: every part of the health check in place, since 2022-11-17 (source 5)."""
    one = cloud.group(params["TargetGroupArn"])
    check, protocol = one.health_check, params.get("HealthCheckProtocol")
    if protocol and protocol != check.protocol:
        fresh = _default_check(protocol)
        check = replace(
            check, protocol=protocol, path=check.path or fresh.path, matcher=check.matcher or fresh.matcher
        )
        if protocol == "TCP":
            check = replace(check, path=None, matcher=None)
    one.health_check = _valid(_changed(check, params))
    return {"TargetGroups": [described(cloud, one)]}


def delete(cloud: Elbv2, params: Structure) -> Structure:
    """DeleteTargetGroup: not while in use by a listener; an unknown group succeeds."""
    arn = params["TargetGroupArn"]
    if cloud.load_balancer_of(arn) is not None:
        raise AwsError("ResourceInUse", f"Target group '{arn}' is currently in use by a listener or a rule")
    cloud.groups.pop(arn, None)
    return {}


def described(cloud: Elbv2, one: TargetGroup) -> Structure:
    """Return a target group in the API's form."""
    check, owner = one.health_check, cloud.load_balancer_of(one.arn)
    return {
        "TargetGroupArn": one.arn,
        "TargetGroupName": one.name,
        "Protocol": one.protocol,
        "Port": one.port,
        "VpcId": one.vpc_id,
        "HealthCheckProtocol": check.protocol,
        "HealthCheckPort": check.port,
        "HealthCheckEnabled": True,
        "HealthCheckIntervalSeconds": check.interval_s,
        "HealthCheckTimeoutSeconds": check.timeout_s,
        "HealthyThresholdCount": check.healthy_threshold,
        "UnhealthyThresholdCount": check.unhealthy_threshold,
        "HealthCheckPath": check.path,
        "Matcher": {"HttpCode": check.matcher} if check.matcher else None,
        "LoadBalancerArns": [owner.arn] if owner else [],
        "TargetType": one.target_type,
        "IpAddressType": one.ip_address_type,
    }


def _valid_name(cloud: Elbv2, name: str) -> str:
    if not _NAME.fullmatch(name):
        raise AwsValidationError(
            f"Target group name '{name}' must be 1 to 32 letters, digits or hyphens and not begin or end "
            "with a hyphen"
        )
    if any(one.name == name for one in cloud.groups.values()):
        raise AwsError(
            "DuplicateTargetGroupName",
            f"A target group with the same name '{name}' exists, but with different settings",
        )
    return name


def _default_check(protocol: str) -> HealthCheck:
    """AWS's own defaults (source 5), which differ from the Terraform provider's."""
    http = protocol != "TCP"
    return HealthCheck(
        protocol=protocol,
        port="traffic-port",
        path="/" if http else None,
        interval_s=30,
        timeout_s=6 if protocol == "HTTP" else 10,
        healthy_threshold=5,
        unhealthy_threshold=2,
        matcher="200-399" if http else None,
    )


def _changed(check: HealthCheck, params: Structure) -> HealthCheck:
    if params.get("HealthCheckEnabled") is False:
        raise AwsError(
            "InvalidConfigurationRequest",
            "Health check enabled must be true for target groups of type 'instance'",
        )
    for key, (low, high) in _RANGES.items():
        if key in params and not low <= params[key] <= high:
            raise AwsValidationError(f"{key} '{params[key]}' must be between {low} and {high}")
    given: dict[str, Any] = {
        "port": params.get("HealthCheckPort"),
        "path": params.get("HealthCheckPath"),
        "interval_s": params.get("HealthCheckIntervalSeconds"),
        "timeout_s": params.get("HealthCheckTimeoutSeconds"),
        "healthy_threshold": params.get("HealthyThresholdCount"),
        "unhealthy_threshold": params.get("UnhealthyThresholdCount"),
        "matcher": params.get("Matcher", {}).get("HttpCode"),
    }
    return replace(check, **{name: value for name, value in given.items() if value not in {None, ""}})


def _valid(check: HealthCheck) -> HealthCheck:
    if check.protocol not in {"TCP", "HTTP", "HTTPS"}:
        raise AwsValidationError(
            f"Health check protocol '{check.protocol}' must be one of 'HTTP, TCP, HTTPS'"
        )
    if check.port != "traffic-port" and not (check.port.isdecimal() and 1 <= int(check.port) <= 65_535):  # noqa: PLR2004
        raise AwsValidationError(f"Health check port '{check.port}' must be 'traffic-port' or 1 to 65535")
    if check.timeout_s > check.interval_s:
        raise AwsValidationError(
            f"Health check timeout '{check.timeout_s}' must be smaller than or equal to the interval "
            f"'{check.interval_s}'"
        )
    if check.protocol == "TCP" and (check.path or check.matcher):
        raise AwsError(
            "InvalidConfigurationRequest", "Health check path and matcher are not supported with protocol TCP"
        )
    if check.path is not None and not (check.path.startswith("/") and len(check.path) <= 1024):  # noqa: PLR2004 (source 5)
        raise AwsValidationError(
            f"Health check path '{check.path}' must begin with '/', up to 1024 characters"
        )
    if check.matcher is not None:
        codes = [int(code) for code in re.findall(r"\d+", check.matcher)]
        if not _MATCHER.fullmatch(check.matcher) or not all(200 <= code <= 599 for code in codes):  # noqa: PLR2004
            raise AwsValidationError(
                f"Health check matcher '{check.matcher}' must hold codes from 200 to 599"
            )
    return check
