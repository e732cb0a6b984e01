"""The IAM policy of the syncer: the same for every kind of identity, held to the stack's own groups."""

import json
from collections.abc import Sequence
from typing import Any, Final

READ: Final = "elasticloadbalancing:DescribeTargetHealth"
CHANGE: Final = ("elasticloadbalancing:RegisterTargets", "elasticloadbalancing:DeregisterTargets")
# What `nlb-sync doctor` reads beside: the groups, the load balancer before them, and the quotas.
DOCTOR: Final = (
    "elasticloadbalancing:DescribeAccountLimits",
    "elasticloadbalancing:DescribeLoadBalancerAttributes",
    "elasticloadbalancing:DescribeLoadBalancers",
    "elasticloadbalancing:DescribeTargetGroups",
)


def policy(target_group_arns: Sequence[str], *, doctor_rights: bool = False) -> str:
    """The least the syncer needs, as JSON. The region is the groups' own.

    Changes are held to the exact groups. Describe actions know no resource level, so they are held to the
    region by a global condition key, which every partition has (service authorization reference of ELBv2).
    DescribeTargetGroups is left out unless asked for: it lists every group of the region, and all that it
    tells of the stack's own groups the stack has decided itself.
    """
    region = region_of(target_group_arns[0])
    statements: list[dict[str, Any]] = [
        {
            "Sid": "ChangeTargets",
            "Effect": "Allow",
            "Action": list(CHANGE),
            "Resource": sorted(target_group_arns),
        },
        {
            "Sid": "ReadTargets",
            "Effect": "Allow",
            "Action": [READ, *(DOCTOR if doctor_rights else ())],
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:RequestedRegion": region}},
        },
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def region_of(arn: str) -> str:
    """The region in an ARN, `arn:partition:service:region:account:…`."""
    return arn.split(":")[3]
