"""Parsers of single variables. A parser raises ValueError, with a message where the text has parts."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from syncer.elb.arn import GroupArn, parse_arn
from syncer.model import CHECK_LABEL
from syncer.text.hosts import is_host
from syncer.text.numbers import decimal, port, whole
from syncer.text.quote import quoted

_SERVICE = re.compile(
    r"(?P<service>[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?/[a-z]([-a-z0-9]{0,61}[a-z0-9])?)"
    r"(:(?P<port>[a-z0-9-]{1,63}))?"
)
# A qualified name ("labels and selectors" in Kubernetes' documentation), or `prefix/*`; a `!` exempts the
# key.
_TAINT = re.compile(
    r"!?({prefix}/\*|({prefix}/)?{name})".format(
        prefix=r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", name=r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?"
    )
)


@dataclass(frozen=True, slots=True)
class ServicePort:
    """A Service's port, to follow the live NodePort: `namespace/name` and the port.

    `port` is the port's name, the number in the Service as text, or "" for the only port.
    """

    service: str
    port: str

    def __str__(self) -> str:
        """Describe the port in words."""
        if not self.port:
            return f"the only NodePort of the Service {self.service}"
        known = f"for port {self.port}" if self.port.isdecimal() else f"named {self.port}"
        return f"a NodePort {known} of the Service {self.service}"

    def missing(self, ports: Mapping[str, int]) -> str:
        """Explain a missing port in `ports`, NodePorts by label; 0 is a port without a NodePort."""
        known = f"for port {self.port}" if self.port.isdecimal() else f"named {self.port}"
        ports = {label: number for label, number in ports.items() if label != CHECK_LABEL}
        if self.port:
            lacks, fix = f"has no NodePort {known}", "give the port a NodePort, or set another port"
        else:
            lacks, fix = f"has {len(ports)} TCP ports", "set the port, one with a NodePort"
        there = ", ".join(f"{label} (NodePort {number or 'none'})" for label, number in ports.items())
        found = f"its TCP ports: {there}" if there else "the Service is missing, or has no TCP port"
        return f"the Service {self.service} {lacks}; {found}; {fix}"


@dataclass(frozen=True, slots=True)
class GroupSettings:
    """A target group and the source of the targets' port; None is the group's own port."""

    group: GroupArn
    port: ServicePort | int | None = None


class Secret(str):
    """A string with a masked repr."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Return a mask, for logs of settings."""
        return "'***'" if self else "''"


def one_of(*allowed: str) -> Callable[[str], str]:
    """Return a parser for one of `allowed`."""

    def parse(text: str) -> str:
        if text not in allowed:
            raise ValueError
        return text

    return parse


def matching(pattern: str) -> Callable[[str], str]:
    """Return a parser for empty text or a full match of `pattern`."""

    def parse(text: str) -> str:
        if text and not re.fullmatch(pattern, text):
            raise ValueError
        return text

    return parse


def boolean(text: str) -> bool:
    """Parse a switch: true or false."""
    # The predecessor used Go's strconv.ParseBool: the words are the same.
    if text.lower() in {"1", "t", "true"}:
        return True
    if text.lower() in {"0", "f", "false"}:
        return False
    raise ValueError


def number(low: float, high: float) -> Callable[[str], float]:
    """Return a parser for a number from `low` to `high`."""
    return lambda text: decimal(text, low, high)


def limit(text: str) -> int | None:
    """Parse a number of targets; None is no limit."""
    return whole(text, 1, 5000) if text else None


def host(text: str) -> str:
    """Parse an IP address, a host name or empty text."""
    if text and not is_host(text):
        raise ValueError
    return text


def zones(text: str) -> frozenset[str] | None:
    """Parse availability zones; None without any."""
    named = _words(text)
    for zone in named:
        if not re.fullmatch(r"[a-z0-9-]+", zone):
            raise ValueError(f"{quoted(zone)} is not an availability zone name")
        if re.fullmatch(r"[a-z]{2,4}(-[a-z]{1,20}){1,4}-[0-9]{1,2}", zone):
            raise ValueError(f"{quoted(zone)} is a Region, not an availability zone such as {zone}a")
    return frozenset(named) or None


def taints(text: str) -> tuple[str, ...]:
    """Parse patterns of taint keys; `key=value:effect` would match nothing and is refused."""
    patterns = _words(text)
    for pattern in patterns:
        if not _TAINT.fullmatch(pattern):
            raise ValueError(f"{quoted(pattern)} is not a taint key")
    return patterns


def _words(text: str) -> tuple[str, ...]:
    """Split at commas."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def groups(text: str) -> tuple[GroupSettings, ...]:
    """Parse the target groups, without repeats. AWS's key of a group is region, account and the ARN's id."""
    groups = tuple(_group(word) for word in _words(text))
    if text and not groups:
        raise ValueError("missing target group ARN")
    known: dict[str, GroupSettings] = {}
    for each in groups:
        other = known.setdefault(each.group.identity, each)
        if other is each:
            continue
        if other.group.arn == each.group.arn:
            raise ValueError(f"duplicate ARN: {each.group.arn}")
        raise ValueError(
            f"{other.group.arn} and {each.group.arn} are the same target group: their ids are equal"
        )
    return groups


def _group(word: str) -> GroupSettings:
    arn, given, source = (part.strip() for part in word.partition("="))
    group = parse_arn(arn)
    if not given:
        return GroupSettings(group)
    if source.startswith(":"):
        try:
            return GroupSettings(group, port(source[1:]))
        except ValueError:
            raise ValueError(f"{quoted(source)} after {group.name} is not a port from 1 to 65535") from None
    match = _SERVICE.fullmatch(source)
    if match is None:
        raise ValueError(f"{quoted(source)} after {group.name} is not namespace/service:port")
    return GroupSettings(group, ServicePort(match["service"], _service_port(match["port"] or "", group)))


def _service_port(text: str, group: GroupArn) -> str:
    """Parse a port's name, or a number without leading zeros; a name has 1-63 characters, even all digits."""
    if not text.isdecimal():
        return text
    try:
        return str(port(text))
    except ValueError:
        raise ValueError(f"{quoted(text)} after {group.name} is not a port from 1 to 65535") from None
