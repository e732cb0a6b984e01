"""The EC2 resources of ELBv2 in moto's backend: instances, subnets, Elastic IPs and interfaces."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any

from sandbox.cloud.addresses import LOAD_BALANCER_HOSTS, elastic_ip, instance_ip
from sandbox.cloud.errors import AwsError
from sandbox.cloud.interfaces import make_managed
from sandbox.cloud.rules import Rules
from sandbox.elbv2.account import Instance


@dataclass(frozen=True, slots=True)
class Subnet:
    """A subnet of a VPC in one availability zone."""

    subnet_id: str
    vpc_id: str
    zone: str
    zone_id: str
    cidr: str
    ipv6_cidr: str  # "" without one


@dataclass(frozen=True, slots=True)
class Interface:
    """A load balancer's network interface in a zone, with its Elastic IP if present."""

    interface_id: str
    private_ip: str
    public_ip: str | None


@dataclass(frozen=True, slots=True)
class MetadataOptions:
    """An instance's metadata options; `tokens` is `required` or `optional`."""

    profile_arn: str
    hop_limit: int
    tokens: str


class Ec2:
    """EC2 of an account in a Region; Elastic IPs are addresses of network `elastic`."""

    def __init__(self, account: str, region: str, elastic: IPv4Network) -> None:
        from moto.ec2.models import ec2_backends  # noqa: PLC0415 (takes a second; only the server needs moto)

        self._backend: Any = ec2_backends[account][region]
        self.rules = Rules(self._backend)
        self._elastic = elastic
        self._chance = random.SystemRandom()
        self._seen: dict[str, tuple[Any, str, str]] = {}

    def instance(self, instance_id: str) -> Instance | None:
        """Return the instance, also a terminated instance; None for an unknown id."""
        if instance_id not in self._seen:
            for reservation in self._backend.reservations.values():
                # VPC and zone of an instance are constant, and no instance is removed.
                for found in reservation.instances:
                    place = (found.vpc_id or "", found.availability_zone or "")
                    self._seen.setdefault(found.id, (found, *place))
        if instance_id not in self._seen:
            return None
        known, vpc_id, zone = self._seen[instance_id]
        return Instance(known.state, zone, vpc_id)

    def metadata_options(self, instance_id: str) -> MetadataOptions:
        """Return the metadata options of an instance. Raises AwsError InvalidInstanceID.NotFound."""
        self.instance(instance_id)
        if instance_id not in self._seen:
            text = f"The instance ID '{instance_id}' does not exist"
            raise AwsError("InvalidInstanceID.NotFound", text)
        options = self._seen[instance_id][0].metadata_options
        held = self._backend.iam_instance_profile_associations.get(instance_id)
        profile = held.iam_instance_profile.arn if held else ""
        return MetadataOptions(profile, int(options.http_put_response_hop_limit), options.http_tokens)

    def subnet(self, subnet_id: str) -> Subnet:
        """Return the subnet. Raises AwsError SubnetNotFound."""
        for zone in self._backend.subnets.values():
            if subnet_id in zone:
                found = zone[subnet_id]
                return Subnet(
                    found.id,
                    found.vpc_id,
                    found.availability_zone,
                    found.availability_zone_id,
                    found.cidr_block,
                    _ipv6_block(found),
                )
        raise AwsError("SubnetNotFound", f"The subnet ID '{subnet_id}' does not exist")

    def security_group_vpc(self, group_id: str) -> str | None:
        """Return the VPC of a security group; None for an unknown group."""
        group = self._backend.get_security_group_from_id(group_id)
        return None if group is None else group.vpc_id

    @property
    def endpoint_services(self) -> dict[str, Any]:
        """Return the endpoint services in moto's backend by id."""
        found: dict[str, Any] = self._backend.configurations
        return found

    def has_endpoint_service(self, load_balancer_arn: str) -> bool:
        """Return whether a load balancer belongs to an endpoint service."""
        services = self.endpoint_services.values()
        return any(load_balancer_arn in each.network_load_balancer_arns for each in services)

    def vpc_exists(self, vpc_id: str) -> bool:
        """Whether the VPC exists."""
        return vpc_id in self._backend.vpcs

    def require_free(self, allocation_ids: list[str]) -> None:
        """Raise the error of CreateLoadBalancer for Elastic IPs that are unknown or in use (source 8)."""
        by_id = {address.allocation_id: address for address in self._backend.addresses}
        if unknown := [one for one in allocation_ids if one not in by_id]:
            raise AwsError("AllocationIdNotFound", f"The allocation IDs {_quoted(unknown)} do not exist")
        taken = [one for one in allocation_ids if by_id[one].association_id]
        if taken or len(set(allocation_ids)) < len(allocation_ids):
            raise AwsError("ResourceInUse", "The allocation IDs are not available for use")

    def attach(
        self, subnet: Subnet, allocation_id: str | None, groups: list[str], owner: str, private_ip: str | None
    ) -> Interface:
        """Create the interface of load balancer `owner` (`net/NAME/ID`) in `subnet`, with the Elastic IP."""
        interface = self._backend.create_network_interface(
            subnet.subnet_id,
            private_ip or next(self._free_hosts(subnet)),
            group_ids=groups or None,
            description=f"ELB {owner}",
        )
        if not groups:
            interface._group_set = []  # noqa: SLF001 (moto adds the VPC's default group; AWS adds none)
        make_managed(interface)
        address = None
        if allocation_id:
            address = self._backend.associate_address(eni=interface, allocation_id=allocation_id).public_ip
        return Interface(interface.id, interface.private_ip_address, address)

    def detach(self, interface_id: str) -> None:
        """Delete a load balancer's interface and free its Elastic IP."""
        interface = self._backend.get_network_interface(interface_id)
        if interface.public_ip:
            self._backend.disassociate_address(address=interface.public_ip)
        self._backend.delete_network_interface(interface_id)

    def set_groups(self, interface_id: str, groups: list[str]) -> None:
        """Replace the security groups of an interface."""
        interface = self._backend.get_network_interface(interface_id)
        interface._group_set = [  # noqa: SLF001 (modify_network_interface_attribute ignores an empty list)
            self._backend.get_security_group_from_id(group) for group in groups
        ]

    def unused_public_ip(self) -> str:
        """Return an address for a new Elastic IP."""
        taken = {address.public_ip for address in self._backend.addresses}
        return elastic_ip(self._chance, self._elastic, taken)

    def unused_private_ip(self, subnet_id: str) -> str | None:
        """Return an address for a new instance; None for an unknown or a small subnet: moto then chooses."""
        for zone in self._backend.subnets.values():
            if subnet_id in zone:
                taken = {interface.private_ip_address for interface in self._backend.enis.values()}
                return instance_ip(self._chance, IPv4Network(zone[subnet_id].cidr_block), taken)
        return None

    def require_unused_group(self, group_id: str) -> None:
        """Raise DependencyViolation while an interface or a rule of another group uses the group."""
        for interface in self._backend.enis.values():
            if not _of_terminated(interface) and group_id in {group.id for group in interface.group_set}:
                raise AwsError("DependencyViolation", f"resource {group_id} has a dependent object")
        self.rules.require_unnamed(group_id)

    def require_own(self, address_id: str) -> None:
        """Raise AWS's error for a release or disassociation of an Elastic IP in use.

        `address_id` is the allocation id of a release or the association id of a disassociation. AWS too
        returns the misleading AuthFailure for a load balancer's Elastic IP (terraform-provider-aws issue
        33645).
        """
        for address in self._backend.addresses:
            ids = {address.allocation_id, address.association_id}
            if address_id in ids and address.eni and address.eni.requester_managed:
                raise AwsError("AuthFailure", "You do not have permission to access the specified resource.")
            if address_id == address.allocation_id and address.association_id:
                raise AwsError("InvalidIPAddress.InUse", f"Address {address.public_ip} is in use.")

    def _free_hosts(self, subnet: Subnet) -> Iterator[str]:
        network = IPv4Network(subnet.cidr)
        taken = {
            interface.private_ip_address
            for interface in self._backend.enis.values()
            if interface.subnet_id == subnet.subnet_id
        }
        for host in LOAD_BALANCER_HOSTS:
            if str(network[host]) not in taken:
                yield str(network[host])
        raise AwsError("InvalidSubnet", f"Not enough IP space available in {subnet.subnet_id}")


def _ipv6_block(subnet: Any) -> str:
    """Return the IPv6 CIDR block that is associated with a subnet of moto, or ""."""
    blocks = (
        each["ipv6CidrBlock"]
        for each in subnet.ipv6_cidr_block_associations.values()
        if each["ipv6CidrBlockState"]["State"] == "associated"
    )
    return str(next(blocks, ""))


def _of_terminated(interface: Any) -> bool:
    return interface.instance is not None and interface.instance.state == "terminated"


def _quoted(names: list[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
