"""The keys of a load balancer that several clusters share: `edge` and `attachments`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pulumi

from .givengroups import ARN_PATTERN
from .shapes import Entries, Text, Whole, declared

LARGEST_WEIGHT: Final = 999  # AWS's range of a target group's weight


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """The load balancer of another stack, for the target groups of this stack."""

    security_group_id: pulumi.Input[str] = declared(
        Text(
            output=True,
            reason="The load balancer's security group, the output securityGroupId of its stack. The stack "
            "then creates target groups, firewall rules, identity, Service and syncer, and no load balancer.",
            allowed="the id of a security group",
            pattern=r"(sg-[0-9a-f]{8,17})?",
            default="",
            example="sg-0123456789abcdef0",
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """The target groups of another stack, and their share of the new connections."""

    weight: int = declared(
        Whole(
            low=0,
            high=LARGEST_WEIGHT,
            example="0",
            reason="The share of new connections, in proportion to the other weights; with 0 the targets are "
            "checked and get none.",
        )
    )
    target_groups: Mapping[str, pulumi.Input[str]] = declared(
        Entries(
            item=Text(
                output=True,
                reason="",
                allowed="the ARN of a target group",
                pattern=ARN_PATTERN,
                example="arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/http/0123456789abcdef",
            ),
            least=1,
            reason="The output targetGroups of the other stack.",
            allowed="ARNs of target groups, by the names of listeners",
        )
    )
