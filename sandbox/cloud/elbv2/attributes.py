"""Attributes of load balancers, listeners and groups: AWS's defaults and ranges; newer keys kept as sent."""

import re
from collections.abc import Mapping

from sandbox.cloud.elbv2.store import Elbv2, named, pairs
from sandbox.cloud.errors import AwsError, AwsValidationError
from sandbox.cloud.query import Structure

# The LoadBalancerAttribute, ListenerAttribute and TargetGroupAttribute documentation of the model.
LOAD_BALANCER = {
    "deletion_protection.enabled": "false",
    "load_balancing.cross_zone.enabled": "false",
    "access_logs.s3.enabled": "false",
    "access_logs.s3.bucket": "",
    "access_logs.s3.prefix": "",
    "ipv6.deny_all_igw_traffic": "false",
    "dns_record.client_routing_policy": "any_availability_zone",
    "zonal_shift.config.enabled": "false",
    "secondary_ips.auto_assigned.per_subnet": "0",
}
LISTENER = {"tcp.idle_timeout.seconds": "350"}  # source 4: 60-6000
TARGET_GROUP = {
    "deregistration_delay.timeout_seconds": "300",
    "deregistration_delay.connection_termination.enabled": "false",
    "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
    "preserve_client_ip.enabled": "true",
    "proxy_protocol_v2.enabled": "false",
    "stickiness.enabled": "false",
    "stickiness.type": "source_ip",
    "target_group_health.dns_failover.minimum_healthy_targets.count": "1",
    "target_group_health.dns_failover.minimum_healthy_targets.percentage": "off",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": "1",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "off",
    "target_health_state.unhealthy.connection_termination.enabled": "true",
    "target_health_state.unhealthy.draining_interval_seconds": "0",
}
# sources 1 and 4.
_RANGES = {
    "deregistration_delay.timeout_seconds": (0, 3600),
    "target_health_state.unhealthy.draining_interval_seconds": (0, 360_000),
    "tcp.idle_timeout.seconds": (60, 6000),
    "secondary_ips.auto_assigned.per_subnet": (0, 7),
}
_DATAGRAMS = frozenset({"UDP", "TCP_UDP"})
_TERMINATION = "target_health_state.unhealthy.connection_termination.enabled"
_FLAG = ("true", "false")
_SHARE = re.compile(r"off|[1-9]\d?|100")
_COUNT = re.compile(r"off|[1-9]\d*")
_HEALTHY = "minimum_healthy_targets"
# The same documentation: the values of an attribute, as alternatives or as a pattern.
_VALUES = {
    "deletion_protection.enabled": _FLAG,
    "access_logs.s3.enabled": _FLAG,
    "zonal_shift.config.enabled": _FLAG,
    "dns_record.client_routing_policy": (
        "any_availability_zone",
        "partial_availability_zone_affinity",
        "availability_zone_affinity",
    ),
    "preserve_client_ip.enabled": _FLAG,
    "proxy_protocol_v2.enabled": _FLAG,
    "stickiness.enabled": _FLAG,
    "stickiness.type": ("source_ip",),
    "deregistration_delay.connection_termination.enabled": _FLAG,
}
_PATTERNS = {
    f"target_group_health.dns_failover.{_HEALTHY}.count": _COUNT,
    f"target_group_health.dns_failover.{_HEALTHY}.percentage": _SHARE,
    f"target_group_health.unhealthy_state_routing.{_HEALTHY}.count": re.compile(r"[1-9]\d*"),
    f"target_group_health.unhealthy_state_routing.{_HEALTHY}.percentage": _SHARE,
}
_ONLY_APPLICATION = re.compile(r"routing\.http|idle_timeout\.|connection_logs\.|client_keep_alive\.|waf\.")
_KEY = re.compile(r"[A-Za-z0-9._]{1,256}")


def of_group(protocol: str) -> dict[str, str]:
    """Return the attributes of a new target group (the TargetGroupAttribute documentation of the model)."""
    if protocol not in _DATAGRAMS:
        return dict(TARGET_GROUP)
    return TARGET_GROUP | {
        "deregistration_delay.connection_termination.enabled": "true",
        _TERMINATION: "false",
    }


