"""The IAM policy of the syncer: the same for every kind of identity, limited to the stack's own groups."""

import json
from collections.abc import Sequence
from typing import Any, Final

READ: Final = "elasticloadbalancing:DescribeTargetHealth"
CHANGE: Final = ("elasticloadbalancing:RegisterTargets", "elasticloadbalancing:DeregisterTargets")
# Further reads of `nlb-sync doctor`: the groups, their load balancer, firewall rules and the quotas.
DOCTOR: Final = (
    "ec2:DescribeSecurityGroupRules",
    "elasticloadbalancing:DescribeAccountLimits",
    "elasticloadbalancing:DescribeLoadBalancerAttributes",
    "elasticloadbalancing:DescribeLoadBalancers",
    "elasticloadbalancing:DescribeTargetGroups",
)


def policy(target_group_arns: Sequence[str], *, doctor_rights: bool = False) -> str:
    """Return the syncer's minimal policy, as JSON. The region is the groups'.

    Changes are limited to the exact groups. Describe actions have no resource level, so a global condition
    key, available in every partition, limits them to the region (service authorization reference of ELBv2).
    DescribeTargetGroups is omitted unless requested: the action lists every group of the region, and its
    facts about the stack's groups are decided by the stack itself.
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
    """Return the region in an ARN, `arn:partition:service:region:account:…`."""
    return arn.split(":")[3]
