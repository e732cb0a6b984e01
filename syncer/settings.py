"""Every variable the syncer reads, in one table; parsed once, before anything is started, into one record."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from syncer.decide.policy import LEAVING_TAINTS, NodePolicy, Ownership, PlanPolicy
from syncer.decide.selector import EVERYTHING, Selector
from syncer.elb.arn import GroupArn, parse_arn
from syncer.errors import MisconfiguredError

_SERVICE = re.compile(
    r"(?P<service>[a-z0-9]([-a-z0-9]*[a-z0-9])?/[a-z]([-a-z0-9]*[a-z0-9])?):(?P<port>[a-z0-9-]{1,63})"
)


@dataclass(frozen=True, slots=True)
class ServicePort:
    """A port of a Service, whose live NodePort is followed: `namespace/name` and the port's name."""

    service: str
    port: str


@dataclass(frozen=True, slots=True)
class GroupSettings:
    """One target group and where its targets' port comes from; None is the group's own port."""

    group: GroupArn
    port: ServicePort | int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the environment says. Times in seconds. Secrets do not show in its repr."""

    groups: tuple[GroupSettings, ...]
    node_selector: Selector
    ownership: Ownership
    leaving_taints: tuple[str, ...]
    cordon_leaves: bool
    target_limit: int | None
    zones: frozenset[str] | None
    cross_zone: bool
    serving_share: float
    paused: bool
    read_every: float
    read_awaited_every: float
    region: str
    address: str
    port: int
    metrics: bool
    log_level: str
    access_key: str
    secret_key: "Secret"

    @property
    def node_policy(self) -> NodePolicy:
        """How Nodes are judged."""
        return NodePolicy(
            selector=self.node_selector,
            leaving_taints=self.leaving_taints,
            cordon_leaves=self.cordon_leaves,
        )

    @property
    def plan_policy(self) -> PlanPolicy:
        """How far a plan may go."""
        return PlanPolicy(
            ownership=self.ownership,
            share=self.serving_share,
            target_limit=self.target_limit,
            zones=self.zones,
            cross_zone=self.cross_zone,
        )


class Secret(str):
    """A string that its repr does not tell."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Masked, for logs of settings."""
        return "'***'" if self else "''"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A row of the table. `field` is where its value goes in Settings; several rows may share one."""

    name: str
    field: str
    default: str
    allowed: str
    reason: str
    parse: Callable[[str], Any]
    unit: str = ""


def _one_of(*words: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in words:
            raise ValueError
        return text

    return parse


def _boolean(text: str) -> bool:
    # The predecessor read its own switch with Go's strconv.ParseBool: the same words.
    if text.lower() in {"1", "t", "true"}:
        return True
    if text.lower() in {"0", "f", "false"}:
        return False
    raise ValueError


def _number(low: float, high: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        value = float(text)
        if not low <= value <= high:
            raise ValueError
        return value

    return parse


def _port(text: str) -> int:
    value = int(text)
    if not 1 <= value <= 65535:  # noqa: PLR2004
        raise ValueError
    return value


def _limit(text: str) -> int | None:
    if not text:
        return None
    value = int(text)
    if not 1 <= value <= 5000:  # noqa: PLR2004
        raise ValueError
    return value


def _zones(text: str) -> frozenset[str] | None:
    return frozenset(_words(text)) or None


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _groups(text: str) -> tuple[GroupSettings, ...]:
    groups = tuple(_group(word) for word in _words(text))
    arns = [each.group.arn for each in groups]
    for arn in arns:
        if arns.count(arn) > 1:
            raise ValueError(f"{arn} is there twice")
    return groups


def _group(word: str) -> GroupSettings:
    arn, _, source = word.partition("=")
    group = parse_arn(arn.strip())
    if not source:
        return GroupSettings(group)
    if source.startswith(":"):
        try:
            return GroupSettings(group, _port(source[1:]))
        except ValueError:
            raise ValueError(f"{source!r} after {group.name} is not a port from 1 to 65535") from None
    match = _SERVICE.fullmatch(source)
    if match is None:
        raise ValueError(f"{source!r} after {group.name} is not namespace/service:portname")
    return GroupSettings(group, ServicePort(match["service"], match["port"]))


_GROUPS_ALLOWED = "ARN, ARN=namespace/service:portname or ARN=:nodeport, comma-separated, each ARN once"

TABLE: tuple[Setting, ...] = (
    Setting(
        name="NLB_SYNC_TARGET_GROUPS",
        field="groups",
        default="",
        allowed=_GROUPS_ALLOWED,
        parse=_groups,
        reason="The groups to keep filled. With a Service's port its live NodePort is followed; "
        "a bare ARN registers with the group's own port.",
    ),
    Setting(
        name="NLB_SYNC_TARGETGROUPARNS",
        field="groups",
        default="",
        allowed=_GROUPS_ALLOWED,
        parse=_groups,
        reason="The predecessor's name of NLB_SYNC_TARGET_GROUPS, read when that one is not set.",
    ),
    Setting(
        name="NLB_SYNC_NODE_SELECTOR",
        field="node_selector",
        default="",
        allowed="a Kubernetes label selector",
        parse=Selector.parse,
        reason="Which nodes may be targets; empty means all, as the cluster's own exclusion label decides.",
    ),
    Setting(
        name="NLB_SYNC_LABELFILTERKEY",
        field="label_key",
        default="",
        allowed="a label's key",
        parse=str,
        reason="The predecessor's selector: used, together with the value, only when both are set.",
    ),
    Setting(
        name="NLB_SYNC_LABELFILTERVALUE",
        field="label_value",
        default="",
        allowed="a label's value",
        parse=str,
        reason="The predecessor's selector: used, together with the key, only when both are set.",
    ),
    Setting(
        name="NLB_SYNC_OWNERSHIP",
        field="ownership",
        default="tracked",
        allowed=", ".join(Ownership),
        parse=Ownership,
        reason="tracked removes only what it registered itself; exclusive also removes foreign targets and "
        "is for groups that nobody else fills; add-only removes nothing.",
    ),
    Setting(
        name="NLB_SYNC_LEAVING_TAINTS",
        field="leaving_taints",
        default=",".join(LEAVING_TAINTS),
        allowed="taint keys, comma-separated; a trailing /* is a prefix",
        parse=_words,
        reason="A node with one of them is about to go and is deregistered while it still answers.",
    ),
    Setting(
        name="NLB_SYNC_CORDON_LEAVES",
        field="cordon_leaves",
        default="false",
        allowed="true, false",
        parse=_boolean,
        reason="Whether a cordoned node leaves. Kubernetes itself does not say so; kops and drains by hand "
        "only cordon.",
    ),
    Setting(
        name="NLB_SYNC_TARGET_LIMIT",
        field="target_limit",
        default="",
        allowed="1 to 5000",
        parse=_limit,
        reason="How many targets a group may hold. AWS's default is 500 for an NLB with cross-zone, shared by "
        "its groups; without a limit it is learnt from TooManyTargets.",
    ),
    Setting(
        name="NLB_SYNC_ZONES",
        field="zones",
        default="",
        allowed="availability zones, comma-separated",
        parse=_zones,
        reason="The zones that the load balancer serves: a node elsewhere would stay an unused target.",
    ),
    Setting(
        name="NLB_SYNC_CROSS_ZONE",
        field="cross_zone",
        default="true",
        allowed="true, false",
        parse=_boolean,
        reason="false where cross-zone load balancing is off: then each zone keeps its own share serving.",
    ),
    Setting(
        name="NLB_SYNC_SERVING_SHARE",
        field="serving_share",
        default="0.5",
        allowed="0 to 1",
        parse=_number(0, 1),
        reason="The share of what served in the last ten minutes that goes on serving while nodes leave.",
    ),
    Setting(
        name="NLB_SYNC_PAUSED",
        field="paused",
        default="false",
        allowed="true, false",
        parse=_boolean,
        reason="Observes and reports, writes nothing to AWS.",
    ),
    Setting(
        name="NLB_SYNC_READ_SECONDS",
        field="read_every",
        default="30",
        unit="s",
        allowed="5 to 300",
        parse=_number(5, 300),
        reason="How often each group is read for drift: one DescribeTargetHealth, 0.1 % of "
        "AWS's 50 a second.",
    ),
    Setting(
        name="NLB_SYNC_READ_AWAITED_SECONDS",
        field="read_awaited_every",
        default="5",
        unit="s",
        allowed="1 to 60",
        parse=_number(1, 60),
        reason="How often a group is read while a target is to become healthy.",
    ),
    Setting(
        name="NLB_SYNC_AWSREGION",
        field="region",
        default="",
        allowed="an AWS region",
        parse=str,
        reason="The predecessor's name of AWS_REGION. A group's ARN names its region, and that one wins.",
    ),
    Setting(
        name="NLB_SYNC_ADDRESS",
        field="address",
        default="",
        allowed="an address of this host",
        parse=str,
        reason="Where /healthz, /readyz, /metrics and /status listen. Default: every address where "
        "KUBERNETES_SERVICE_HOST is set (a Pod has its own), else 127.0.0.1.",
    ),
    Setting(
        name="NLB_SYNC_PORT",
        field="port",
        default="8080",
        allowed="1 to 65535",
        parse=_port,
        reason="The one HTTP port.",
    ),
    Setting(
        name="NLB_SYNC_PROMETHEUS",
        field="metrics",
        default="true",
        allowed="true, false",
        parse=_boolean,
        reason="false closes /metrics, and only that.",
    ),
    Setting(
        name="NLB_SYNC_LOG_LEVEL",
        field="log_level",
        default="info",
        allowed="debug, info, warning, error",
        parse=_one_of("debug", "info", "warning", "error"),
        reason="info is one line a decision.",
    ),
    Setting(
        name="AWS_ACCESS_KEY",
        field="access_key",
        default="",
        allowed="an access key id",
        parse=str,
        reason="The predecessor's name of AWS_ACCESS_KEY_ID, read when that one is not set.",
    ),
    Setting(
        name="AWS_SECRET_KEY",
        field="secret_key",
        default="",
        allowed="a secret access key",
        parse=Secret,
        reason="The predecessor's name of AWS_SECRET_ACCESS_KEY, read when that one is not set.",
    ),
)


def load(environment: Mapping[str, str]) -> Settings:
    """The settings; MisconfiguredError names the wrong variable, what it says and what is allowed."""
    known = {row.name for row in TABLE}
    for name in sorted(environment):
        if name.startswith("NLB_SYNC_") and name not in known and not _is_service_link(name):
            raise MisconfiguredError(f"{name} is not a setting; see `python -m syncer run --help`")
    values: dict[str, Any] = {}
    for row in TABLE:
        if not values.get(row.field):
            values[row.field] = _read(row, environment)
    if not values["groups"]:
        raise MisconfiguredError(f"NLB_SYNC_TARGET_GROUPS is not set; allowed: {_GROUPS_ALLOWED}")
    _take_label_filter(values)
    if bool(values["access_key"]) != bool(values["secret_key"]):
        raise MisconfiguredError("AWS_ACCESS_KEY and AWS_SECRET_KEY belong together; one of them is not set")
    settings = Settings(**values)
    if settings.address:
        return settings
    in_pod = bool(environment.get("KUBERNETES_SERVICE_HOST"))
    return replace(settings, address="" if in_pod else "127.0.0.1")


def _take_label_filter(values: dict[str, Any]) -> None:
    """Turn the predecessor's filter into a selector, where there is no selector and both halves are set."""
    key, value = values.pop("label_key"), values.pop("label_value")
    if not (key and value) or values["node_selector"] != EVERYTHING:
        return
    try:
        values["node_selector"] = Selector.parse(f"{key}={value}")
    except ValueError as error:
        raise MisconfiguredError(
            f"NLB_SYNC_LABELFILTERKEY is {key!r} and NLB_SYNC_LABELFILTERVALUE {value!r} ({error}); "
            "allowed: a label's key and its value"
        ) from None


