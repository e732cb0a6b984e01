"""What the environment says, parsed once, before anything is started, into one frozen record."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from syncer.decide.policy import NodePolicy, Ownership, PlanPolicy
from syncer.decide.selector import EVERYTHING, Selector
from syncer.environment import SPACE
from syncer.errors import MisconfiguredError
from syncer.parsers import GroupSettings, Secret, ServicePort
from syncer.quote import named, quoted
from syncer.variables import GROUPS_ALLOWED, TABLE, Setting

__all__ = ["TABLE", "GroupSettings", "ServicePort", "Settings", "as_help", "as_markdown", "load"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the environment says. Times in seconds. Secrets do not show in its repr.

    `groups_from` is the variable that named the groups.
    """

    groups: tuple[GroupSettings, ...]
    groups_from: str
    node_selector: Selector
    ownership: Ownership
    leaving_taints: tuple[str, ...]
    cordon_leaves: bool
    target_limit: int | None
    zones: frozenset[str] | None
    cross_zone: bool
    serving_share: float
    paused: bool
    namespace: str
    name: str
    read_every: float
    read_awaited_every: float
    address: str
    port: int
    probe_port: int | None
    http_hosts: frozenset[str]
    metrics: bool
    log_level: str
    access_key: str
    secret_key: Secret

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


def load(environment: Mapping[str, str]) -> Settings:
    """The settings; MisconfiguredError names the wrong variable, what it says and what is allowed."""
    known = {row.name for row in TABLE}
    for name in sorted(environment):
        if name.startswith("NLB_SYNC_") and name not in known and not _is_service_link(name):
            raise MisconfiguredError(_not_a_setting(name, known))
    values: dict[str, Any] = {}
    for row in TABLE:
        if not values.get(row.field):
            values[row.field] = _read(row, environment)
            if row.field == "groups":
                values["groups_from"] = row.name
    if not values["groups"]:
        raise MisconfiguredError(f"NLB_SYNC_TARGET_GROUPS is not set; allowed: {GROUPS_ALLOWED}")
    _take_label_filter(values)
    values.pop("region")  # known, so that the predecessor's Deployment is not refused for it
    if bool(values["access_key"]) != bool(values["secret_key"]):
        names = ("AWS_ACCESS_KEY", "AWS_SECRET_KEY")
        there, absent = names if values["access_key"] else reversed(names)
        raise MisconfiguredError(f"{absent} is not set, but {there} is; allowed: both or none")
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
            f"NLB_SYNC_LABELFILTERKEY is {quoted(key)} and NLB_SYNC_LABELFILTERVALUE {quoted(value)} "
            f"({error}); "
            "allowed: a label's key and its value"
        ) from None


# {NAME}_SERVICE_HOST, {NAME}_PORT_80_TCP_ADDR and such, for Services called nlb-sync or nlb-sync-SOMETHING.
_SERVICE_LINK = re.compile(
    r"NLB_SYNC(_[A-Z0-9_]+)?"
    r"(_SERVICE_HOST|_SERVICE_PORT(_[A-Z0-9_]+)?|_PORT(_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)"
)


def _is_service_link(name: str) -> bool:
    """Whether the kubelet makes such a variable for a Service beside the Pod, such as nlb-sync-metrics.

    Source: "environment variables" in Kubernetes' Service documentation.
    """
    return _SERVICE_LINK.fullmatch(name) is not None


def _not_a_setting(name: str, known: Collection[str]) -> str:
    """One line for a variable that nobody reads; its value is not told, for it may be a misplaced key."""
    from difflib import get_close_matches  # noqa: PLC0415 - only for a misspelt name

    near = get_close_matches(name, known, n=1, cutoff=0.8)
    hint = f"did you mean {near[0]}? " if near else ""
    return f"{named(name)} is not a setting; {hint}allowed: what `python -m syncer run --help` lists"


def _read(row: Setting, environment: Mapping[str, str]) -> Any:
    text = environment.get(row.name, "").strip(SPACE)
    if row.name.endswith("_PORT") and text.startswith("tcp://"):
        text = ""  # the service link of a Service called nlb-sync or nlb-sync-probe, not ours
    try:
        return row.parse(text or row.default)
    except ValueError as error:
        hint = f" ({error})" if row.explains else ""
        allowed = f"{row.allowed} {row.unit}".strip()
        raise MisconfiguredError(f"{row.name} is {quoted(text)}{hint}; allowed: {allowed}") from None


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
