"""CreateLoadBalancer and the actions on subnets and security groups of a load balancer."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network

from sandbox.cloud.ec2 import Subnet
from sandbox.cloud.elbv2 import address_types, attributes
from sandbox.cloud.elbv2.records import LoadBalancer, Zone
from sandbox.cloud.elbv2.store import Elbv2, named
from sandbox.cloud.errors import AwsError, AwsValidationError
from sandbox.cloud.query import Structure
from sandbox.layout import REGION

_HOSTED_ZONE = "Z3F0SRJ5LGBH90"  # Network Load Balancers of eu-central-1
_NAME = re.compile(r"(?!internal-)[A-Za-z0-9](?:[A-Za-z0-9-]{0,30}[A-Za-z0-9])?")


def create(cloud: Elbv2, params: Structure) -> Structure:
    """CreateLoadBalancer: all checks come before the first change."""
    if params.get("Type") != "network":
        raise AwsValidationError("The sandbox simulates load balancers of type 'network' only")
    name = _valid_name(cloud, params["Name"])
    mappings = _mappings(params)
    subnets = _one_a_zone([cloud.ec2.subnet(mapping["SubnetId"]) for mapping in mappings])
    groups = params.get("SecurityGroups", [])
    _require_groups(cloud, groups, subnets[0].vpc_id)
    scheme = params.get("Scheme", "internet-facing")
    _require_addresses(scheme, subnets, mappings)
    kind = params.get("IpAddressType", address_types.IPV4)
    address_types.require_type(kind, scheme, subnets, ())
    address_types.require_addresses(kind, subnets, mappings)
    cloud.ec2.require_free([one["AllocationId"] for one in mappings if one.get("AllocationId")])
    arn = cloud.new_arn("loadbalancer", f"net/{name}")
    made = LoadBalancer(
        arn=arn,
        name=name,
        dns_name=f"{name}-{arn.rpartition('/')[2]}.elb.{REGION}.amazonaws.com",
        scheme=scheme,
        vpc_id=subnets[0].vpc_id,
        ip_address_type=kind,
        created=datetime.now(UTC),
        active_at=cloud.clock() + cloud.faults.provisioning_s,
        security_groups=groups,
        attributes=dict(attributes.LOAD_BALANCER),
        tags=named(params.get("Tags")),
    )
    for subnet, mapping in zip(subnets, mappings, strict=True):
        made.zones[subnet.zone] = _enter(cloud, made, subnet, mapping)
    cloud.load_balancers[arn] = made
    return {"LoadBalancers": [described(cloud, made)]}


def describe(cloud: Elbv2, params: Structure) -> Structure:
    """DescribeLoadBalancers: all, by ARN or by name; an unknown load balancer is an error."""
    every = list(cloud.load_balancers.values())
    arns, names = params.get("LoadBalancerArns", []), params.get("Names", [])
    if arns:
        every = [cloud.load_balancer(arn) for arn in arns]
    elif names:
        every = [one for one in every if one.name in names]
        missing = sorted(set(names) - {one.name for one in every})
        if missing:
            raise AwsError("LoadBalancerNotFound", f"Load balancers '[{', '.join(missing)}]' not found")
    return {"LoadBalancers": [described(cloud, one) for one in every]}


def described(cloud: Elbv2, one: LoadBalancer) -> Structure:
    """Return a load balancer in the API's form."""
    return {
        "LoadBalancerArn": one.arn,
        "DNSName": one.dns_name,
        "CanonicalHostedZoneId": _HOSTED_ZONE,
        "CreatedTime": one.created,
        "LoadBalancerName": one.name,
        "Scheme": one.scheme,
        "VpcId": one.vpc_id,
        "State": {"Code": "active" if cloud.clock() >= one.active_at else "provisioning"},
        "Type": "network",
        "AvailabilityZones": [zone.described() for zone in one.zones.values()],
        "SecurityGroups": one.security_groups or None,
        "IpAddressType": one.ip_address_type,
        "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic": (
            one.enforce_on_private_link if one.security_groups else None
        ),
        "EnablePrefixForIpv6SourceNat": "off",
    }


