"""The quarantine of the running syncer: only the syncer's process has the list."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from syncer.commands.status import ask_status
from syncer.decide.reasons import hold_text
from syncer.model import OWN_PORT, QUARANTINES, GroupState, InstanceId, Target, TargetGroupArn, Why

# A syncer answers within a second; the command does not wait for another program on the port.
_PATIENCE_S = 2.0


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Why a target is quarantined, and the seconds until the next attempt."""

    why: Why
    retry_in: float


Quarantine = Mapping[TargetGroupArn, Mapping[Target, Quarantined]]


def quarantine_at(url: str) -> Quarantine:
    """Return the quarantine of the syncer at `url`; empty without an answer, or from an older version."""
    try:
        groups = ask_status(url, _PATIENCE_S)["groups"]
        return {TargetGroupArn(group["target_group"]): _targets(group) for group in groups}
    except (OSError, LookupError, TypeError, ValueError):
        return {}


def _targets(group: Mapping[str, Any]) -> Mapping[Target, Quarantined]:
    return {
        Target(InstanceId(each["id"]), int(each["port"] or OWN_PORT)): Quarantined(
            Why(each["why"]), float(each["retry_in"])
        )
        for each in group.get("quarantined", [])
        if each["why"] in QUARANTINES
    }


def quarantined(state: GroupState, targets: Mapping[Target, Quarantined]) -> GroupState:
    """Return `state` as the running syncer plans with it."""
    return replace(
        state,
        set_aside={target: each.why for target, each in targets.items()},
        stuck=frozenset(target for target, each in targets.items() if each.why is Why.POISON),
    )


def reason_text(why: Why, retry_in: float | None) -> str:
    """Return the condition that ends a hold, with the remaining time if known."""
    return hold_text(why) + ("" if retry_in is None else f", in {math.ceil(retry_in)} s")
