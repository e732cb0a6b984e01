"""The keys of zones and of their Elastic IPs."""

from dataclasses import dataclass
from typing import Final

import pulumi

from .shapes import Flag, Optional, Rows, Text, declared

_OCTET: Final = r"(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
IPV4: Final = rf"{_OCTET}(\.{_OCTET}){{3}}"
ZONE_NAME: Final = r"[a-z]{2,}(-[a-z0-9]+)*-\d+[a-z]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """Where the load balancer stands in one availability zone, and on which address.

    `allocation_id` is an Elastic IP that exists already; None has one created. An internal load balancer has
    `private_address`, or an address chosen by AWS.
    """

    subnet_id: pulumi.Input[str] = declared(
        Text(
            output=True,
            reason="The public subnet of the load balancer in this zone; it makes the nodes of the zone "
            "reachable.",
            allowed="the id of a subnet of this zone",
            pattern=r"subnet-[0-9a-f]{8,17}",
            example="subnet-0123456789abcdef0",
        )
    )
    allocation_id: pulumi.Input[str] | None = declared(
        Optional(
            inner=Text(
                output=True,
                reason="An existing Elastic IP; absent: the stack creates an Elastic IP.",
                allowed="the allocation id of an unused Elastic IP",
                pattern=r"eipalloc-[0-9a-f]{8,17}",
                example="eipalloc-0123456789abcdef0",
            )
        )
    )
    private_address: str | None = declared(
        Optional(
            inner=Text(
                reason="The address of an internal load balancer; without it AWS chooses one.",
                allowed="a free IPv4 address of the subnet",
                pattern=IPV4,
                example="10.0.0.15",
            )
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """The fate of created Elastic IPs: kept when the stack is destroyed, protected from destruction."""

    keep: bool = declared(
        Flag(
            default=True,
            reason="Created addresses outlive the stack; the next `up` uses the same addresses.",
        )
    )
    protect: bool = declared(
        Flag(
            default=False,
            reason="true refuses to destroy or replace the addresses and the load balancer.",
        )
    )
    public_ipv4_pool: str | None = declared(
        Optional(
            inner=Text(
                reason="The pool of your own addresses (BYOIP) for new addresses; absent: AWS's addresses.",
                allowed="the id of a public IPv4 pool in EC2",
                pattern=r"ipv4pool-(ec2|coip)-[0-9a-f]{8,17}",
                example="ipv4pool-ec2-0123456789abcdef0",
            )
        )
    )
    ipam_pool_id: str | None = declared(
        Optional(
            inner=Text(
                reason="The IPAM pool for new addresses, with your own or with contiguous addresses of AWS.",
                allowed="the id of an IPAM pool",
                pattern=r"ipam-pool-[0-9a-f]{8,17}",
                example="ipam-pool-0123456789abcdef0",
            )
        )
    )
    release: tuple[str, ...] = declared(
        Rows(
            item=Text(
                reason="A zone whose created address is released.",
                allowed="an availability zone such as eu-central-1a",
                pattern=ZONE_NAME,
                example="eu-central-1a",
            ),
            default=[],
            reason="Removed zones whose created address `python -m infra.zones --apply` releases; no edit "
            "releases an address of another zone.",
            allowed="a list of availability zones",
        )
    )
