"""By what right the syncer calls AWS: an IAM user with keys, held to the stack's own target groups."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_aws import iam

from infra.options import Settings
from infra.part import Part


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What the workload has to hand to the syncer; other kinds of identity would need none of it."""

    access_key: pulumi.Output[str]
    secret_key: pulumi.Output[str]


class UserIdentity(Part):
    """An IAM user, its one inline policy and one access key, as the predecessor's setup had them."""

    TYPE = "node-nlb-sync:identity:UserIdentity"

    def __init__(
        self,
        name: str,
        settings: Settings,
        *,
        target_group_arns: Mapping[str, pulumi.Output[str]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        user = iam.User(name, tags=settings.tags, opts=self.beneath())
        arns = pulumi.Output.all(*[target_group_arns[key] for key in sorted(target_group_arns)])
        document = arns.apply(lambda known: policy(known, settings.region))
        iam.UserPolicy(name, user=user.name, policy=document, opts=self.beneath())
        key = iam.AccessKey(name, user=user.name, opts=self.beneath())
        # The id of a key is no secret; the key is, whatever the provider says of it.
        self.credentials = Credentials(access_key=key.id, secret_key=pulumi.Output.secret(key.secret))
        self.register_outputs({})


def policy(target_group_arns: Sequence[str], region: str) -> str:
    """The least the syncer needs, as JSON.

    Changes are held to the exact groups. DescribeTargetHealth knows no resource level, so it is held to the
    region by a global condition key, which every partition has (service authorization reference of ELBv2).
    DescribeTargetGroups is left out: it knows no resource level either and would list every group of the
    region, and all that it tells of the stack's own groups the stack has decided itself.
    """
    statements = [
        {
            "Sid": "ChangeTargets",
            "Effect": "Allow",
            "Action": ["elasticloadbalancing:RegisterTargets", "elasticloadbalancing:DeregisterTargets"],
            "Resource": sorted(target_group_arns),
        },
        {
            "Sid": "ReadTargets",
            "Effect": "Allow",
            "Action": ["elasticloadbalancing:DescribeTargetHealth"],
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:RequestedRegion": region}},
        },
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
