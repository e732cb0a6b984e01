"""Reads the text of one variable: each parser raises ValueError, with a message where the text has parts."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from syncer.elb.arn import GroupArn, parse_arn

_SERVICE = re.compile(
    r"(?P<service>[a-z0-9]([-a-z0-9]*[a-z0-9])?/[a-z]([-a-z0-9]*[a-z0-9])?):(?P<port>[a-z0-9-]{1,63})"
)
# A qualified name ("labels and selectors" in Kubernetes' documentation), or `prefix/*`; a `!` exempts it.
_TAINT = re.compile(
    r"!?({prefix}/\*|({prefix}/)?{name})".format(
        prefix=r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", name=r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?"
    )
)


@dataclass(frozen=True, slots=True)
class ServicePort:
    """A port of a Service, whose live NodePort is followed: `namespace/name` and the port's name."""

    service: str
    port: str

    @property
    def missing(self) -> str:
        """What is wrong where there is no such Service, or it has no such NodePort."""
        return f"the Service {self.service} has no NodePort named {self.port}: make it one, or name another"


@dataclass(frozen=True, slots=True)
class GroupSettings:
    """One target group and where its targets' port comes from; None is the group's own port."""

    group: GroupArn
    port: ServicePort | int | None = None


class Secret(str):
    """A string that its repr does not tell."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Masked, for logs of settings."""
        return "'***'" if self else "''"


def one_of(*allowed: str) -> Callable[[str], str]:
    """One of `allowed`."""

    def parse(text: str) -> str:
        if text not in allowed:
            raise ValueError
        return text

    return parse


def matching(pattern: str) -> Callable[[str], str]:
    """Text that matches `pattern` as a whole, or none at all."""

    def parse(text: str) -> str:
        if text and not re.fullmatch(pattern, text):
            raise ValueError
        return text

    return parse


def boolean(text: str) -> bool:
    """A switch: true or false."""
    # The predecessor read its own switch with Go's strconv.ParseBool: the same words.
    if text.lower() in {"1", "t", "true"}:
        return True
    if text.lower() in {"0", "f", "false"}:
        return False
    raise ValueError


def number(low: float, high: float) -> Callable[[str], float]:
    """A number from `low` to `high`."""

    def parse(text: str) -> float:
        value = float(text)
        if not low <= value <= high:
            raise ValueError
        return value

    return parse


def port(text: str) -> int:
    """A port, 1 to 65535."""
    value = int(text)
    if not 1 <= value <= 65535:  # noqa: PLR2004
        raise ValueError
    return value


def is_url(text: str) -> bool:
    """Whether a server may be asked there: http or https, a host and perhaps a port."""
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def limit(text: str) -> int | None:
    """How many targets, or no limit."""
    if not text:
        return None
    value = int(text)
    if not 1 <= value <= 5000:  # noqa: PLR2004
        raise ValueError
    return value


def zones(text: str) -> frozenset[str] | None:
    """Availability zones, or none named."""
    named = _words(text)
    for zone in named:
        if not re.fullmatch(r"[a-z0-9-]+", zone):
            raise ValueError(f"{zone!r} is no zone's name")
    return frozenset(named) or None


def taints(text: str) -> tuple[str, ...]:
    """Patterns of taint keys; `key=value:effect` would match nothing, so it is refused."""
    patterns = _words(text)
    for pattern in patterns:
        if not _TAINT.fullmatch(pattern):
            raise ValueError(f"{pattern!r} is not a taint's key")
    return patterns


def _words(text: str) -> tuple[str, ...]:
    """Words between commas."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def groups(text: str) -> tuple[GroupSettings, ...]:
    """The target groups, each once. AWS knows a group by region, account and the id at the ARN's end."""
    groups = tuple(_group(word) for word in _words(text))
    if text and not groups:
        raise ValueError("there is no ARN")
    known: dict[str, GroupSettings] = {}
    for each in groups:
        other = known.setdefault(each.group.identity, each)
        if other is each:
            continue
        if other.group.arn == each.group.arn:
            raise ValueError(f"{each.group.arn} is there twice")
        raise ValueError(f"{other.group.arn} and {each.group.arn} are one group: their ids are the same")
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
            raise ValueError(f"{source!r} after {group.name} is not a port from 1 to 65535") from None
    match = _SERVICE.fullmatch(source)
    if match is None:
        raise ValueError(f"{source!r} after {group.name} is not namespace/service:portname")
    return GroupSettings(group, ServicePort(match["service"], match["port"]))
