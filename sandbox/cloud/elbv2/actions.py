"""All supported ELBv2 actions, by API name."""

from collections.abc import Callable

from sandbox.cloud.elbv2 import (
    attributes,
    capacity,
    certificates,
    listeners,
    load_balancers,
    tags,
    target_groups,
    targets,
)
from sandbox.cloud.elbv2.store import Elbv2
from sandbox.cloud.query import Structure

Action = Callable[[Elbv2, Structure], Structure]


def describe_account_limits(cloud: Elbv2, _params: Structure) -> Structure:
    """DescribeAccountLimits: the quotas in force (source 3)."""
    limits = cloud.faults.quotas.items()
    return {"Limits": [{"Name": name, "Max": str(most)} for name, most in limits]}


ACTIONS: dict[str, Action] = {
    "AddListenerCertificates": certificates.add,
    "AddTags": tags.add,
    "CreateListener": listeners.create,
    "CreateLoadBalancer": load_balancers.create,
    "CreateTargetGroup": target_groups.create,
    "DeleteListener": listeners.delete,
    "DeleteLoadBalancer": load_balancers.delete,
    "DeleteTargetGroup": target_groups.delete,
    "DeregisterTargets": targets.deregister,
    "DescribeAccountLimits": describe_account_limits,
    "DescribeCapacityReservation": capacity.describe,
    "DescribeListenerAttributes": attributes.describe_listener,
    "DescribeListenerCertificates": certificates.describe,
    "DescribeListeners": listeners.describe,
    "DescribeLoadBalancerAttributes": attributes.describe_load_balancer,
    "DescribeLoadBalancers": load_balancers.describe,
    "DescribeTags": tags.describe,
    "DescribeTargetGroupAttributes": attributes.describe_target_group,
    "DescribeTargetGroups": target_groups.describe,
    "DescribeTargetHealth": targets.describe_health,
    "ModifyCapacityReservation": capacity.modify,
    "ModifyListener": listeners.modify,
    "ModifyListenerAttributes": attributes.modify_listener,
    "ModifyLoadBalancerAttributes": attributes.modify_load_balancer,
    "ModifyTargetGroup": target_groups.modify,
    "ModifyTargetGroupAttributes": attributes.modify_target_group,
    "RegisterTargets": targets.register,
    "RemoveListenerCertificates": certificates.remove,
    "RemoveTags": tags.remove,
    "SetIpAddressType": load_balancers.set_ip_address_type,
    "SetSecurityGroups": load_balancers.set_security_groups,
    "SetSubnets": load_balancers.set_subnets,
}
