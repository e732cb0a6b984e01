"""aws:lb/targetGroup:TargetGroup (internal/service/elbv2/target_group.go)."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from sandbox.plugins.aws import attributes, tags
from sandbox.plugins.aws.names import prefix_of, unique
from sandbox.plugins.aws.session import Aws, AwsError, doing, tolerating
from sandbox.plugins.provider import ProviderError
from sandbox.plugins.values import PropertyMap

_GONE: Final = ("TargetGroupNotFound", "TargetGroupNotFoundException")
_IN_USE: Final = frozenset({"ResourceInUse", "ResourceInUseException"})
_IN_USE_BY: Final = "is currently in use by a listener or a rule"
_DELETE_S: Final = 120.0  # a constant of resourceTargetGroupDelete: customTimeouts have no effect
_DNS: Final = "target_group_health.dns_failover.minimum_healthy_targets"
_ROUTING: Final = "target_group_health.unhealthy_state_routing.minimum_healthy_targets"
_TERMINATION: Final = "target_health_state.unhealthy.connection_termination.enabled"
_DRAINING: Final = "target_health_state.unhealthy.draining_interval_seconds"
_BLOCKS: Final = ("stickiness", "targetGroupHealth", "targetHealthStates")


class TargetGroup:
    """A target group; the id is the ARN. Targets are not managed here."""

    def create(self, aws: Aws, inputs: PropertyMap) -> tuple[str, PropertyMap]:
        """CreateTargetGroup, unless the name exists (AWS would return the existing group)."""
        name = inputs.get("name") or unique(inputs.get("namePrefix"), "tf-")
        with tolerating(*_GONE), doing(f"reading ELBv2 Target Group ({name})"):
            if aws.elbv2.describe_target_groups(Names=[name])["TargetGroups"]:
                raise ProviderError(f"ELBv2 Target Group ({name}) already exists")
        asked: dict[str, Any] = {"Tags": tags.as_list(inputs["tagsAll"])}
        if inputs["targetType"] != "lambda":
            http = inputs["protocol"] in ("HTTP", "HTTPS")
            asked.update(
                Port=inputs["port"],
                Protocol=inputs["protocol"],
                VpcId=inputs["vpcId"],
                IpAddressType=inputs.get("ipAddressType"),
                ProtocolVersion=inputs.get("protocolVersion") if http else None,
            )
        with doing(f"creating ELBv2 Target Group ({name})"):
            made = aws.elbv2.create_target_group(
                Name=name,
                TargetType=inputs["targetType"],
                **_health_check(inputs),
                **{key: value for key, value in asked.items() if value},
            )
        return made["TargetGroups"][0]["TargetGroupArn"], {}

    def settle(self, aws: Aws, ident: str, inputs: PropertyMap, timeout_s: float) -> None:
        """Set the attributes."""
        _ = timeout_s
        wanted = attributes.wanted(
            attributes.TARGET_GROUP, inputs["targetType"], inputs, attributes.TARGET_GROUP
        )
        # At creation the provider does not send zero values (targetGroupAttributes.expand)
        given = {
            key: value for key, value in wanted.items() if value or key.startswith("deregistration_delay.t")
        }
        _modify(aws, ident, {**_block_attributes(inputs, _BLOCKS), **given})

    def read(self, aws: Aws, ident: str, prior: PropertyMap) -> PropertyMap | None:
        """DescribeTargetGroups, attributes and tags."""
        found = _find(aws, ident)
        if found is None:
            return None
        with doing(f"reading ELBv2 Target Group ({ident}) attributes"):
            described = aws.elbv2.describe_target_group_attributes(TargetGroupArn=ident)
        told = attributes.from_list(described["Attributes"])
        kind = found.get("TargetType", "instance")
        return {
            "arn": ident,
            "arnSuffix": ident.rpartition(":")[2],
            "healthCheck": _health_check_found(found),
            "ipAddressType": found.get("IpAddressType", "ipv4"),
            "loadBalancerArns": sorted(found.get("LoadBalancerArns", [])),
            "name": found["TargetGroupName"],
            "namePrefix": prefix_of(found["TargetGroupName"]),
            "port": found.get("Port"),
            "protocol": found.get("Protocol"),
            "protocolVersion": found.get("ProtocolVersion") or None,
            "targetType": kind,
            "vpcId": found.get("VpcId"),
            **_blocks_found(found.get("Protocol", ""), told),
            **attributes.typed(attributes.TARGET_GROUP, kind, told),
            **tags.as_properties(aws, tags.of_elbv2(aws, ident), prior),
        }

    def update(
        self, aws: Aws, ident: str, old: PropertyMap, new: PropertyMap, changed: frozenset[str]
    ) -> str:
        """Update health check, attributes, tags."""
        if "healthCheck" in changed and new.get("healthCheck"):
            with doing(f"modifying ELBv2 Target Group ({ident})"):
                aws.elbv2.modify_target_group(TargetGroupArn=ident, **_health_check(new))
        wanted = attributes.wanted(attributes.TARGET_GROUP, old["targetType"], new, changed)
        _modify(aws, ident, {**_block_attributes(new, changed & set(_BLOCKS)), **wanted})
        if "tagsAll" in changed:
            tags.update_elbv2(aws, ident, old.get("tagsAll", {}), new["tagsAll"], "ELBv2 Target Group")
        return ident

    def delete(self, aws: Aws, ident: str, state: PropertyMap, timeout_s: float) -> None:
        """DeleteTargetGroup, with retries while the group is in use; AWS accepts a missing group."""
        _ = state, timeout_s

        def remove() -> None:
            with doing(f"deleting ELBv2 Target Group ({ident})"):
                aws.elbv2.delete_target_group(TargetGroupArn=ident)

        aws.retry(remove, _IN_USE, _DELETE_S, containing=_IN_USE_BY)


def _find(aws: Aws, ident: str) -> Any:
    try:
        with doing(f"reading ELBv2 Target Group ({ident})"):
            found = aws.elbv2.describe_target_groups(TargetGroupArns=[ident])["TargetGroups"]
    except AwsError as error:
        if error.code not in _GONE:
            raise
        return None
    return found[0] if found else None


def _modify(aws: Aws, ident: str, pairs: Mapping[str, Any]) -> None:
    if pairs:
        with doing(f"modifying ELBv2 Target Group ({ident}) attributes"):
            aws.elbv2.modify_target_group_attributes(
                TargetGroupArn=ident, Attributes=attributes.to_list(pairs)
            )


def _health_check(inputs: PropertyMap) -> Any:
    check = inputs.get("healthCheck")
    if not check:
        return {}
    protocol = check["protocol"].upper()
    asked: dict[str, Any] = {
        "HealthCheckEnabled": check["enabled"],
        "HealthCheckIntervalSeconds": check["interval"],
        "HealthyThresholdCount": check["healthyThreshold"],
        "UnhealthyThresholdCount": check["unhealthyThreshold"],
        "HealthCheckTimeoutSeconds": check.get("timeout") or None,
    }
    if protocol != "TCP":
        grpc = inputs.get("protocolVersion") == "GRPC"
        matcher = check.get("matcher")
        asked["HealthCheckPath"] = check.get("path") or None
        asked["Matcher"] = {"GrpcCode" if grpc else "HttpCode": matcher} if matcher else None
    if inputs["targetType"] != "lambda":
        asked["HealthCheckPort"] = check["port"]
        asked["HealthCheckProtocol"] = protocol
    return {key: value for key, value in asked.items() if value is not None}


def _health_check_found(found: Mapping[str, Any]) -> PropertyMap:
    matcher = found.get("Matcher") or {}
    return {
        "enabled": found.get("HealthCheckEnabled", True),
        "healthyThreshold": found.get("HealthyThresholdCount"),
        "interval": found.get("HealthCheckIntervalSeconds"),
        "matcher": matcher.get("HttpCode") or matcher.get("GrpcCode") or "",
        "path": found.get("HealthCheckPath") or "",
        "port": str(found.get("HealthCheckPort", "traffic-port")),
        "protocol": found.get("HealthCheckProtocol"),
        "timeout": found.get("HealthCheckTimeoutSeconds"),
        "unhealthyThreshold": found.get("UnhealthyThresholdCount"),
    }


def _block_attributes(inputs: PropertyMap, names: Iterable[str]) -> dict[str, Any]:
    """Return the attributes of the nested blocks `names`."""
    pairs: dict[str, Any] = {}
    if "stickiness" in names and (sticky := inputs.get("stickiness")):
        pairs.update({"stickiness.enabled": sticky["enabled"], "stickiness.type": sticky["type"]})
        if inputs["protocol"] in ("HTTP", "HTTPS"):
            pairs[f"stickiness.{sticky['type']}.duration_seconds"] = sticky["cookieDuration"]
            if sticky.get("cookieName"):
                pairs["stickiness.app_cookie.cookie_name"] = sticky["cookieName"]
    if "targetGroupHealth" in names and (health := inputs.get("targetGroupHealth")):
        for block, prefix in (("dnsFailover", _DNS), ("unhealthyStateRouting", _ROUTING)):
            if limits := health.get(block):
                pairs[f"{prefix}.count"] = limits["minimumHealthyTargetsCount"]
                pairs[f"{prefix}.percentage"] = limits["minimumHealthyTargetsPercentage"]
    # expandTargetGroupTargetHealthStateAttributes: both or, for other protocols, neither
    states = inputs.get("targetHealthStates") if inputs["protocol"] in ("TCP", "TLS") else None
    if "targetHealthStates" in names and states:
        pairs[_TERMINATION] = states[0]["enableUnhealthyConnectionTermination"]
        pairs[_DRAINING] = states[0].get("unhealthyDrainingInterval", 0)
    return pairs


def _blocks_found(protocol: str, told: Mapping[str, str]) -> PropertyMap:
    blocks: PropertyMap = {}
    if "stickiness.type" in told:
        blocks["stickiness"] = _stickiness_found(protocol, told)
    if f"{_DNS}.count" in told:
        blocks["targetGroupHealth"] = {
            "dnsFailover": {
                "minimumHealthyTargetsCount": told[f"{_DNS}.count"],
                "minimumHealthyTargetsPercentage": told.get(f"{_DNS}.percentage", "off"),
            },
            "unhealthyStateRouting": {
                "minimumHealthyTargetsCount": int(told.get(f"{_ROUTING}.count", "1")),
                "minimumHealthyTargetsPercentage": told.get(f"{_ROUTING}.percentage", "off"),
            },
        }
    if protocol in ("TCP", "TLS") and _TERMINATION in told:
        state: PropertyMap = {"enableUnhealthyConnectionTermination": told[_TERMINATION] == "true"}
        if _DRAINING in told:
            state["unhealthyDrainingInterval"] = int(told[_DRAINING])
        blocks["targetHealthStates"] = [state]
    return blocks


def _stickiness_found(protocol: str, told: Mapping[str, str]) -> PropertyMap:
    sticky: PropertyMap = {
        "enabled": told.get("stickiness.enabled") == "true",
        "type": told["stickiness.type"],
    }
    duration = told.get(f"stickiness.{sticky['type']}.duration_seconds")
    if protocol in ("HTTP", "HTTPS") and duration:
        sticky["cookieDuration"] = int(duration)
        if name := told.get("stickiness.app_cookie.cookie_name"):
            sticky["cookieName"] = name
    return sticky
