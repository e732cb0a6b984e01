"""Existing target groups: the stack creates a syncer for the groups, and no load balancer."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import pulumi
from pulumi_aws import lb

from .problems import NAMESPACE, Change, Problem, Problems, SettingsError, echo
from .reads import unreadable
from .shapes import child

ARN_PATTERN: Final = (
    r"arn:aws[a-z-]*:elasticloadbalancing:[a-z0-9-]+:\d{12}:targetgroup/[A-Za-z0-9-]{1,32}/[0-9a-f]{16}"
)
TAGS: Final = "nodeSecurityGroupTags"
# The keys of a load balancer, in the order of docs/keys.md; `crossZone` belongs to the load balancer.
LOAD_BALANCER_KEYS: Final = (
    "vpcId",
    "zones",
    "nodeSecurityGroupId",
    "nodeSecurityGroupIds",
    "nodeSecurityGroupTags",
    "loadBalancer",
    "listeners",
    "dns",
    "endpointService",
    "alarms",
    "healthCheck",
    "targetHealth",
    "addresses",
    "allowReplacement",
    "clientCidrs",
    "firewall",
    "connections",
    "deregistrationDelay",
    "crossZone",
    "targetQuota",
    "edge",
    "cluster",
    "weight",
    "attachments",
)


def with_given_groups(raw: dict[str, Any]) -> dict[str, Any]:
    """With given groups, return the configuration with an adopted Service, unless `ingress.create` is set."""
    ingress = raw.get("ingress", {})
    if not raw.get("targetGroups") or not isinstance(ingress, dict):
        return raw
    return {**raw, "ingress": {"create": False, **ingress}}


def attaches(raw: Mapping[str, Any]) -> bool:
    """Return whether the configuration names the load balancer of another stack."""
    edge = raw.get("edge")
    return isinstance(edge, Mapping) and edge.get("securityGroupId", "") != ""


def missing_network(raw: Mapping[str, Any]) -> Iterator[Problem]:
    """Report missing keys of a load balancer and its nodes, where no groups are given."""
    if raw.get("targetGroups"):
        return
    if raw.get("vpcId", "") == "":
        fix = Change("vpcId", "vpc-0123456789abcdef0")
        yield Problem("vpcId", "nothing", "the id of a VPC", fix)
    if raw.get("zones", {}) == {} and not attaches(raw):
        allowed = "availability zones such as eu-central-1a, each with a subnetId"
        yield Problem("zones", "nothing", allowed, "write it as key: value lines, at least 1")
    one, several = "nodeSecurityGroupId", "nodeSecurityGroupIds"
    if raw.get("cluster") is False:
        return
    if raw.get(one, "") == "" and raw.get(several, []) == [] and raw.get(TAGS, {}) == {}:
        fix = Change(one, "sg-0123456789abcdef0")
        allowed = f"the id of a security group, a list in {several}, or tags in {TAGS}"
        yield Problem(one, "nothing", allowed, fix)


def beside_given_groups(raw: Mapping[str, Any], defaults: Mapping[str, Any]) -> Iterator[Problem]:
    """Report keys of a load balancer, which is not created here. A default value is no problem."""
    if not raw.get("targetGroups"):
        return
    for key in LOAD_BALANCER_KEYS:
        if key in raw and raw[key] != defaults[key]:
            allowed = "no value with targetGroups, which belong to an existing load balancer"
            yield Problem(key, echo(raw[key]), allowed, Change(key, None))
    ingress = raw.get("ingress")
    if isinstance(ingress, Mapping) and ingress.get("create") is True:
        fix = Change("ingress.create", "false")
        yield Problem(
            "ingress.create", "true", "false with targetGroups, which need an existing Service", fix
        )


def wrong_groups(groups: Mapping[str, pulumi.Input[str]], service_ports: list[str]) -> Iterator[Problem]:
    """Report a group without a Service port, and a duplicate group."""
    seen: dict[str, str] = {}
    for name, arn in groups.items():
        path = child("targetGroups", name)
        if name not in service_ports:
            allowed = f"one of ingress.ports: {', '.join(service_ports)}"
            fix = f"rename it, or add {name} to ingress.ports"
            yield Problem(path, f"the name {echo(name)}", allowed, fix)
        if not isinstance(arn, str):
            continue
        if arn in seen:
            read, allowed = f"the group of {seen[arn]}", "a different target group for each port"
            yield Problem(path, read, allowed, Change(path, None))
        seen.setdefault(arn, name)


def checked_groups(
    groups: Mapping[str, pulumi.Input[str]], reading: pulumi.InvokeOptions, problems: Problems
) -> dict[str, pulumi.Input[str]]:
    """Return the groups; add a problem for a group that AWS lacks or that takes no instances.

    An Output is checked once the value is known; a problem is then raised before any resource gets the value.
    """

    def later(name: str, arn: pulumi.Output[str]) -> pulumi.Output[str]:
        def check(known: str) -> str:
            if not pulumi.runtime.is_dry_run() and (wrong := list(unfit(name, known, reading))):
                raise SettingsError(wrong, component=NAMESPACE)
            return known

        return arn.apply(check)

    checked: dict[str, pulumi.Input[str]] = {}
    for name, arn in groups.items():
        if isinstance(arn, pulumi.Output):
            checked[name] = later(name, arn)
        else:
            problems.extend(unfit(name, str(arn), reading))
            checked[name] = arn
    return checked


def unfit(name: str, arn: str, reading: pulumi.InvokeOptions) -> Iterator[Problem]:
    """Report a group that AWS lacks, or with a target type other than instance."""
    path = child("targetGroups", name)
    allowed = "a target group of this region and account, with target type instance"
    try:
        kind: Any = lb.get_target_group(arn=arn, opts=reading).target_type
    except Exception as error:  # noqa: BLE001 (the SDK raises no narrower class for a failed function)
        fix = "list the target groups: aws elbv2 describe-target-groups"
        yield unreadable(path, arn, error, allowed=allowed, fix=fix)
        return
    # None: a preview with an unconfigured provider.
    if kind not in {None, "instance"}:
        fix = "create a target group of type instance; AWS cannot change the type of a group"
        yield Problem(path, f"{arn}, a group of target type {kind}", allowed, fix)
