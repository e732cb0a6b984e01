"""The state of the simulated ELBv2, in AWS's own terms. Times are monotonic seconds."""

from dataclasses import dataclass, field
from datetime import datetime

from sandbox.cloud.query import Structure
from sandbox.elbv2.targets import Targets


@dataclass(frozen=True, slots=True)
class Zone:
    """An availability zone of a load balancer: a subnet, an interface, optionally an Elastic IP."""

    name: str
    subnet_id: str
    interface_id: str
    private_ip: str
    allocation_id: str | None
    public_ip: str | None
    asked_private_ip: str | None = None
    ipv6_address: str | None = None

    def described(self) -> Structure:
        """Return the AvailabilityZone of DescribeLoadBalancers (source 11: moto omits the addresses).

        A given IPv6 address is a second entry (terraform-provider-aws#49531).
        """
        address = {
            "AllocationId": self.allocation_id,
            "IpAddress": self.public_ip,
            "PrivateIPv4Address": self.asked_private_ip,
        }
        addresses = [address] if self.allocation_id or self.asked_private_ip else []
        addresses += [{"IPv6Address": self.ipv6_address}] if self.ipv6_address else []
        return {"ZoneName": self.name, "SubnetId": self.subnet_id, "LoadBalancerAddresses": addresses}


@dataclass(slots=True)
class LoadBalancer:
    """A Network Load Balancer."""

    arn: str
    name: str
    dns_name: str
    scheme: str
    vpc_id: str
    ip_address_type: str
    created: datetime
    active_at: float
    security_groups: list[str]
    zones: dict[str, Zone] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    enforce_on_private_link: str = "on"
    capacity_units: int | None = None

    @property
    def path(self) -> str:
        """`net/NAME/ID`: the ARN's part that names interfaces and listeners."""
        return self.arn.partition("loadbalancer/")[2]

    @property
    def cross_zone(self) -> bool:
        """Whether the zones share all targets."""
        return self.attributes["load_balancing.cross_zone.enabled"] == "true"


@dataclass(slots=True)
class Listener:
    """A port of a load balancer that forwards to target groups."""

    arn: str
    load_balancer_arn: str
    protocol: str
    port: int
    actions: list[Structure]
    ssl_policy: str | None = None
    certificates: list[Structure] = field(default_factory=list)
    further_certificates: list[str] = field(default_factory=list)
    alpn_policy: list[str] = field(default_factory=list)
    attributes: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def group_arns(self) -> set[str]:
        """The target groups of the listener."""
        groups = [forwarded["TargetGroupArn"] for one in self.actions for forwarded in forward_groups(one)]
        return set(groups)


def forward_groups(action: Structure) -> list[Structure]:
    """Return the target groups of a forward action, in either spelling of the API."""
    weighted: list[Structure] = action.get("ForwardConfig", {}).get("TargetGroups", [])
    if weighted:
        return weighted
    return [{"TargetGroupArn": action["TargetGroupArn"]}] if "TargetGroupArn" in action else []


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """The health check of a group; seconds and counts as in the API (source 5)."""

    protocol: str
    port: str
    path: str | None
    interval_s: int
    timeout_s: int
    healthy_threshold: int
    unhealthy_threshold: int
    matcher: str | None


@dataclass(slots=True)
class TargetGroup:
    """A target group of type instance."""

    arn: str
    name: str
    protocol: str
    port: int
    vpc_id: str
    target_type: str
    ip_address_type: str
    health_check: HealthCheck
    attributes: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    targets: Targets = field(default_factory=Targets)

    @property
    def deregistration_delay_s(self) -> int:
        """How long a deregistered target drains (source 4)."""
        return int(self.attributes["deregistration_delay.timeout_seconds"])

    @property
    def lingering_s(self) -> int:
        """Seconds of `unhealthy.draining`; 0 with connection termination (source 1)."""
        if self.attributes["target_health_state.unhealthy.connection_termination.enabled"] == "true":
            return 0
        return int(self.attributes["target_health_state.unhealthy.draining_interval_seconds"])