def delete(cloud: Elbv2, params: Structure) -> Structure:
    """DeleteLoadBalancer: also listeners, and interfaces at once or later; succeeds if unknown."""
    one = cloud.load_balancers.get(params["LoadBalancerArn"])
    if one is None:
        return {}
    if one.attributes["deletion_protection.enabled"] == "true":
        raise AwsError(
            "OperationNotPermitted",
            f"Load balancer '{one.arn}' cannot be deleted because deletion protection is enabled",
        )
    if cloud.ec2.has_endpoint_service(one.arn):
        text = "cannot be deleted because it is currently associated with another service"
        raise AwsError("ResourceInUse", f"Load balancer '{one.arn}' {text}")
    for listener in cloud.listeners_of(one.arn):
        del cloud.listeners[listener.arn]
    del cloud.load_balancers[one.arn]
    cloud.leave_behind([zone.interface_id for zone in one.zones.values()])
    return {}


def set_security_groups(cloud: Elbv2, params: Structure) -> Structure:
    """SetSecurityGroups: only for a load balancer created with a security group (source 7)."""
    one = cloud.load_balancer(params["LoadBalancerArn"])
    groups = params["SecurityGroups"]
    if not one.security_groups:
        raise AwsError(
            "InvalidConfigurationRequest",
            "You cannot add security groups to a Network Load Balancer that was created without one",
        )
    if not groups:
        raise AwsError(
            "InvalidConfigurationRequest", "You cannot remove all security groups of a Network Load Balancer"
        )
    _require_groups(cloud, groups, one.vpc_id)
    one.security_groups = groups
    one.enforce_on_private_link = params.get(
        "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic", one.enforce_on_private_link
    )
    for zone in one.zones.values():
        cloud.ec2.set_groups(zone.interface_id, groups)
    return {
        "SecurityGroupIds": groups,
        "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic": one.enforce_on_private_link,
    }


def set_subnets(cloud: Elbv2, params: Structure) -> Structure:
    """SetSubnets: the full list; adds and removes zones, a kept zone keeps subnet and address (source 8)."""
    one = cloud.load_balancer(params["LoadBalancerArn"])
    mappings = _mappings(params)
    subnets = _one_a_zone([cloud.ec2.subnet(mapping["SubnetId"]) for mapping in mappings])
    _require_kept(one, subnets, mappings)
    _require_addresses(one.scheme, subnets, mappings)
    kind = params.get("IpAddressType", one.ip_address_type)
    address_types.require_type(
        kind, one.scheme, subnets, [each.protocol for each in cloud.listeners_of(one.arn)]
    )
    address_types.require_addresses(kind, subnets, mappings)
    joining = [
        (subnet, mapping)
        for subnet, mapping in zip(subnets, mappings, strict=True)
        if subnet.zone not in one.zones
    ]
    cloud.ec2.require_free([mapping["AllocationId"] for _, mapping in joining if mapping.get("AllocationId")])
    leaving = set(one.zones) - {subnet.zone for subnet in subnets}
    if leaving and cloud.ec2.has_endpoint_service(one.arn):
        text = (
            "Subnets cannot be removed from load balancer because the load balancer is currently associated"
        )
        raise AwsError("ResourceInUse", f"{text} with another service")
    cloud.leave_behind([one.zones.pop(name).interface_id for name in leaving])
    for subnet, mapping in joining:
        one.zones[subnet.zone] = _enter(cloud, one, subnet, mapping)
    one.ip_address_type = kind
    return {
        "AvailabilityZones": [zone.described() for zone in one.zones.values()],
        "IpAddressType": one.ip_address_type,
        "EnablePrefixForIpv6SourceNat": "off",
    }


def set_ip_address_type(cloud: Elbv2, params: Structure) -> Structure:
    """SetIpAddressType: in place, where the subnets and the listeners allow the type."""
    one = cloud.load_balancer(params["LoadBalancerArn"])
    kind = params["IpAddressType"]
    subnets = [cloud.ec2.subnet(zone.subnet_id) for zone in one.zones.values()]
    address_types.require_type(
        kind, one.scheme, subnets, [each.protocol for each in cloud.listeners_of(one.arn)]
    )
    one.ip_address_type = kind
    if kind == address_types.IPV4:
        one.zones = {name: replace(zone, ipv6_address=None) for name, zone in one.zones.items()}
    return {"IpAddressType": one.ip_address_type}


