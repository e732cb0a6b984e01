"""`confirm GROUP HOLD-ID`: allow, for 15 minutes, a doubtful removal that the brake holds.

Exit codes: 0 written, 1 the API server does not answer, 2 a flag or variable is wrong, 3 no such hold, or
RBAC does not allow the write.
"""

import argparse
import asyncio
import os
import time
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from syncer.commands.printing import Exit, complain, show, show_json
from syncer.commands.reach import records_of
from syncer.commands.status import ask_status
from syncer.config.settings import Settings, load
from syncer.errors import ClusterError, DeniedError, MisconfiguredError
from syncer.model import TargetGroupArn
from syncer.reconcile.confirmations import confirm as write_confirmation


def confirm(args: argparse.Namespace) -> int:
    """Write the confirmation to the registry; refused if the syncer that answers has another hold."""
    settings = load(os.environ)
    groups = _groups(settings, args.group)
    records = records_of(settings)
    if records is None:
        raise MisconfiguredError("NLB_SYNC_NAMESPACE is not set; set the namespace of the syncer's ConfigMap")
    status = _read_status(args.url)
    if wrong := _other_hold(status, groups, args.hold):
        complain(wrong)
        return Exit.NOT_POSSIBLE
    try:
        asyncio.run(write_confirmation(records, args.hold, time.time()))
    except DeniedError as error:
        complain(error)
        return Exit.NOT_POSSIBLE
    except ClusterError as error:
        complain(error)
        return Exit.NOT_WELL
    if args.json:
        show_json(
            {"target_group": _holder(status, groups, args.hold), "hold_id": args.hold, "confirmed": True}
        )
    else:
        show(f"{args.hold} is confirmed for 15 minutes; {_then(status)}")
    return Exit.WELL


def _groups(settings: Settings, named: str) -> tuple[TargetGroupArn, ...]:
    """Return the named groups. Groups of two Regions may share a name; the hold selects the group."""
    found = tuple(each.group.arn for each in settings.groups if named in {each.group.arn, each.group.name})
    if found:
        return found
    known = ", ".join(each.group.name for each in settings.groups)
    raise MisconfiguredError(f"GROUP is {named!r}; allowed: {known}, or the ARN of one of these groups")


def _read_status(url: str) -> Mapping[str, Any]:
    try:
        return ask_status(url)
    except (OSError, ValueError):
        complain(f"no syncer answers at {url}: the hold is not checked")
        return {}


def _then(status: Mapping[str, Any]) -> str:
    """Describe the effect, as far as the answer of the syncer shows."""
    if status.get("paused"):
        return "the syncer is paused and deregisters no target"
    if not status or status.get("leader") is False:
        return "the leader deregisters the targets within seconds, if the hold is unchanged"
    return "the syncer deregisters the targets within seconds"


def _other_hold(status: Mapping[str, Any], groups: Collection[TargetGroupArn], hold: str) -> str:
    """Return why the hold cannot be confirmed; "" where the hold exists or the state is unknown."""
    holds = _holds(status, groups)
    if status.get("leader") is False or not holds or hold in holds.values():
        return ""
    known = ", ".join(filter(None, holds.values()))
    there = f"{known}" if known else "none"
    return f"unknown hold: {hold}; holds of the group: {there}"


def _holder(status: Mapping[str, Any], groups: Collection[TargetGroupArn], hold: str) -> str:
    """Return the group of the hold; the first named group where unknown."""
    holds = _holds(status, groups)
    return next((arn for arn, held in holds.items() if held == hold), next(iter(groups)))


def _holds(status: Mapping[str, Any], groups: Collection[TargetGroupArn]) -> dict[str, str]:
    """Return the hold id of each group, from the answer of the syncer."""
    listed: Iterable[Mapping[str, Any]] = status.get("groups", ())
    return {
        each["target_group"]: str(each.get("hold_id") or "")
        for each in listed
        if each["target_group"] in groups
    }
