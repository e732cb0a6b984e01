"""Check that given Elastic IPs and subnets are free for the load balancer."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from pulumi_aws import ec2

from .kept import STACK_TAG, ZONE_TAG
from .keys import Settings
from .loadbalancerkeys import DUALSTACK
from .problems import Change, Problem
from .reads import Reading
from .shapes import child

# For a load balancer with public addresses ("Availability Zones for your Network Load Balancer").
FREE_ADDRESSES: Final = 8
_INTERFACES: Final = "ec2:DescribeNetworkInterfaces"


@dataclass(frozen=True, slots=True)
class Stack:
    """The component's name and its value of STACK_TAG.

    `names` are the load balancer's names in the configuration and in AWS, as far as known.
    """

    name: str
    mark: str
    names: frozenset[str] = frozenset()

    def balances(self, description: str) -> bool:
        """Return whether an interface's description is of a load balancer that this stack may have created.

        The program does not know the random part of the name, and `pulumi:autonaming` may change the rest.
        A name is unique in the region, so the name of `loadBalancer.name` is this stack's or refused by AWS.
        """
        found = re.match(r"ELB net/(?P<name>[^/]*)/", description)
        return found is not None and (self.name in found["name"] or found["name"] in self.names)

    @property
    def descriptions(self) -> list[str]:
        """Return the patterns of `balances` for a filter of AWS."""
        return [f"ELB net/*{self.name}*", *(f"ELB net/{name}/*" for name in sorted(self.names))]


def wrong_addresses(settings: Settings, stack: Stack, reading: Reading) -> Iterator[Problem]:
    """Report given Elastic IPs that are in use elsewhere, or that the stack created itself."""
    for zone, place in settings.zones.items():
        if not isinstance(place.allocation_id, str):  # absent, or an Output
            continue
        found = address(place.allocation_id, reading)
        if found is None or found.allocated is None:
            continue
        own = created_here(zone, found, settings, stack, reading)
        problem = own or held(zone, found, stack, reading)
        if problem:
            yield problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """An Elastic IP; `allocated` is None in a preview with an unconfigured provider."""

    allocated: str | None
    instance: str
    interface: str
    tags: Mapping[str, str]


def address(allocation_id: str, reading: Reading) -> Address | None:
    """Read an Elastic IP; None for a missing address, which infra/network.py reports."""
    try:
        found: Any = reading.attempt(
            "ec2:DescribeAddresses",
            "whether the addresses in zones are free",
            partial(ec2.get_elastic_ip, id=allocation_id),
        )
    except Exception:  # noqa: BLE001 (the SDK raises no narrower class for a failed function)
        return None
    return found and Address(
        allocated=found.public_ip and allocation_id,
        instance=found.instance_id or "",
        interface=found.network_interface_id or "",
        tags=found.tags or {},
    )


def created_here(
    zone: str, found: Address, settings: Settings, stack: Stack, reading: Reading
) -> Problem | None:
    """Return the problem of an address that the stack created: without its resource it would be released.

    Two exceptions: the choice among several kept addresses, which infra/network.py asks for, and a kept
    address of a zone that is no longer in the configuration.
    """
    path, keep, home = allocation(zone), settings.addresses.keep, found.tags.get(ZONE_TAG)
    if found.tags.get(STACK_TAG) != stack.mark or home is None:
        return None
    read = f"{found.allocated}, which this stack created for {home}"
    allowed = "an Elastic IP that the stack did not create"
    if home not in settings.zones:
        fix = f"set addresses.keep to true and run pulumi up with {home}, then move the address"
        return None if keep else Problem(path, read, allowed, fix)
    if home != zone and settings.zones[home].allocation_id is not None:
        return None
    if keep and several(home, stack, reading):
        return None
    after = "" if keep else ", and set addresses.keep to true so that the stack takes the address again"
    return Problem(path, read, allowed, Change(path, None, after=after))


def several(zone: str, stack: Stack, reading: Reading) -> bool:
    """Return whether the stack keeps several addresses for a zone; true where they cannot be read."""
    try:
        tags = {STACK_TAG: stack.mark, ZONE_TAG: zone}
        found = ec2.get_eips(tags=tags, opts=reading.options).allocation_ids
    except Exception:  # noqa: BLE001 (the SDK raises no narrower class for a failed function)
        return True
    return len(found or []) > 1


def held(zone: str, found: Address, stack: Stack, reading: Reading) -> Problem | None:
    """Return the problem of an address that an instance, a NAT gateway or another load balancer uses."""
    path, holder = allocation(zone), f"instance {found.instance}" if found.instance else ""
    if not holder and found.interface:
        try:
            interface: Any = reading.attempt(
                _INTERFACES,
                "whether another load balancer uses the addresses in zones",
                partial(ec2.get_network_interface, id=found.interface),
            )
        except Exception:  # noqa: BLE001 (the interface was deleted between the two reads)
            return None
        if interface is None:
            return None
        about = interface.description or ""
        foreign = found.tags.get(STACK_TAG, stack.mark) != stack.mark
        if stack.balances(about) and not foreign:
            return None
        holder = f"network interface {found.interface}" + (f" ({about})" if about else "")
    if not holder:
        return None
    fix = f"take the address from it, or remove {path} for a new address"
    return Problem(path, f"{found.allocated}, which {holder} uses", "an Elastic IP that is free", fix)


def wrong_subnets(settings: Settings, stack: Stack, reading: Reading) -> Iterator[Problem]:
    """Report subnets without IPv6, and without room for the load balancer where it is not there already."""
    for zone, place in settings.zones.items():
        subnet = place.subnet_id
        if not isinstance(subnet, str):
            continue
        try:
            read: Any = ec2.get_subnet(id=subnet, opts=reading.options)
        except Exception:  # noqa: BLE001, S112 (infra/network.py reports the failed read)
            continue
        path = child(child("zones", zone), "subnetId")
        # None: a preview with an unconfigured provider.
        if settings.load_balancer.dual_stack and read.ipv6_cidr_block == "":
            allowed = f"subnets with an IPv6 CIDR block with loadBalancer.ipAddressType {DUALSTACK}"
            fix = "associate an IPv6 CIDR block with the VPC and the subnet, and route ::/0"
            yield Problem(path, f"{subnet}, which has no IPv6 CIDR block", allowed, fix)
        free = read.available_ip_address_count  # None: a preview with an unconfigured provider
        if free is None or free >= FREE_ADDRESSES or there(subnet, stack, reading):
            continue
        allowed = f"a subnet with at least {FREE_ADDRESSES} free addresses, which AWS requires"
        fix = "free addresses in the subnet, or give another public subnet of the zone"
        yield Problem(path, f"{subnet}, which has {free} free addresses", allowed, fix)


def there(subnet: str, stack: Stack, reading: Reading) -> bool:
    """Return whether the stack's load balancer stands in a subnet; true where that cannot be read."""
    filters = [
        ec2.GetNetworkInterfacesFilterArgs(name="subnet-id", values=[subnet]),
        ec2.GetNetworkInterfacesFilterArgs(name="description", values=stack.descriptions),
    ]
    read = partial(ec2.get_network_interfaces, filters=filters)
    try:
        found: Any = reading.attempt(_INTERFACES, "whether the subnets have free addresses", read)
    except Exception:  # noqa: BLE001 (the SDK raises no narrower class for a failed function)
        return True
    return found is None or found.ids is None or bool(found.ids)


def allocation(zone: str) -> str:
    """Return the path of a zone's `allocationId`."""
    return child(child("zones", zone), "allocationId")
