"""`confirm GROUP HOLD-ID`: let a doubtful removal go that the brake holds, for 15 minutes.

Exit codes: 0 written, 1 the API server does not answer, 2 a flag or variable is wrong, 3 there is no such
hold, or RBAC does not allow it.
"""

import argparse
import asyncio
import os
import time
from collections.abc import Iterable, Mapping
from typing import Any

from syncer.asking.printing import Exit, complain, show, show_json
from syncer.asking.reach import records_of
from syncer.asking.status import ask_status
from syncer.errors import ClusterError, DeniedError, MisconfiguredError
from syncer.model import TargetGroupArn
from syncer.record import confirm as write_confirmation
from syncer.settings import Settings, load


def confirm(args: argparse.Namespace) -> int:
    """Write the confirmation where the syncer reads it; the syncer that answers must hold just this."""
    settings = load(os.environ)
    arn = _group(settings, args.group)
    records = records_of(settings)
    if records is None:
        raise MisconfiguredError(
            "NLB_SYNC_NAMESPACE is not set; allowed: the namespace of the syncer's ConfigMap"
        )
    said = _asked(args.url)
    if wrong := _other_hold(said, arn, args.hold):
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
        show_json({"target_group": arn, "hold_id": args.hold, "confirmed": True})
    else:
        show(f"{args.hold} is confirmed for 15 minutes; {_then(said)}")
    return Exit.WELL


def _group(settings: Settings, named: str) -> TargetGroupArn:
    for each in settings.groups:
        if named in {each.group.arn, each.group.name}:
            return each.group.arn
    known = ", ".join(each.group.name for each in settings.groups)
    raise MisconfiguredError(f"GROUP is {named!r}; allowed: {known}, or an ARN of them")


def _asked(url: str) -> Mapping[str, Any]:
    try:
        return ask_status(url)
    except (OSError, ValueError):
        complain(f"no syncer answers at {url}, so nobody says whether it still holds this")
        return {}


def _then(said: Mapping[str, Any]) -> str:
    """What comes of it, as far as the syncer that answers can tell."""
    if said.get("paused"):
        return "but the syncer is paused and lets nothing go"
    if not said or said.get("leader") is False:
        return "the syncer that leads lets it go within seconds, if it holds just this"
    return "the syncer lets it go within seconds"


def _other_hold(said: Mapping[str, Any], arn: TargetGroupArn, hold: str) -> str:
    """Why the hold is not there to be confirmed; "" where it is, or where nobody can tell."""
    if said.get("leader") is False:
        return ""
    groups: Iterable[Mapping[str, Any]] = said.get("groups", ())
    for group in groups:
        if group["target_group"] == arn and group.get("hold_id") != hold:
            return f"there is no hold {hold}; {_holds(group.get('hold_id'))}"
    return ""


def _holds(hold: object) -> str:
    return f"the group holds {hold} now" if hold else "the group holds nothing that waits to be confirmed"
