"""The environment, parsed once before the start into a frozen record."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from syncer.config.parsers import GroupSettings, Secret, ServicePort
from syncer.config.validation import check_name, check_together, filtered, read
from syncer.config.variables import GROUPS_ALLOWED, TABLE
from syncer.decide.policy import NodePolicy, Ownership, PlanPolicy
from syncer.decide.selector import Selector
from syncer.errors import MisconfiguredError

__all__ = ["TABLE", "GroupSettings", "ServicePort", "Settings", "as_help", "as_markdown", "load"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The parsed environment. Times in seconds. The repr masks secrets.

    `groups_from` is the variable with the groups.
    """

    groups: tuple[GroupSettings, ...]
    groups_from: str
    node_selector: Selector
    server_side_selector: bool
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
        """The policy for Nodes."""
        return NodePolicy(
            selector=self.node_selector,
            leaving_taints=self.leaving_taints,
            cordon_leaves=self.cordon_leaves,
        )

    @property
    def sent_selector(self) -> str:
        """The `labelSelector` of every list and watch of Nodes; "" if the API server sends all Nodes."""
        return self.node_selector.as_query() if self.server_side_selector else ""

    @property
    def plan_policy(self) -> PlanPolicy:
        """The limits of a plan."""
        return PlanPolicy(
            ownership=self.ownership,
            share=self.serving_share,
            target_limit=self.target_limit,
            zones=self.zones,
            only_selected=self.server_side_selector,
            cross_zone=self.cross_zone,
        )


def load(environment: Mapping[str, str]) -> Settings:
    """Return the settings; MisconfiguredError has the wrong variable, the value and the allowed values."""
    for name in sorted(environment):
        check_name(name)
    values: dict[str, Any] = {}
    for row in TABLE:
        if not values.get(row.field):
            values[row.field] = read(row, environment.get(row.name, ""))
            if row.field == "groups":
                values["groups_from"] = row.name
    if not values["groups"]:
        raise MisconfiguredError(f"NLB_SYNC_TARGET_GROUPS is not set; allowed: {GROUPS_ALLOWED}")
    check_together(environment)
    # The predecessor's variables; `region` is accepted, so that the predecessor's Deployment stays valid.
    for field in ("label_key", "label_value", "region"):
        values.pop(field)
    settings = Settings(**values)
    settings = replace(settings, node_selector=filtered(environment) or settings.node_selector)
    if settings.address:
        return settings
    in_pod = bool(environment.get("KUBERNETES_SERVICE_HOST"))
    return replace(settings, address="" if in_pod else "127.0.0.1")


def as_markdown() -> str:
    """Return the table of docs/settings.md."""
    lines = ["| variable | default | allowed | purpose |", "|---|---|---|---|"]
    for row in TABLE:
        default = f"`{row.default}`{' ' + row.unit if row.unit else ''}" if row.default else "-"
        lines.append(f"| `{row.name}` | {default.replace(',', ', ')} | {row.allowed} | {row.reason} |")
    return "\n".join(lines) + "\n"


def as_help() -> str:
    """Return the table of `run --help`."""
    return "\n".join(
        f"  {row.name}\n      {row.reason}\n      allowed: {row.allowed}"
        + (f"; default: {row.default}{' ' + row.unit if row.unit else ''}" if row.default else "")
        for row in TABLE
    )
