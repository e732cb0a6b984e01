"""Find the node security groups of `nodeSecurityGroupTags` in AWS."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pulumi
from pulumi_aws import ec2

from .givengroups import TAGS
from .keys import Settings
from .problems import Problem, Problems, echo
from .reads import unreadable


def with_tagged_groups(settings: Settings, reading: pulumi.InvokeOptions, problems: Problems) -> Settings:
    """Return the settings with the security groups that have the tags; add a problem where there are none.

    The VPC must be known: tags may select groups of several VPCs.
    """
    if not settings.node_security_group_tags or not settings.creates_groups:
        return settings
    tags = ", ".join(f"{key}={value}" for key, value in settings.node_security_group_tags.items())
    if not isinstance(settings.vpc_id, str):
        allowed = "tags beside a vpcId that is known before the run"
        fix = "give nodeSecurityGroupIds, with Outputs of the groups"
        problems.append(Problem(TAGS, f"tags beside {echo(settings.vpc_id)}", allowed, fix))
        return settings
    allowed = f"tags of security groups of vpcId {settings.vpc_id}"
    try:
        found: Any = ec2.get_security_groups(tags=settings.node_security_group_tags, opts=reading)
    except Exception as error:  # noqa: BLE001 (the SDK raises no narrower class for a failed function)
        fix = "repeat the command"
        problems.append(unreadable(TAGS, f"the tags {tags}", error, allowed=allowed, fix=fix))
        return settings
    if found.ids is None:  # a preview with an unconfigured provider: `up` finds the groups
        return settings
    homes = dict(zip(found.ids, found.vpc_ids, strict=True))
    here = sorted(group for group, home in homes.items() if home == settings.vpc_id)
    if not here:
        problems.extend(_elsewhere(tags, homes, allowed))
    given = [each for each in settings.given_node_groups if isinstance(each, str)]
    return replace(settings, tagged_node_groups=tuple(group for group in here if group not in given))


def _elsewhere(tags: str, homes: dict[str, str], allowed: str) -> Iterator[Problem]:
    """Report tags without a group in the VPC, with the groups of other VPCs."""
    others = ", ".join(f"{group} of {home}" for group, home in sorted(homes.items()))
    read = f"{tags}, the tags of {others}" if others else f"{tags}, the tags of no security group"
    fix = "list the tags with: aws ec2 describe-security-groups --filters Name=vpc-id,Values=<vpcId>"
    yield Problem(TAGS, read, allowed, fix)