def describe_load_balancer(cloud: Elbv2, params: Structure) -> Structure:
    """DescribeLoadBalancerAttributes."""
    return {"Attributes": pairs(cloud.load_balancer(params["LoadBalancerArn"]).attributes)}


def modify_load_balancer(cloud: Elbv2, params: Structure) -> Structure:
    """ModifyLoadBalancerAttributes."""
    return _modify(cloud.load_balancer(params["LoadBalancerArn"]).attributes, params, "Load balancer")


def describe_listener(cloud: Elbv2, params: Structure) -> Structure:
    """DescribeListenerAttributes."""
    return {"Attributes": pairs(cloud.listener(params["ListenerArn"]).attributes)}


def modify_listener(cloud: Elbv2, params: Structure) -> Structure:
    """ModifyListenerAttributes."""
    return _modify(cloud.listener(params["ListenerArn"]).attributes, params, "Listener")


def describe_target_group(cloud: Elbv2, params: Structure) -> Structure:
    """DescribeTargetGroupAttributes."""
    return {"Attributes": pairs(cloud.group(params["TargetGroupArn"]).attributes)}


def modify_target_group(cloud: Elbv2, params: Structure) -> Structure:
    """ModifyTargetGroupAttributes."""
    wanted = named(params["Attributes"])
    if cloud.group(params["TargetGroupArn"]).protocol in _DATAGRAMS:
        for key, refused in (("preserve_client_ip.enabled", "false"), (_TERMINATION, "true")):
            if wanted.get(key) == refused:
                raise AwsError(
                    "InvalidConfigurationRequest",
                    f"Target group attribute '{key}' cannot be {refused} for UDP and TCP_UDP target groups",
                )
    return _modify(cloud.group(params["TargetGroupArn"]).attributes, params, "Target group")


def _modify(attributes: dict[str, str], params: Structure, owner: str) -> Structure:
    wanted = named(params["Attributes"])
    _require_valid(wanted, owner)
    _require_together({**attributes, **wanted})
    attributes.update(wanted)
    return {"Attributes": pairs(attributes)}


def _require_together(all_of: Mapping[str, str]) -> None:
    """Refuse access logs without a bucket, and routing to all targets before the DNS failover."""
    if all_of.get("access_logs.s3.enabled") == "true" and not all_of.get("access_logs.s3.bucket"):
        raise AwsError("InvalidConfigurationRequest", "The value of 'access_logs.s3.bucket' cannot be empty")
    for unit in ("count", "percentage"):
        dns, routing = (
            all_of.get(f"target_group_health.{action}.{_HEALTHY}.{unit}", "off")
            for action in ("dns_failover", "unhealthy_state_routing")
        )
        if "off" not in (dns, routing) and int(dns) < int(routing):
            raise AwsValidationError(
                f"The DNS failover {unit} '{dns}' must be at least the unhealthy state routing {unit} "
                f"'{routing}'"
            )


def _require_valid(wanted: Mapping[str, str], owner: str) -> None:
    for key, value in wanted.items():
        if not _KEY.fullmatch(key) or (owner == "Load balancer" and _ONLY_APPLICATION.match(key)):
            raise AwsError("InvalidConfigurationRequest", f"{owner} attribute key '{key}' is not recognized")
        words, pattern = _VALUES.get(key), _PATTERNS.get(key)
        if owner == "Load balancer" and key == "load_balancing.cross_zone.enabled":
            words = _FLAG
        elif owner == "Target group" and key == "load_balancing.cross_zone.enabled":
            words = (*_FLAG, "use_load_balancer_configuration")
        if (words and value not in words) or (pattern and not pattern.fullmatch(value)):
            raise AwsValidationError(f"{owner} attribute value '{value}' is not valid for key '{key}'")
        low, high = _RANGES.get(key, (0, 0))
        if high and not (value.isdecimal() and low <= int(value) <= high):
            raise AwsError(
                "InvalidConfigurationRequest",
                f"{owner} attribute '{key}' must be between {low} and {high}, not '{value}'",
            )
