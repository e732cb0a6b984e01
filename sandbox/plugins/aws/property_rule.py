"""The official provider's rules for a property, beyond name and type."""

import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

# IAM quotas, "IAM and AWS STS character limits": inline policies of a user and of a role, and trust policies.
_USER_POLICY, _ROLE_POLICY, _TRUST_POLICY = 2048, 10_240, 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A property of a type; `source` is the provider's file with the rule.

    `computed`: absent from the program, the property keeps AWS's value, so an absence is never a change.
    `immutable`: a change replaces the resource (ForceNew). `default`: filled in by the provider. `unordered`:
    a list compared as a set. `only_for`: a property path and its values for which a change counts.
    `autoname`: maximum length of a name made from the logical name. `unsupported`: present in the official
    provider and refused here, instead of ignored.
    """

    source: str
    required: bool = False
    computed: bool = False
    immutable: bool = False
    default: Any = None
    allowed: tuple[str, ...] = ()
    ignore_case: bool = False
    between: tuple[tuple[int, int], ...] = ()
    length: tuple[int, int] | None = None
    pattern: str = ""
    form: str = ""
    items: tuple[int, int] | None = None
    unordered: bool = False
    conflicts: tuple[str, ...] = ()
    exactly_one: tuple[str, ...] = ()
    only_for: tuple[str, tuple[str | bool, ...]] | None = None
    autoname: int = 0
    sensitive: bool = False
    unsupported: bool = False


REGION: Final = Rule(source="pulumi-aws provider/region.go", computed=True, immutable=True)


def prefix(rule: Callable[..., Rule], pattern: str, length: tuple[int, int] | None = None) -> Rule:
    """Return the rule of a `namePrefix`."""
    return rule(computed=True, immutable=True, conflicts=("name",), pattern=pattern, length=length)


def violation(rule: Rule, value: Any) -> str:
    """Return the error in a known `value` of the right type; empty without an error."""
    if rule.allowed and not _allowed(rule, value):
        return f"expected one of {', '.join(rule.allowed)}, got {value}"
    if rule.between and not any(low <= int(value) <= high for low, high in rule.between):
        ranges = " or ".join(f"({low} - {high})" for low, high in rule.between)
        return f"expected to be in the range {ranges}, got {value}"
    if rule.length and not rule.length[0] <= len(value) <= rule.length[1]:
        return f"expected length to be in the range ({rule.length[0]} - {rule.length[1]}), got {value!r}"
    # The rule of a list of objects is asked about each object too.
    if rule.items and isinstance(value, list) and not rule.items[0] <= len(value) <= rule.items[1]:
        return f"expected {rule.items[0]} to {rule.items[1]} items, got {len(value)}"
    if rule.pattern and not re.search(rule.pattern, value):
        return f"{value!r} does not match {rule.pattern}"
    return _FORMS[rule.form](value) if rule.form else ""


def _allowed(rule: Rule, value: str) -> bool:
    if rule.ignore_case:
        return value.lower() in {each.lower() for each in rule.allowed}
    return value in rule.allowed


def _arn(value: str) -> str:
    """verify.ValidARN: partition, and an account of 12 digits (or none, aws, or a cloudfront word)."""
    parts = value.split(":", 5)
    if not value:
        return ""
    if len(parts) < 6 or parts[0] != "arn" or not re.fullmatch(r"aws(-[a-z]+)*", parts[1]):  # noqa: PLR2004
        return f"{value!r} is an invalid ARN: it must be arn:partition:service:region:account:resource"
    if not re.fullmatch(r"(aws|\d{12})?", parts[4]):
        return f"{value!r} is an invalid ARN: invalid account ID value {parts[4]!r}"
    return ""


def _cidr(version: int) -> Callable[[str], str]:
    def check(value: str) -> str:
        try:
            network = ipaddress.ip_network(value)
        except ValueError as error:
            return f"{value!r} is not a valid IPv{version} CIDR block: {error}"
        right = network.version == version and "/" in value
        return "" if right else f"{value!r} is not a valid IPv{version} CIDR block, such as 10.0.0.0/8"

    return check


def _address(version: int) -> Callable[[str], str]:
    def check(value: str) -> str:
        try:
            return "" if ipaddress.ip_address(value).version == version else f"{value!r} is not IPv{version}"
        except ValueError:
            return f"expected a valid IPv{version} address, got {value!r}"

    return check


def _health_check_port(value: str) -> str:
    if value == "traffic-port" or (value.isdigit() and 1 <= int(value) <= 65536):  # noqa: PLR2004
        return ""
    return f'must be a valid port number (1-65536) or "traffic-port", got {value!r}'


def _policy(most: int, where: str) -> Callable[[str], str]:
    """verify.ValidIAMPolicyJSON: a JSON object, not blank, not starting with white space."""

    def check(value: str) -> str:
        if not value or value[0] != "{":
            return "contains an invalid JSON policy: not a JSON object"
        try:
            document = json.loads(value)
        except ValueError as error:
            return f"contains an invalid JSON policy: {error}"
        if not isinstance(document, dict):
            return "contains an invalid JSON policy: not a JSON object"
        size = len("".join(value.split()))
        if size > most:
            return f"{size} characters beside white space; AWS takes {most} {where}"
        return ""

    return check


def _ip_protocol(value: str) -> str:
    """Check for a protocol name of EC2 or an IANA number; -1 means all protocols."""
    right = value.lower() in ("-1", "all", "tcp", "udp", "icmp", "icmpv6") or value.isdigit()
    return "" if right else f"expected tcp, udp, icmp, icmpv6, -1 or a protocol number, got {value!r}"


def _alarm_period(value: Any) -> str:
    right = value in (10, 20, 30) or (value >= 0 and value % 60 == 0)
    return "" if right else f"expected 10, 20, 30 or a multiple of 60, got {value}"


def _any_text(_value: str) -> str:
    """No check: the form says how two values are compared (diff.py)."""
    return ""


def _nullable_bool(value: str) -> str:
    return "" if value in ("", "true", "false", "1", "0") else f"expected true or false, got {value!r}"


def _off_or_percentage(value: str) -> str:
    right = value == "off" or (value.isdigit() and 1 <= int(value) <= 100)  # noqa: PLR2004
    return "" if right else f"must be an integer between 1 and 100 or 'off', got {value!r}"


def _off_or_count(value: str) -> str:
    return "" if value == "off" or value.isdigit() else f"must be an integer or 'off', got {value!r}"


_FORMS: Final[Mapping[str, Callable[[str], str]]] = {
    "alarm-period": _alarm_period,
    "arn": _arn,
    "cidr4": _cidr(4),
    "cidr6": _cidr(6),
    "ipv4": _address(4),
    "ipv6": _address(6),
    "dns-name": _any_text,
    "health-check-port": _health_check_port,
    "ip-protocol": _ip_protocol,
    "policy": _policy(_USER_POLICY, "inside one user"),
    "role-policy": _policy(_ROLE_POLICY, "inside one role"),
    "trust-policy": _policy(_TRUST_POLICY, "as a trust policy"),
    "true-or-false": _nullable_bool,
    "off-or-percentage": _off_or_percentage,
    "off-or-count": _off_or_count,
}
