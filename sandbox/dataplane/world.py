"""The state of the AWS API for the packet path: listeners, target groups, machines, security groups."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.dataplane.firewall import Peer, Rule, allowed

if TYPE_CHECKING:
    from types_boto3_ec2 import EC2Client
    from types_boto3_ec2.type_defs import NetworkInterfaceTypeDef, SecurityGroupRuleTypeDef
    from types_boto3_elbv2 import ElasticLoadBalancingv2Client
    from types_boto3_elbv2.type_defs import ActionOutputTypeDef, LoadBalancerTypeDef, TargetGroupTypeDef

# Still targets of the group (source 1); `draining` keeps established connections only.
REGISTERED = frozenset({"initial", "healthy", "unhealthy", "unhealthy.draining", "unavailable"})

_TRANSPORTS = {"UDP": frozenset({"udp"}), "TCP_UDP": frozenset({"tcp", "udp"})}


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """An instance on a port, and its availability zone."""

    id: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """The health check of a group; `port` is None for the traffic port. Times in seconds."""

    protocol: str
    port: int | None
    path: str
    interval: int
    timeout: int
    healthy: int
    unhealthy: int
    matcher: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A target group: its check and the states of its targets."""

    arn: str
    check: HealthCheck
    states: Mapping[Target, str]
    reasons: Mapping[Target, str]
    cut_unhealthy: bool
    preserve_client_ip: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Balancer:
    """A Network Load Balancer: its own address in each zone, and its security groups."""

    arn: str
    groups: frozenset[str]
    cross_zone: bool
    private: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """A listener on the Elastic IP of a zone, or on the private address of an internal load balancer."""

    address: str
    port: int
    zone: str
    balancer: Balancer
    target_groups: Mapping[str, int]  # ARN -> weight
    protocol: str = "TCP"

    def choose(self) -> str | None:
        """Return the target group of a new connection, at random by weight; None if all weights are 0.

        The health of the groups is irrelevant: AWS documents no failover between weighted groups.
        """
        arns, weights = [*self.target_groups], [*self.target_groups.values()]
        return random.choices(arns, weights)[0] if any(weights) else None  # noqa: S311  (the flow hash)

    @property
    def transports(self) -> frozenset[str]:
        """The IP protocols of its clients."""
        return _TRANSPORTS.get(self.protocol, frozenset({"tcp"}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """An EC2 instance: its address, zone and security groups."""

    id: str
    address: str
    zone: str
    groups: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A reading of the API, consistent enough for the packet path."""

    listeners: tuple[Listener, ...] = ()
    groups: Mapping[str, Group]
    owners: Mapping[str, Balancer]
    machines: Mapping[str, Machine]
    rules: tuple[Rule, ...] = ()

    def candidates(self, listener: Listener, target_group: str) -> list[Target]:
        """Return the possible targets of a new connection in one of the listener's groups.

        The healthy targets; without a healthy target, all registered targets: an NLB fails open (facts.md,
        section 4). With cross-zone off, a zone's node has only the targets of its own zone.
        """
        group = self.groups[target_group]
        near = [t for t in group.states if self._reachable(listener, t)]
        healthy = [t for t in near if group.states[t] == "healthy"]
        return healthy or [t for t in near if group.states[t] in REGISTERED]

    def _reachable(self, listener: Listener, target: Target) -> bool:
        machine = self.machines.get(target.id)
        zones = listener.balancer.private
        if machine is None or machine.zone not in zones:
            return False
        return listener.balancer.cross_zone or machine.zone == listener.zone

    def admits(self, listener: Listener, client: str, transport: str = "tcp") -> bool:
        """Whether the load balancer's own security groups admit a client."""
        return self._passes(
            listener.balancer.groups,
            egress=False,
            port=listener.port,
            peer=Peer(address=client),
            transport=transport,
        )

    def lets_through(
        self, balancer: Balancer, machine: Machine, port: int, source: str, transport: str = "tcp"
    ) -> bool:
        """Whether a connection is allowed out of the load balancer and into the machine.

        `source` is the client's address with client IP preservation, otherwise the load balancer's.
        """
        machine_end = Peer(address=machine.address, groups=machine.groups)
        balancer_end = Peer(address=source, groups=balancer.groups)
        return self._passes(
            balancer.groups, egress=True, port=port, peer=machine_end, transport=transport
        ) and allowed(
            self.rules, machine.groups, egress=False, port=port, peer=balancer_end, transport=transport
        )

    def _passes(self, groups: frozenset[str], *, egress: bool, port: int, peer: Peer, transport: str) -> bool:
        """Whether the rules pass; an NLB without a security group filters nothing (source 7)."""
        return not groups or allowed(
            self.rules, groups, egress=egress, port=port, peer=peer, transport=transport
        )


def read(elb: "ElasticLoadBalancingv2Client", ec2: "EC2Client") -> World:
    """Read the whole world: a call for each unpaged list, then a call for each load balancer and group."""
    listeners: list[Listener] = []
    groups: dict[str, Group] = {}
    owners: dict[str, Balancer] = {}
    described_balancers = elb.describe_load_balancers()["LoadBalancers"]
    interfaces = ec2.describe_network_interfaces()["NetworkInterfaces"]
    for described in described_balancers:
        if described["Type"] != "network":
            continue
        balancer = _balancer(elb, described, interfaces)
        listeners += _listeners(elb, described, balancer)
        for group in elb.describe_target_groups(LoadBalancerArn=balancer.arn)["TargetGroups"]:
            groups[group["TargetGroupArn"]] = _group(elb, group)
            owners[group["TargetGroupArn"]] = balancer
    return World(
        listeners=tuple(listeners),
        groups=groups,
        owners=owners,
        machines=_machines(ec2),
        rules=tuple(
            rule
            for page in ec2.get_paginator("describe_security_group_rules").paginate()
            for described_rule in page["SecurityGroupRules"]
            for rule in _rules(ec2, described_rule)
        ),
    )


def _balancer(
    elb: "ElasticLoadBalancingv2Client",
    described: "LoadBalancerTypeDef",
    interfaces: "Sequence[NetworkInterfaceTypeDef]",
) -> Balancer:
    """Return a load balancer with the addresses of its network interfaces (described `ELB net/NAME/ID`)."""
    answer = elb.describe_load_balancer_attributes(LoadBalancerArn=described["LoadBalancerArn"])
    attributes = {a["Key"]: a["Value"] for a in answer["Attributes"]}
    return Balancer(
        arn=described["LoadBalancerArn"],
        groups=frozenset(described.get("SecurityGroups", [])),
        cross_zone=attributes.get("load_balancing.cross_zone.enabled") == "true",
        private={
            one["AvailabilityZone"]: one["PrivateIpAddress"]
            for one in interfaces
            if one["Description"] == f"ELB {described['LoadBalancerArn'].partition(':loadbalancer/')[2]}"
        },
    )


def _listeners(
    elb: "ElasticLoadBalancingv2Client", described: "LoadBalancerTypeDef", balancer: Balancer
) -> list[Listener]:
    public = {
        zone["ZoneName"]: address["IpAddress"]
        for zone in described["AvailabilityZones"]
        for address in zone.get("LoadBalancerAddresses", [])
        if address.get("IpAddress")
    }
    addresses = balancer.private if described.get("Scheme") == "internal" else public
    return [
        Listener(
            address=address,
            port=listener["Port"],
            zone=zone,
            balancer=balancer,
            target_groups=_weights(listener["DefaultActions"][0]),
            protocol=listener["Protocol"],
        )
        for listener in elb.describe_listeners(LoadBalancerArn=balancer.arn)["Listeners"]
        for zone, address in addresses.items()
        # No interface: the zone was added or removed between two calls, and the revision changes again.
        if zone in balancer.private
    ]


def _weights(action: "ActionOutputTypeDef") -> dict[str, int]:
    """Return the weights of a forward action's groups; a single group needs none."""
    groups = action["ForwardConfig"].get("TargetGroups", [])
    if len(groups) == 1:
        return {groups[0]["TargetGroupArn"]: 1}
    return {group["TargetGroupArn"]: group["Weight"] for group in groups}


def _group(elb: "ElasticLoadBalancingv2Client", described: "TargetGroupTypeDef") -> Group:
    arn = described["TargetGroupArn"]
    answer = elb.describe_target_group_attributes(TargetGroupArn=arn)
    attributes = {a["Key"]: a["Value"] for a in answer["Attributes"]}
    health = elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    keyed = [(Target(t["Target"]["Id"], t["Target"]["Port"]), t["TargetHealth"]) for t in health]
    return Group(
        arn=arn,
        check=_check(described),
        states={target: health["State"] for target, health in keyed},
        reasons={target: health.get("Reason", "") for target, health in keyed},
        # The default is true: established flows are cut when a target turns unhealthy (source 4).
        cut_unhealthy=attributes.get("target_health_state.unhealthy.connection_termination.enabled")
        != "false",
        preserve_client_ip=attributes.get("preserve_client_ip.enabled") != "false",
    )


def _check(described: "TargetGroupTypeDef") -> HealthCheck:
    port = described["HealthCheckPort"]
    return HealthCheck(
        protocol=described["HealthCheckProtocol"],
        port=None if port == "traffic-port" else int(port),
        path=described.get("HealthCheckPath", "/"),
        interval=described["HealthCheckIntervalSeconds"],
        timeout=described["HealthCheckTimeoutSeconds"],
        healthy=described["HealthyThresholdCount"],
        unhealthy=described["UnhealthyThresholdCount"],
        matcher=described.get("Matcher", {}).get("HttpCode", "200-399"),
    )


def _machines(ec2: "EC2Client") -> dict[str, Machine]:
    return {
        instance["InstanceId"]: Machine(
            id=instance["InstanceId"],
            address=instance["PrivateIpAddress"],
            zone=instance["Placement"]["AvailabilityZone"],
            groups=frozenset(group["GroupId"] for group in instance.get("SecurityGroups", [])),
        )
        for page in ec2.get_paginator("describe_instances").paginate()
        for reservation in page["Reservations"]
        for instance in reservation["Instances"]
        if instance.get("PrivateIpAddress")
    }


def _rules(ec2: "EC2Client", described: "SecurityGroupRuleTypeDef") -> list[Rule]:
    """Return the rule; a prefix list becomes a rule for each of its networks."""
    if listed := described.get("PrefixListId"):
        entries = ec2.get_managed_prefix_list_entries(PrefixListId=listed)["Entries"]
        peers = [entry["Cidr"] for entry in entries]
    else:
        group = described.get("ReferencedGroupInfo", {}).get("GroupId", "")
        peers = [described.get("CidrIpv4") or described.get("CidrIpv6") or group]
    return [
        Rule(
            group=described["GroupId"],
            egress=described["IsEgress"],
            protocol=described["IpProtocol"],
            from_port=described.get("FromPort", -1),
            to_port=described.get("ToPort", -1),
            peer=peer,
        )
        for peer in peers
    ]
