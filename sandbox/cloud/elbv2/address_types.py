"""Load balancers with IPv4 addresses alone, or with IPv6 addresses too (dualstack)."""

from collections.abc import Iterable, Sequence
from ipaddress import ip_address, ip_network

from sandbox.cloud.ec2 import Subnet
from sandbox.cloud.errors import AwsError, AwsValidationError
from sandbox.cloud.query import Structure

IPV4 = "ipv4"
DUALSTACK = "dualstack"


def require_type(kind: str, scheme: str, subnets: Iterable[Subnet], protocols: Iterable[str]) -> None:
    """Refuse dualstack of an internal load balancer, in subnets without IPv6, and beside UDP listeners.

    The message about subnets is AWS's (aws-load-balancer-controller#4852); internal load balancers must use
    ipv4 by AWS's API reference (SetIpAddressType).
    """
    if kind not in {IPV4, DUALSTACK}:
        raise AwsError(
            "InvalidConfigurationRequest",
            f"The IP address type '{kind}' is not supported for load balancers of type 'network'",
        )
    if kind == DUALSTACK and scheme == "internal":
        raise AwsError("InvalidConfigurationRequest", "Internal load balancers must use ipv4")
    if kind == DUALSTACK and not all(subnet.ipv6_cidr for subnet in subnets):
        raise AwsValidationError("You must specify subnets with an associated IPv6 CIDR block.")
    for protocol in protocols:
        require_protocol(kind, protocol)


def require_protocol(kind: str, protocol: str) -> None:
    """Refuse UDP beside dualstack: AWS requires IPv6 prefixes for source NAT, which have no simulation."""
    if kind == DUALSTACK and protocol in {"UDP", "TCP_UDP"}:
        raise AwsError(
            "InvalidConfigurationRequest",
            f"A listener of protocol '{protocol}' on a load balancer with the IP address type 'dualstack' "
            "requires EnablePrefixForIpv6SourceNat",
        )


def require_addresses(kind: str, subnets: Sequence[Subnet], mappings: Sequence[Structure]) -> None:
    """Refuse an IPv6 address of an IPv4 load balancer, and an address outside its subnet."""
    for subnet, mapping in zip(subnets, mappings, strict=True):
        address = mapping.get("IPv6Address")
        if address and kind != DUALSTACK:
            raise AwsError(
                "InvalidConfigurationRequest",
                "An IPv6 address can be specified only with the IP address type 'dualstack'",
            )
        if address and ip_address(address) not in ip_network(subnet.ipv6_cidr):
            raise AwsError(
                "InvalidConfigurationRequest",
                f"The IPv6 address '{address}' is not in the subnet '{subnet.subnet_id}'",
            )
