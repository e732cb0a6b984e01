"""The forward action of a listener: to one target group, or to several by weight."""

from collections.abc import Mapping

import pulumi
from pulumi_aws import lb

from .keys import Settings
from .listenerkeys import Listener

# ARNs by attachment and listener.
Attached = Mapping[str, Mapping[str, pulumi.Input[str]]]


def forward(
    settings: Settings, item: Listener, own: Mapping[str, lb.TargetGroup], attached: Attached
) -> lb.ListenerDefaultActionArgs:
    """Return the action; a single group has all connections, whatever its weight.

    A single group is written as before release 0.2, so that a stack without attachments does not change.
    """
    arns: list[tuple[pulumi.Input[str], int]] = [
        (attached[name][item.name] if name else own[item.name].arn, weight)
        for name, weight in settings.weights(item.name).items()
    ]
    if len(arns) == 1:
        return lb.ListenerDefaultActionArgs(type="forward", target_group_arn=arns[0][0])
    groups = [lb.ListenerDefaultActionForwardTargetGroupArgs(arn=arn, weight=weight) for arn, weight in arns]
    action = lb.ListenerDefaultActionForwardArgs(target_groups=groups)
    return lb.ListenerDefaultActionArgs(type="forward", forward=action)
