"""Check the node security groups, and count the rules of every group against AWS's quota."""

import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Final

import pulumi
from pulumi_aws import ec2, vpc

from .givengroups import TAGS
from .keys import Settings
from .problems import Problem
from .quotas import IPV4, IPV6, client_lists, quota
from .reads import Reading, unreadable

# Inbound and outbound rules of a security group, counted separately ("Amazon VPC quotas"). The quota can be
# raised, so the account's value is read where a count is above the default.
DEFAULT_QUOTA: Final = 60
QUOTA: Final = "L-0EA8095F"
# The description of the stack's rules in a node group (infra/firewall.py).
_OWN: Final = re.compile(r"NodePort \S+ of the ingress controller")
_ABSENT: Final = "no matching EC2 Security Group found"  # the provider's text
_RAISE: Final = f"or raise AWS's quota {QUOTA} (VPC, rules per security group)"


def misplaced_groups(settings: Settings, reading: Reading) -> Iterator[Problem]:
    """Report a node security group that AWS lacks or that belongs to another VPC."""
    allowed = f"a security group of vpcId {shown(settings.vpc_id)}"
    for path, group in given_paths(settings):
        if not isinstance(group, str):  # an Output: AWS refuses a wrong group with the first rule
            continue
        try:
            found = reading.attempt(
                "ec2:DescribeSecurityGroups",
                "the node security groups",
                partial(ec2.get_security_group, id=group),
            )
        except Exception as error:  # noqa: BLE001 (the SDK raises no narrower class for a failed function)
            fix = "list them with: aws ec2 describe-security-groups"
            missing = Problem(path, f"{group}, which does not exist", allowed, fix)
            known = _ABSENT in str(error)
            yield missing if known else unreadable(path, group, error, allowed=allowed, fix=fix)
            continue
        # None: the read is denied, or a preview has an unconfigured provider.
        home = found.vpc_id if found else None
        if isinstance(settings.vpc_id, str) and home not in {None, settings.vpc_id}:
            fix = "give a security group of that VPC, or change vpcId"
            yield Problem(path, f"{group}, a security group of {home}", allowed, fix)


def too_many_rules(settings: Settings, reading: Reading) -> Iterator[Problem]:
    """Report a security group with more rules than AWS's quota.

    The load balancer's group may be that of another stack, and an edge has no nodes.
    """
    entries, absent = client_lists(settings, reading)
    yield from absent
    limits = Limit(reading)
    if settings.balances:
        yield from _too_many_clients(settings, entries, limits)
    if settings.creates_groups:
        yield from _too_many_on_nodes(settings, entries, limits, reading)


def _too_many_clients(settings: Settings, entries: Mapping[str, int], limits: "Limit") -> Iterator[Problem]:
    """Report too many rules of IPv4 or of IPv6 clients: AWS counts the two separately."""
    of_ipv4 = len(settings.client_cidrs_ipv4)
    for family, number in ((IPV4, of_ipv4), (IPV6, len(settings.client_cidrs) - of_ipv4)):
        inbound = (number + entries[family]) * settings.client_rule_count
        if quota := limits.below(inbound):
            beside = f" and {entries[family]} entries of prefix lists" if entries[family] else ""
            clients = f"{number} {'IPv6 ' if family == IPV6 else ''}networks{beside}"
            read = f"{clients} for {len(settings.listeners)} listeners, which are {inbound} rules"
            allowed = f"at most {quota} inbound rules of the load balancer's security group"
            yield Problem("clientCidrs", read, allowed, f"combine networks, {_RAISE}")


def _too_many_on_nodes(
    settings: Settings, entries: Mapping[str, int], limits: "Limit", reading: Reading
) -> Iterator[Problem]:
    ports, checks = settings.node_rule_count, settings.health_port_count
    outbound = (ports + checks) * len(settings.node_groups)
    if quota := limits.below(outbound):
        read = (
            f"{len(settings.node_groups)} groups for {ports + checks} NodePorts, which are {outbound} rules"
        )
        allowed = f"at most {quota} outbound rules of the load balancer's security group"
        key = TAGS if settings.tagged_node_groups else "nodeSecurityGroupIds"
        yield Problem(key, read, allowed, f"give fewer groups, {_RAISE}")
    networks = len(settings.client_cidrs_ipv4) + entries[IPV4]
    sources = 1 + networks if settings.firewall.source == "clients" else 1
    added = ports * sources + checks
    for path, group in [*given_paths(settings), *((TAGS, one) for one in settings.tagged_node_groups)]:
        others = foreign_rules(group, added, reading) if isinstance(group, str) else 0
        if quota := limits.below(others + added):
            read = f"{shown(group)} with {others} rules, beside {added} of the stack"
            allowed = f"at most {quota} inbound rules of a node security group"
            yield Problem(
                path, read, allowed, f"remove rules, set firewall.source to load-balancer, {_RAISE}"
            )


def foreign_rules(group: str, added: int, reading: Reading) -> int:
    """Return the number of inbound rules of other owners, or 0 where the stack's rules fit in any case.

    AWS's list of rules has no direction, so single rules are read only for a group that is nearly full.
    """
    wanted = [vpc.GetSecurityGroupRulesFilterArgs(name="group-id", values=[group])]
    action, check = "ec2:DescribeSecurityGroupRules", "the number of rules of the node security groups"
    try:
        found = reading.attempt(action, check, partial(vpc.get_security_group_rules, filters=wanted))
        ids = (found.ids or []) if found else []
        if len(ids) + added <= DEFAULT_QUOTA:
            return 0
        rules = [
            reading.attempt(action, check, partial(vpc.get_security_group_rule, security_group_rule_id=ident))
            for ident in ids
        ]
    except Exception:  # noqa: BLE001 (the group is missing, which misplaced_groups reports)
        return 0
    return sum(
        1 for rule in rules if rule and not rule.is_egress and not _OWN.fullmatch(rule.description or "")
    )


class Limit:
    """AWS's quota of rules in the account, read at most once."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._quota: int | None = None

    def below(self, count: int) -> int:
        """Return the quota that `count` exceeds; 0 where `count` is allowed or the quota cannot be read."""
        if count <= DEFAULT_QUOTA:
            return 0
        if self._quota is None:
            self._quota = self._read()
        return self._quota if count > self._quota else 0

    def _read(self) -> int:
        """Return the account's quota; no limit after a failed read."""
        check = f"AWS's quota {QUOTA} of rules per security group"
        return quota("vpc", QUOTA, DEFAULT_QUOTA, check, self._reading)


def given_paths(settings: Settings) -> list[tuple[str, pulumi.Input[str]]]:
    """Return the key and the id of each node security group that is given by id."""
    if settings.node_security_group_ids:
        return [(f"nodeSecurityGroupIds[{i}]", one) for i, one in enumerate(settings.node_security_group_ids)]
    return [("nodeSecurityGroupId", one) for one in settings.given_node_groups]


def shown(value: pulumi.Input[str]) -> str:
    """Return an id, or a phrase for an Output."""
    return value if isinstance(value, str) else "of an Output"
