"""What AWS has of the stack, without the names, ids and ports that differ from run to run."""

from typing import Any, Final

from tests.changes.stand import Stand

_CHECKS: Final = (
    "HealthCheckEnabled",
    "HealthCheckIntervalSeconds",
    "HealthCheckPath",
    "HealthCheckProtocol",
    "HealthCheckTimeoutSeconds",
    "HealthyThresholdCount",
    "Matcher",
    "Port",
    "Protocol",
    "UnhealthyThresholdCount",
)
_OF_LOGS: Final = ("access_logs.s3.bucket", "access_logs.s3.prefix")
_LISTENER: Final = ("AlpnPolicy", "Port", "Protocol", "SslPolicy")


def in_aws(stand: Stand) -> dict[str, Any]:
    """Return attributes of the load balancer, listeners by port, groups by listener, and client rules."""
    elb, outputs = stand.aws("elbv2"), stand.outputs()
    arn = outputs["loadBalancerArn"]
    (balancer,) = elb.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"]
    listeners = elb.describe_listeners(LoadBalancerArn=arn)["Listeners"]
    groups: dict[str, Any] = {}
    for name, group in outputs["targetGroups"].items():
        (found,) = elb.describe_target_groups(TargetGroupArns=[group])["TargetGroups"]
        attributes = elb.describe_target_group_attributes(TargetGroupArn=group)
        groups[name] = {key: found.get(key) for key in _CHECKS} | _pairs(attributes)
    return {
        "load balancer": _pairs(elb.describe_load_balancer_attributes(LoadBalancerArn=arn))
        | {
            "scheme": balancer["Scheme"],
            "addresses": balancer["IpAddressType"],
            "groups": len(balancer["SecurityGroups"]),
            "zones": sorted(zone["ZoneName"] for zone in balancer["AvailabilityZones"]),
        },
        "listeners": {
            each["Port"]: {key: each.get(key) for key in _LISTENER}
            | _pairs(elb.describe_listener_attributes(ListenerArn=each["ListenerArn"]))
            for each in listeners
        },
        "groups": groups,
        "clients": _clients(stand, balancer["SecurityGroups"][0]),
    }


def _pairs(answer: dict[str, Any]) -> dict[str, str]:
    """Return the attributes, without bucket and prefix of access logs that are off: they have no effect."""
    pairs = {each["Key"]: each["Value"] for each in answer["Attributes"]}
    if pairs.get("access_logs.s3.enabled") == "false":
        return {key: value for key, value in pairs.items() if key not in _OF_LOGS}
    return pairs


def _clients(stand: Stand, group: str) -> list[tuple[Any, ...]]:
    filters = [{"Name": "group-id", "Values": [group]}]
    rules = stand.aws("ec2").describe_security_group_rules(Filters=filters)["SecurityGroupRules"]
    words = ("IpProtocol", "FromPort", "CidrIpv4", "PrefixListId")
    return sorted(tuple(str(rule.get(word)) for word in words) for rule in rules if not rule["IsEgress"])
