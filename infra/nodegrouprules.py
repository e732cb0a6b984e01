"""Constraints that span the keys of the nodes' security groups."""

from collections.abc import Iterator

from .givengroups import TAGS
from .keys import Settings
from .problems import Change, Problem, echo


def wrong_node_groups(settings: Settings) -> Iterator[Problem]:
    """Report two keys for the nodes' groups, a duplicate group, and tags that the stack's group has too."""
    one, several = "nodeSecurityGroupId", "nodeSecurityGroupIds"
    first, listed = settings.node_security_group_id, settings.node_security_group_ids
    plain = [each for each in listed if isinstance(each, str)]
    if first != "" and listed:
        lost = isinstance(first, str) and first not in plain
        fix = Change(one, None, before=f"put {first} first in {several}, then " if lost else "")
        yield Problem(one, f"{echo(first)} beside {several}", f"one of {one} and {several}", fix)
    for index, group in enumerate(listed):
        if isinstance(group, str) and group in [each for each in listed[:index] if isinstance(each, str)]:
            where = f"{several}[{index}]"
            yield Problem(where, f"{echo(group)} a second time", "each group once", f"remove {where}")
    tags = settings.node_security_group_tags
    if tags and tags.items() <= settings.tags.items():
        read = f"{', '.join(tags)}, which tags sets on the load balancer's security group too"
        allowed = "at least one tag of the nodes' security groups alone"
        yield Problem(TAGS, read, allowed, f"add such a tag to {TAGS}")
