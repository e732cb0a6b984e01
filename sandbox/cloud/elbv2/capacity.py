"""Capacity reservations of load balancers, in capacity units (LCU)."""

from sandbox.cloud.elbv2.records import LoadBalancer
from sandbox.cloud.elbv2.store import Elbv2
from sandbox.cloud.errors import AwsError, AwsValidationError
from sandbox.cloud.query import Structure


def modify(cloud: Elbv2, params: Structure) -> Structure:
    """ModifyCapacityReservation: provisioned at once; not beside TLS listeners (NLB user guide)."""
    one = cloud.load_balancer(params["LoadBalancerArn"])
    units = params.get("MinimumLoadBalancerCapacity", {}).get("CapacityUnits")
    if params.get("ResetCapacityReservation"):
        units = None
    elif units is None:
        raise AwsValidationError("You must specify either a minimum capacity or a reset")
    elif units < 1:
        raise AwsValidationError(f"Capacity units '{units}' must be greater than 0")
    elif any(listener.protocol == "TLS" for listener in cloud.listeners_of(one.arn)):
        raise AwsError(
            "InvalidConfigurationRequest",
            "Capacity reservation is not supported on Network Load Balancers with TLS listeners",
        )
    one.capacity_units = units
    return _described(one)


def describe(cloud: Elbv2, params: Structure) -> Structure:
    """DescribeCapacityReservation."""
    return _described(cloud.load_balancer(params["LoadBalancerArn"]))


def _described(one: LoadBalancer) -> Structure:
    if one.capacity_units is None:
        return {"CapacityReservationState": []}
    share = one.capacity_units / len(one.zones)
    return {
        "DecreaseRequestsRemaining": 2,
        "MinimumLoadBalancerCapacity": {"CapacityUnits": one.capacity_units},
        "CapacityReservationState": [
            {"State": {"Code": "provisioned"}, "AvailabilityZone": zone, "EffectiveCapacityUnits": share}
            for zone in one.zones
        ],
    }
