"""`status`: the state of the running syncer, from /status.

Exit codes: 0 all is well, 1 not ready or a group's last good pass is too old, 2 a flag is wrong, 3 no syncer
answers.
"""

import argparse
import json
import time
import urllib.error
from collections import Counter
from collections.abc import Iterator, Mapping
from http.client import HTTPException
from typing import Any
from urllib.request import ProxyHandler, build_opener

from syncer.commands.printing import Exit, complain, show, show_json, show_table
from syncer.decide.reasons import hold_text
from syncer.model import OWN_PORT_TEXT

_PATIENCE_S = 10.0
_MOST_BYTES = 64 * 1024 * 1024  # 2 MB for 5,000 nodes


def status(args: argparse.Namespace) -> int:
    """Print the syncer's state; the result is not well if a group's last good pass is too old."""
    try:
        answer = ask_status(args.url)
    except OSError as error:
        why = getattr(error, "reason", error)
        complain(
            f"no syncer answers at {args.url} ({why}); "
            "run `kubectl -n NAMESPACE port-forward deploy/nlb-sync 8080`, or set --url"
        )
        return Exit.NOT_POSSIBLE
    except ValueError:
        complain(f"{args.url} is not a syncer; set --url to the syncer")
        return Exit.NOT_POSSIBLE
    amiss = list(_amiss(answer, args.stale_after))
    if args.json:
        show_json({**answer, "well": not amiss, "amiss": amiss})
    else:
        _show(answer)
        for line in amiss:
            complain(line)
    return Exit.NOT_WELL if amiss else Exit.WELL


def ask_status(url: str, patience: float = _PATIENCE_S) -> Mapping[str, Any]:
    """Read /status; OSError without an answer, ValueError for another document."""
    try:
        with build_opener(ProxyHandler({})).open(f"{url}/status", timeout=patience) as reply:
            answer = json.loads(reply.read(_MOST_BYTES))
    except urllib.error.HTTPError as error:
        error.close()
        raise ValueError from None
    except (HTTPException, RecursionError):
        raise ValueError from None
    if not _is_status(answer):
        raise ValueError
    return dict(answer)


def _is_status(answer: Any) -> bool:
    """Return whether the document is a syncer's: other programs have groups too."""
    if not isinstance(answer, dict) or not _has_lists(answer, "groups", "nodes", "problems"):
        return False
    return all(
        isinstance(group, dict)
        and ":targetgroup/" in str(group.get("target_group"))
        and _has_lists(group, "targets", "register", "deregister", "held")
        for group in answer["groups"]
    )


def _has_lists(answer: Mapping[str, Any], *names: str) -> bool:
    return all(isinstance(answer.get(name), list) for name in names)


def _amiss(answer: Mapping[str, Any], stale_after: float) -> Iterator[str]:
    """List the problems for a user, a line for each problem."""
    if not answer.get("ready"):
        yield f"not ready: {answer.get('waiting_for') or 'see /readyz'}"
    elif answer.get("leader") is False and answer.get("election"):
        yield f"the leader is unknown: {answer['election']}"
    for group in answer["groups"]:
        age = _age(answer, group)
        name = _name(group)
        if age is None:
            yield f"{name}: no good pass since the start{_because(group)}"
        elif age > stale_after:
            why = _because(group) or "".join(f": {each}" for each in answer.get("problems", ())[:1])
            yield f"{name}: the last good pass is {age:.0f} s ago{why}"


def _because(group: Mapping[str, Any]) -> str:
    waits = f"waits for {group['waiting_for']}" if group.get("waiting_for") else ""
    why = group.get("problem") or group.get("read_problem") or waits
    return f": {why}" if why else ""


def _show(answer: Mapping[str, Any]) -> None:
    verdicts = Counter(node["verdict"] for node in answer.get("nodes", ()))
    if "version" in answer:  # missing in the answer of an older version
        show(f"version    {answer['version']}")
    show(f"ready      {'yes' if answer.get('ready') else 'no: ' + str(answer.get('waiting_for'))}")
    for switch in ("leader", "paused", "blind"):
        if switch in answer:
            show(f"{switch:<10} {'yes' if answer[switch] else 'no'}{_standing_by(switch, answer)}")
    show(f"ownership  {answer.get('ownership')}")
    show(f"nodes      {', '.join(f'{verdicts[each]} {each}' for each in ('in', 'leaving', 'out'))}")
    for problem in answer.get("problems", ()):
        show(f"problem    {problem}")
    show("")
    head = ("GROUP", "PORT", "REGISTERED", "HEALTHY", "FLOOR", "TO REGISTER", "TO DEREGISTER", "HELD")
    show_table((*head, "LAST GOOD PASS", "PROBLEM"), (_row(answer, group) for group in answer["groups"]))
    for group in answer["groups"]:
        _show_held(group)


def _standing_by(switch: str, answer: Mapping[str, Any]) -> str:
    """Explain a standby replica's answer: `kubectl exec deploy/…` selects any replica."""
    if switch != "leader" or answer["leader"] or answer.get("paused") or answer.get("election"):
        return ""
    return ": another replica is the leader; its changes appear here within 30 s"


def _row(answer: Mapping[str, Any], group: Mapping[str, Any]) -> tuple[str, ...]:
    age = _age(answer, group)
    return (
        _name(group),
        OWN_PORT_TEXT if group.get("own_port") else str(group.get("port") or "-"),
        str(group.get("registered", "-")),
        str(group.get("healthy", "-")),
        "-" if group.get("floor") is None else str(group["floor"]),
        *(str(len(group[each])) for each in ("register", "deregister", "held")),
        "never" if age is None else f"{age:.0f} s ago",
        _because(group).removeprefix(": ") or "-",
    )


def _show_held(group: Mapping[str, Any]) -> None:
    for why, count in sorted(Counter(held["why"] for held in group["held"]).items()):
        show(f"{_name(group)} holds {count} for {why}: {hold_text(why)}")
    if hold := group.get("hold_id"):
        show(f"{_name(group)} waits for capacity or approval: nlb-sync confirm {_name(group)} {hold}")


def _age(answer: Mapping[str, Any], group: Mapping[str, Any]) -> float | None:
    """Return the seconds since the last good pass, by the syncer's own clock where /status has the time."""
    good = group.get("last_good_pass")
    return None if good is None else max(0.0, float(answer.get("now") or time.time()) - float(good))


def _name(group: Mapping[str, Any]) -> str:
    """Return the group's name from `…:targetgroup/NAME/ID`."""
    return str(group["target_group"]).split("/")[1]