def _valid_name(cloud: Elbv2, name: str) -> str:
    if not _NAME.fullmatch(name):
        raise AwsValidationError(
            f"The load balancer name '{name}' must be 1 to 32 letters, digits or hyphens, "
            "not begin or end with a hyphen nor begin with 'internal-'"
        )
    if any(one.name == name for one in cloud.load_balancers.values()):
        raise AwsError(
            "DuplicateLoadBalancerName",
            f"A load balancer with the same name '{name}' exists, but with different settings",
        )
    if len(cloud.load_balancers) >= cloud.faults.quotas["network-load-balancers"]:
        raise AwsError("TooManyLoadBalancers", "The maximum number of load balancers has been reached")
    return name


def _mappings(params: Structure) -> list[Structure]:
    mappings: list[Structure] = params.get("SubnetMappings") or [
        {"SubnetId": subnet} for subnet in params.get("Subnets", [])
    ]
    if not mappings:
        raise AwsValidationError("You must specify either subnets or subnet mappings")
    return mappings


def _one_a_zone(subnets: list[Subnet]) -> list[Subnet]:
    zones = [subnet.zone for subnet in subnets]
    if len(set(zones)) < len(zones):
        raise AwsError(
            "InvalidConfigurationRequest",
            "A load balancer cannot be attached to multiple subnets in the same Availability Zone",
        )
    if len({subnet.vpc_id for subnet in subnets}) > 1:
        raise AwsError("InvalidConfigurationRequest", "All subnets must belong to the same VPC")
    return subnets


def _require_addresses(scheme: str, subnets: list[Subnet], mappings: list[Structure]) -> None:
    """Elastic IPs belong to internet-facing load balancers, private addresses to internal ones."""
    internal = scheme == "internal"
    for subnet, mapping in zip(subnets, mappings, strict=True):
        private = mapping.get("PrivateIPv4Address")
        if internal and mapping.get("AllocationId"):
            raise AwsError(
                "InvalidConfigurationRequest", "An internal load balancer cannot have Elastic IP addresses"
            )
        if private and not internal:
            raise AwsError(
                "InvalidConfigurationRequest",
                "A private IPv4 address can be specified for an internal load balancer only",
            )
        if private and ip_address(private) not in ip_network(subnet.cidr):
            raise AwsError(
                "InvalidConfigurationRequest",
                f"The private IPv4 address '{private}' is not in the subnet '{subnet.subnet_id}'",
            )


def _require_groups(cloud: Elbv2, groups: list[str], vpc_id: str) -> None:
    for group in groups:
        if cloud.ec2.security_group_vpc(group) != vpc_id:
            raise AwsError("InvalidSecurityGroup", f"The security group '{group}' does not exist in {vpc_id}")


def _require_kept(one: LoadBalancer, subnets: list[Subnet], mappings: list[Structure]) -> None:
    for subnet, mapping in zip(subnets, mappings, strict=True):
        kept = one.zones.get(subnet.zone)
        if kept is None:
            continue
        if kept.subnet_id != subnet.subnet_id:
            raise AwsError(
                "InvalidConfigurationRequest",
                f"The subnet of an enabled Availability Zone cannot be changed: remove {subnet.zone} first",
            )
        if mapping.get("AllocationId", kept.allocation_id) != kept.allocation_id:
            raise AwsError(
                "InvalidConfigurationRequest",
                f"The Elastic IP address of an enabled Availability Zone cannot be changed: {subnet.zone}",
            )


def _enter(cloud: Elbv2, one: LoadBalancer, subnet: Subnet, mapping: Structure) -> Zone:
    allocation, asked = mapping.get("AllocationId"), mapping.get("PrivateIPv4Address")
    held = cloud.ec2.attach(subnet, allocation, one.security_groups, one.path, asked)
    return Zone(
        subnet.zone,
        subnet.subnet_id,
        held.interface_id,
        held.private_ip,
        allocation,
        held.public_ip,
        asked,
        mapping.get("IPv6Address"),
    )
