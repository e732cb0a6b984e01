"""Forward actions of Network Load Balancers: one target group, or up to five by weight (since 2025-11).

Sources: botocore's elbv2 model (ForwardActionConfig, TargetGroupTuple), the notes on `actions` in the
annotations of the AWS Load Balancer Controller 3.5, and the provider's schema of a listener.
"""

from typing import Final

from sandbox.cloud.elbv2.records import TargetGroup, forward_groups
from sandbox.cloud.elbv2.store import Elbv2
from sandbox.cloud.errors import AwsError, AwsValidationError
from sandbox.cloud.query import Structure

MOST_GROUPS: Final = 5
_WEIGHTS: Final = range(1000)
# "Listener configuration" of the NLB user guide: the protocols of a listener's groups.
_GROUPS: Final = {
    "TCP": {"TCP", "TCP_UDP"},
    "TLS": {"TCP", "TLS"},
    "UDP": {"UDP", "TCP_UDP"},
    "TCP_UDP": {"TCP_UDP"},
}


def valid_actions(cloud: Elbv2, owner: str, protocol: str, actions: list[Structure]) -> list[Structure]:
    """Return the default action of a listener of load balancer `owner`. Raises the errors of AWS."""
    if protocol not in _GROUPS:
        raise AwsError(
            "UnsupportedProtocol", f"Listener protocol '{protocol}' must be one of 'TCP_UDP, UDP, TLS, TCP'"
        )
    if len(actions) > 1:
        raise AwsError("TooManyActions", "Network Load Balancers can have only one default action")
    for action in actions:
        groups = forward_groups(action)
        if action["Type"] != "forward" or not groups:
            raise AwsError(
                "InvalidLoadBalancerAction",
                f"Network Load Balancers cannot have actions of type {action['Type']}",
            )
        _require_weights(action, groups)
        members = [_forwardable(cloud, owner, protocol, each["TargetGroupArn"]) for each in groups]
        _require_alike(protocol, members, sticky=_sticky(action))
    return actions


def _require_weights(action: Structure, groups: list[Structure]) -> None:
    """Raise ValidationError for a wrong list of groups; without a weight, a single group has weight 1."""
    arns = [each["TargetGroupArn"] for each in groups]
    if action.get("TargetGroupArn") not in {None, *(arns if len(arns) == 1 else ())}:
        raise AwsValidationError("ForwardConfig and TargetGroupArn must specify the same target group")
    if len(arns) > MOST_GROUPS:
        raise AwsValidationError(f"A forward action can specify at most {MOST_GROUPS} target groups")
    if len(set(arns)) < len(arns):
        raise AwsValidationError("A target group can be specified only once in a forward action")
    for each in groups:
        weight = each.get("Weight", None if len(groups) > 1 else 1)
        if weight is None:
            raise AwsValidationError("A weight must be specified for each of several target groups")
        if weight not in _WEIGHTS:
            raise AwsValidationError(f"Target group weight '{weight}' must be between 0 and 999")


def _forwardable(cloud: Elbv2, owner: str, protocol: str, group_arn: str) -> TargetGroup:
    group = cloud.group(group_arn)
    other = cloud.load_balancer_of(group_arn)
    if other is not None and other.arn != owner:
        raise AwsError(
            "TargetGroupAssociationLimit",
            f"The following target groups cannot be associated with more than one load balancer: {group_arn}",
        )
    if group.vpc_id != cloud.load_balancer(owner).vpc_id:
        raise AwsError(
            "InvalidConfigurationRequest",
            f"The target group must be in the same VPC as the load balancer: {group_arn}",
        )
    if group.protocol not in _GROUPS[protocol]:
        raise AwsError(
            "IncompatibleProtocols",
            f"A {protocol} listener cannot forward to a target group of protocol {group.protocol}",
        )
    if protocol == "TLS" and group.attributes["stickiness.enabled"] == "true":
        raise AwsError(
            "InvalidConfigurationRequest",
            f"Target groups with stickiness are not supported by TLS listeners: {group_arn}",
        )
    return group


def _require_alike(protocol: str, members: list[TargetGroup], *, sticky: bool) -> None:
    if protocol == "TLS" and sticky:
        raise AwsError(
            "InvalidConfigurationRequest", "Target group stickiness is not supported by TLS listeners"
        )
    if protocol == "TLS" and len({group.protocol for group in members}) > 1:
        raise AwsError(
            "IncompatibleProtocols", "All target groups of a TLS listener's action must use one protocol"
        )
    own = any(group.attributes["stickiness.enabled"] == "true" for group in members)
    if len(members) > 1 and own and not sticky:
        raise AwsError(
            "InvalidConfigurationRequest",
            "An action with several target groups, one of them with stickiness, must enable target group "
            "stickiness",
        )


def described_action(action: Structure) -> Structure:
    """Return an action in the API's form; a single group is also its TargetGroupArn."""
    groups = forward_groups(action)
    sticky = action.get("ForwardConfig", {}).get("TargetGroupStickinessConfig", {"Enabled": False})
    shown: Structure = {
        "Type": "forward",
        "Order": action.get("Order"),
        "ForwardConfig": {"TargetGroups": groups, "TargetGroupStickinessConfig": sticky},
    }
    if len(groups) == 1:
        shown["TargetGroupArn"] = groups[0]["TargetGroupArn"]
    return shown


def _sticky(action: Structure) -> bool:
    config = action.get("ForwardConfig", {}).get("TargetGroupStickinessConfig", {})
    return bool(config.get("Enabled"))
