"""Parse a target group's ARN: the region and partition of its calls."""

import re
from dataclasses import dataclass

from syncer.model import TargetGroupArn
from syncer.text.quote import quoted

# Form: service authorization reference, "elasticloadbalancing", resource type targetgroup. Regions begin with
# a country or an area; the European sovereign cloud's, eusc-de-east-1, with four letters.
_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z-]{0,20}):elasticloadbalancing:(?P<region>[a-z]{2,4}(?:-[a-z]{1,20}){1,4}-[0-9]{1,2})"
    r":(?P<account>[0-9]{12}):targetgroup/(?P<name>[A-Za-z0-9-]{1,32})/(?P<id>[0-9a-f]{1,64})"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupArn:
    """The used parts of a target group's ARN. `identity` is the same for every spelling of the ARN."""

    arn: TargetGroupArn
    partition: str
    region: str
    account: str
    name: str
    identity: str


def parse_arn(text: str) -> GroupArn:
    """Return the parts of `text`; ValueError if `text` is not the ARN of a target group."""
    match = _ARN.fullmatch(text)
    if match is None:
        raise ValueError(
            f"{quoted(text)} is not the ARN of a target group "
            "(arn:aws:elasticloadbalancing:REGION:ACCOUNT:targetgroup/NAME/ID)"
        )
    return GroupArn(
        arn=TargetGroupArn(text),
        partition=match["partition"],
        region=match["region"],
        account=match["account"],
        name=match["name"],
        identity="/".join(match.group("region", "account", "id")),
    )
