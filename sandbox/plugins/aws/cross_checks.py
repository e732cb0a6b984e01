"""Rules across properties of a resource, applied by the official provider during planning.

Every rule yields (property path, error). Unknown values are skipped.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from sandbox.plugins.values import Unknown

_Problems = Iterator[tuple[str, str]]

_TAG: Final = re.compile(r"[\w\s.:/=+\-@]*")
_TAG_KEY: Final = 128
_TAG_VALUE: Final = 256
_ACTION_BLOCKS: Final = {
    "redirect": "redirect",
    "fixed-response": "fixedResponse",
    "authenticate-cognito": "authenticateCognito",
    "authenticate-oidc": "authenticateOidc",
}


def _target_group(inputs: Mapping[str, Any]) -> _Problems:
    """elbv2/target_group.go: resourceTargetGroupCustomizeDiff and two related functions."""
    kind = inputs.get("targetType")
    if isinstance(kind, str) and kind != "lambda":
        for key, name in (("port", "port"), ("protocol", "protocol"), ("vpcId", "vpc_id")):
            if inputs.get(key) is None:
                yield key, f'Attribute "{name}" must be specified when "target_type" is "{kind}"'
    check = inputs.get("healthCheck")
    if not isinstance(check, Mapping):
        return
    tcp = _upper(check.get("protocol")) == "TCP"
    for key in ("matcher", "path"):
        if tcp and check.get(key):
            attribute = f'Attribute "health_check[0].{key}"'
            yield (
                f"healthCheck.{key}",
                f'{attribute} cannot be specified when "health_check[0].protocol" is "TCP"',
            )
    if tcp and inputs.get("protocol") in ("HTTP", "HTTPS"):
        problem = 'Attribute "health_check[0].protocol" cannot have value "TCP" when "protocol" is'
        yield "healthCheck.protocol", f'{problem} "{inputs["protocol"]}"'
    yield from _health_check_times(check)


def _health_check_times(check: Mapping[str, Any]) -> _Problems:
    """Report a timeout above the interval before any resource is created; AWS would refuse the timeout."""
    timeout, interval = check.get("timeout"), check.get("interval")
    if isinstance(timeout, int) and isinstance(interval, int) and timeout > interval:
        yield (
            "healthCheck.timeout",
            f"Health check timeout '{timeout}' must be smaller than or equal to the interval '{interval}'",
        )


def _listener(inputs: Mapping[str, Any]) -> _Problems:
    """elbv2/listener.go: listenerActionPlantimeValidate."""
    actions = inputs.get("defaultActions")
    for index, action in enumerate(actions if isinstance(actions, list) else ()):
        if isinstance(action, Mapping):
            yield from _action(f"defaultActions[{index}]", f"default_action[{index}]", action)


def _action(where: str, attribute: str, action: Mapping[str, Any]) -> _Problems:
    kind = action.get("type")
    arn, forward = action.get("targetGroupArn"), action.get("forward")
    if arn and forward and not isinstance(arn, Unknown):
        names = f'"{attribute}.target_group_arn" or "{attribute}.forward"'
        yield where, f"Invalid Attribute Combination. Only one of {names} can be specified"
    if kind == "forward" and arn is None and not forward:
        names = f'"{attribute}.target_group_arn" or "{attribute}.forward"'
        problem = f"Invalid Attribute Combination. Either {names} must be specified when"
        yield f"{where}.type", f'{problem} "{attribute}.type" is "forward"'
    block = _ACTION_BLOCKS.get(kind) if isinstance(kind, str) else None
    if block and not action.get(block):
        yield f"{where}.{block}", f'Attribute "{attribute}.{kind}" must be specified when type is "{kind}"'


def _alarm(inputs: Mapping[str, Any]) -> _Problems:
    """cloudwatch/metric_alarm.go: CustomizeDiff."""
    if inputs.get("metricName") and not (inputs.get("statistic") or inputs.get("extendedStatistic")):
        problem = "One of `statistic` or `extended_statistic` must be set for a cloudwatch metric alarm"
        yield "statistic", problem


def _upper(value: Any) -> str:
    return value.upper() if isinstance(value, str) else ""


def tag_problems(token: str, inputs: Mapping[str, Any]) -> _Problems:
    """Report invalid tags before any resource is created; EC2 alone accepts any character."""
    tags = inputs.get("tags")
    strict = not token.startswith(("aws:ec2/", "aws:vpc/"))
    for key, value in tags.items() if isinstance(tags, Mapping) else ():
        if key.lower().startswith("aws:"):
            yield f"tags.{key}", "tag keys that start with aws: are reserved"
        for word, text, longest in (("key", key, _TAG_KEY), ("value", value, _TAG_VALUE)):
            if not isinstance(text, str):
                continue
            if len(text) > longest or (strict and not _TAG.fullmatch(text)):
                allowed = " letters, digits, spaces or _.:/=+-@" if strict else " characters"
                yield f"tags.{key}", f"a tag {word} has at most {longest}{allowed}"


CROSS_CHECKS: Final[Mapping[str, Callable[[Mapping[str, Any]], _Problems]]] = {
    "aws:lb/targetGroup:TargetGroup": _target_group,
    "aws:lb/listener:Listener": _listener,
    "aws:cloudwatch/metricAlarm:MetricAlarm": _alarm,
}