def _is_service_link(name: str) -> bool:
    """Whether the kubelet made `name` for a Service called nlb-sync (NLB_SYNC_SERVICE_HOST, NLB_SYNC_PORT_…).

    Source: "environment variables" in Kubernetes' Service documentation.
    """
    return name.startswith(("NLB_SYNC_SERVICE_", "NLB_SYNC_PORT_"))


def _read(row: Setting, environment: Mapping[str, str]) -> Any:
    text = environment.get(row.name, "").strip()
    if row.name == "NLB_SYNC_PORT" and text.startswith("tcp://"):
        text = ""  # the service link of a Service called nlb-sync, not ours
    try:
        return row.parse(text or row.default)
    except ValueError as error:
        hint = f" ({error})" if row.field in {"groups", "node_selector"} else ""
        raise MisconfiguredError(f"{row.name} is {text!r}{hint}; allowed: {row.allowed}") from None


def as_markdown() -> str:
    """The table as docs/settings.md shows it."""
    lines = ["| variable | default | allowed | what for |", "|---|---|---|---|"]
    for row in TABLE:
        default = f"`{row.default}`{' ' + row.unit if row.unit else ''}" if row.default else "-"
        lines.append(f"| `{row.name}` | {default.replace(',', ', ')} | {row.allowed} | {row.reason} |")
    return "\n".join(lines) + "\n"


def as_help() -> str:
    """The table as `run --help` shows it."""
    return "\n".join(
        f"  {row.name}\n      {row.reason}\n      allowed: {row.allowed}"
        + (f"; default: {row.default}{' ' + row.unit if row.unit else ''}" if row.default else "")
        for row in TABLE
    )
