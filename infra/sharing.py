"""Rules of the three kinds of stacks that share a load balancer: edge, attachment, and both in one.

An edge (`cluster: false`) has the load balancer and no cluster. An attachment (`edge`) has a cluster and no
load balancer. Other stacks have both, and may forward to attachments too.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import pulumi
from pulumi_aws import lb

from .givengroups import attaches
from .keys import Settings
from .listenerkeys import TLS
from .policy import region_of
from .problems import NAMESPACE, Change, Problem, Problems, SettingsError, echo
from .reads import unreadable
from .shapes import camel, child

MOST_GROUPS: Final = 5  # of a forward action
_EDGE_KEYS: Final[tuple[str, ...]] = (
    "zones",
    "targetGroups",
    "loadBalancer",
    "dns",
    "endpointService",
    "alarms",
    "addresses",
    "allowReplacement",
    "targetQuota",
    "cluster",
    "weight",
    "attachments",
)
_CLUSTER_KEYS: Final[tuple[str, ...]] = (
    "nodeSecurityGroupId",
    "nodeSecurityGroupIds",
    "nodeSecurityGroupTags",
    "targetGroups",
    "edge",
    "weight",
    "healthCheck",
    "targetHealth",
    "firewall",
    "connections",
    "deregistrationDelay",
    "targetQuota",
    "ingress",
    "preset",
    "syncer",
    "identity",
    "labels",
    "annotations",
)
# Of a listener; the groups behind it have the other keys.
_LISTENER_KEYS: Final = ("certificate_arns", "ssl_policy", "alpn_policy", "idle_timeout")


def misplaced_keys(raw: Mapping[str, Any], defaults: Mapping[str, Any]) -> Iterator[Problem]:
    """Report keys of a load balancer beside `edge`, and of a cluster beside `cluster: false`.

    A default value is no problem.
    """
    if attaches(raw):
        keys, allowed = _EDGE_KEYS, "no value with edge, whose stack has the load balancer"
    elif raw.get("cluster") is False:
        keys, allowed = _CLUSTER_KEYS, "no value with cluster false: the stack of the cluster has this key"
    else:
        return
    for key in keys:
        if key in raw and raw[key] != defaults[key]:
            yield Problem(key, echo(raw[key]), allowed, Change(key, None))


def sharing_problems(settings: Settings) -> Iterator[Problem]:
    """Report what AWS refuses in weighted groups, and keys of the edge's listeners in an attachment."""
    if settings.attached:
        yield from _keys_of_the_edge(settings)
        return
    yield from _misnamed(settings)
    for index, item in enumerate(settings.listeners):
        weights = settings.weights(item.name)
        if len(weights) > MOST_GROUPS:
            read, allowed = f"{len(weights)} target groups", f"at most {MOST_GROUPS} for each listener"
            yield Problem("attachments", read, allowed, "remove attachments that get no connections")
            return
        if len(weights) > 1 and not any(weights.values()):
            read = f"weight 0 for all groups of listener {item.name}"
            yield Problem("attachments", read, "at least one weight above 0", "set a weight to 100")
            return
        if settings.attachments and item.stickiness:
            path = f"listeners[{index}].stickiness"
            allowed = "false beside attachments: the AWS provider has no stickiness for several groups"
            yield Problem(path, "true", allowed, Change(path, "false"))


def _misnamed(settings: Settings) -> Iterator[Problem]:
    """Report groups of no listener, and groups that are given twice."""
    names = [item.name for item in settings.listeners]
    seen: dict[str, str] = {}
    for attachment, each in settings.attachments.items():
        for name, arn in each.target_groups.items():
            path = group_path(attachment, name)
            if name not in names:
                allowed = f"one of the listeners: {', '.join(names)}"
                yield Problem(path, f"the name {echo(name)}", allowed, "rename it, or add the listener")
            elif isinstance(arn, str) and arn in seen:
                read = f"the group of {seen[arn]}"
                yield Problem(path, read, "a different target group each time", Change(path, None))
            elif isinstance(arn, str):
                seen[arn] = path


def _keys_of_the_edge(settings: Settings) -> Iterator[Problem]:
    for index, item in enumerate(settings.listeners):
        allowed = "no value with edge, whose stack has the listener"
        if item.protocol == TLS:
            path = f"listeners[{index}].protocol"
            yield Problem(path, TLS, "TCP with edge, whose stack has the listener", Change(path, None))
        for name in _LISTENER_KEYS:
            if value := getattr(item, name):
                path = f"listeners[{index}].{camel(name)}"
                yield Problem(path, echo(value), allowed, Change(path, None))


def attached_elsewhere(settings: Settings, region: str) -> Iterator[Problem]:
    """Report attached groups outside the AWS provider's region."""
    for attachment, each in settings.attachments.items():
        for name, arn in each.target_groups.items():
            if isinstance(arn, str) and region_of(arn) != region:
                path, read = group_path(attachment, name), f"a group of {region_of(arn)}"
                fix = f"give a group of {region}: a load balancer forwards to no other"
                yield Problem(path, read, f"groups of aws:region {region}", fix)


def group_path(attachment: str, name: str) -> str:
    """Return the path of a target group in `attachments`."""
    return child(child(child("attachments", attachment), "targetGroups"), name)


def checked_attachments(
    settings: Settings, reading: pulumi.InvokeOptions, problems: Problems
) -> dict[str, dict[str, pulumi.Input[str]]]:
    """Return the groups of each attachment; add a problem for a group that no listener can forward to.

    An Output is checked once the value is known; a problem is then raised before any resource gets the value.
    """

    def later(path: str, arn: pulumi.Output[str], vpc_id: pulumi.Input[str]) -> pulumi.Output[str]:
        def check(known: list[str]) -> str:
            if not pulumi.runtime.is_dry_run() and (wrong := list(_unfit(path, known[0], known[1], reading))):
                raise SettingsError(wrong, component=NAMESPACE)
            return known[0]

        return pulumi.Output.all(arn, vpc_id).apply(check)

    checked: dict[str, dict[str, pulumi.Input[str]]] = {}
    for attachment, each in settings.attachments.items():
        groups = checked.setdefault(attachment, {})
        for name, arn in each.target_groups.items():
            path = group_path(attachment, name)
            if isinstance(arn, pulumi.Output) or not isinstance(settings.vpc_id, str):
                groups[name] = later(path, pulumi.Output.from_input(arn), settings.vpc_id)
            else:
                problems.extend(_unfit(path, str(arn), settings.vpc_id, reading))
                groups[name] = arn
    return checked


def _unfit(path: str, arn: str, vpc_id: str, reading: pulumi.InvokeOptions) -> Iterator[Problem]:
    """Report a group that AWS lacks, or of another VPC."""
    allowed = f"a target group of {vpc_id}"
    try:
        home: Any = lb.get_target_group(arn=arn, opts=reading).vpc_id
    except Exception as error:  # noqa: BLE001 (the SDK raises no narrower class for a failed function)
        fix = "remove the attachment, or give the output targetGroups of its stack"
        yield unreadable(path, arn, error, allowed=allowed, fix=fix)
        return
    # None: a preview with an unconfigured provider.
    if home not in {None, vpc_id}:
        fix = "attach groups of the load balancer's VPC: AWS forwards to no other"
        yield Problem(path, f"{arn}, a group of {home}", allowed, fix)
