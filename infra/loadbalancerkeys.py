"""The keys of `loadBalancer`: scheme, name, attributes, access logs, and further ways in for clients."""

from dataclasses import dataclass
from typing import Final

import pulumi

from .shapes import Flag, Optional, Record, Rows, Text, Whole, declared

INTERNAL: Final = "internal"
DUALSTACK: Final = "dualstack"
LOAD_BALANCER_NAME: Final = r"(?!internal-)[A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?"
MOST_CAPACITY_UNITS: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessLogs:
    """Access logs in an S3 bucket; `enabled` is None where the stack does not manage them."""

    enabled: bool | None = declared(
        Optional(
            inner=Flag(
                reason="true writes logs to `bucket`, false turns logs off, absent: not managed. AWS logs "
                "connections of TLS listeners only.",
            )
        )
    )
    bucket: pulumi.Input[str] | None = declared(
        Optional(
            inner=Text(
                output=True,
                reason="A bucket of the same Region with a policy for delivery.logs.amazonaws.com.",
                allowed="the name of an S3 bucket",
                pattern=r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
                example="my-nlb-logs",
            )
        )
    )
    prefix: str = declared(
        Text(
            reason="The folder in the bucket.",
            allowed="a path without a slash at its ends, at most 255 characters; empty for none",
            pattern=r"([!-.0-~]([ -~]{0,253}[!-.0-~])?)?",
            default="",
            example="prod",
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadBalancer:
    """The load balancer's own settings. None stands for an attribute that the stack does not manage."""

    scheme: str = declared(
        Text(
            reason="internal: private addresses without Elastic IPs, for clients inside the VPC.",
            allowed="internet-facing or internal",
            choices=("internet-facing", INTERNAL),
            default="internet-facing",
            example="internet-facing",
        )
    )
    ip_address_type: str = declared(
        Text(
            reason="dualstack: clients connect over IPv6 too, and the load balancer translates to the nodes' "
            "IPv4 addresses. IPv6 networks of clients belong in clientCidrs.",
            allowed="ipv4 or dualstack",
            choices=("ipv4", DUALSTACK),
            default="ipv4",
            example="ipv4",
        )
    )
    name: str | None = declared(
        Optional(
            inner=Text(
                reason="The name in AWS; absent: node-nlb- and a random suffix.",
                allowed="1 to 32 letters, digits and hyphens, without a hyphen at the ends and without "
                "internal- at the start",
                pattern=LOAD_BALANCER_NAME,
                example="prod-ingress",
            )
        )
    )
    deletion_protection: bool | None = declared(
        Optional(
            inner=Flag(
                reason="true makes AWS refuse to delete the load balancer, also by `pulumi destroy` or for a "
                "replacement."
            ),
            default=False,
        )
    )
    zonal_shift: bool | None = declared(
        Optional(
            inner=Flag(reason="true allows Application Recovery Controller to shift a zone away."),
            default=False,
        )
    )
    dns_client_routing: str | None = declared(
        Optional(
            inner=Text(
                reason="The zones in DNS answers to clients inside the VPC: any zone, the client's zone in "
                "85 percent of the answers, or only the client's zone.",
                allowed="any_availability_zone, partial_availability_zone_affinity or "
                "availability_zone_affinity",
                choices=(
                    "any_availability_zone",
                    "partial_availability_zone_affinity",
                    "availability_zone_affinity",
                ),
                example="any_availability_zone",
            ),
            default="any_availability_zone",
        )
    )
    minimum_capacity: int | None = declared(
        Optional(
            inner=Whole(
                low=0,
                high=MOST_CAPACITY_UNITS,
                unit="capacity units (LCU)",
                reason="Reserved capacity, 2.2 Mbit/s a unit, charged while reserved; 0 for none. AWS "
                "allows no reservation with TLS listeners, and two decreases a day.",
            ),
            default=0,
        )
    )
    enforce_private_link: bool | None = declared(
        Optional(
            inner=Flag(
                reason="false exempts traffic of PrivateLink endpoints from the security groups' inbound "
                "rules; absent: AWS's value, true by default.",
            )
        )
    )
    access_logs: AccessLogs = declared(
        Record(build=AccessLogs, reason="Logs of TLS requests, in an S3 bucket.")
    )
    security_group_ids: tuple[pulumi.Input[str], ...] = declared(
        Rows(
            item=Text(
                output=True,
                reason="A security group of another owner.",
                allowed="the id of a security group",
                pattern=r"sg-[0-9a-f]{8,17}",
                example="sg-0123456789abcdef0",
            ),
            reason="Further security groups of the load balancer. The stack does not change their rules.",
            allowed="a list of security group ids",
            default=[],
        )
    )
    client_prefix_lists: tuple[str, ...] = declared(
        Rows(
            item=Text(
                reason="A prefix list of clients.",
                allowed="the id of a prefix list",
                pattern=r"pl-[0-9a-f]{8,17}",
                example="pl-0123456789abcdef0",
            ),
            reason="Prefix lists of clients beside clientCidrs. Each counts with its maximum of entries "
            "against AWS's quota of 60 rules.",
            allowed="a list of prefix list ids",
            default=[],
        )
    )

    @property
    def internal(self) -> bool:
        """Return whether the load balancer has private addresses alone."""
        return self.scheme == INTERNAL

    @property
    def dual_stack(self) -> bool:
        """Return whether clients may connect over IPv6 too."""
        return self.ip_address_type == DUALSTACK
