"""`explain NODE` and `plan` from the live cluster and groups.

Exit codes: 0 answered, 1 a read failed, 2 a flag or variable is wrong, 3 no such node.
"""

import argparse
import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from syncer.cluster.access import configuration
from syncer.cluster.api import Api
from syncer.cluster.once import list_nodes, ports_of
from syncer.commands.flags import own_url
from syncer.commands.look import Look, Readings, look
from syncer.commands.names import hint, instance_of, plain
from syncer.commands.plan_table import show_plans
from syncer.commands.printing import Exit, authoritative_note, complain, show, show_json, show_table
from syncer.commands.quarantine import quarantine_at, reason_text
from syncer.commands.reach import aws, records_of
from syncer.commands.unread import find_unlisted
from syncer.config.settings import Settings, load
from syncer.decide import answers
from syncer.decide.explanation import AtGroup, Explanation
from syncer.decide.policy import Ownership
from syncer.decide.reasons import health_text, meaning_of, override_text
from syncer.decide.selector import Selector
from syncer.decide.zones import zone_text
from syncer.elb.arn import parse_arn
from syncer.errors import MisconfiguredError
from syncer.model import port_in_json, port_shown


def explain(args: argparse.Namespace) -> int:
    """Print the full explanation of the named nodes, or of all nodes."""
    settings = read_settings(args, os.environ)
    seen = live_look(settings)
    requested = {plain(name): name for name in args.node}
    known = {name for each in seen.explanations for name in _names(each)}
    unlisted, unread = find_unlisted(settings, seen, [name for name in requested if name not in known])
    explanations = [*seen.explanations, *unlisted]
    known.update(each.node for each in unlisted)
    problems = (*seen.problems, *unread)
    if requested:
        explanations = [each for each in explanations if _names(each).intersection(requested)]
    if args.json:
        show_json([_as_json(each, settings) for each in explanations])
    elif requested:
        for number, each in enumerate(explanations):
            _show_explanation(each, settings, gap=number > 0)
    else:
        _show_all(explanations)
    absent = "is unknown, with failed reads" if problems else ""
    unknown = [
        f"{text} {absent or _absent(name, settings)}{hint(name, known)}"
        for name, text in requested.items()
        if name not in known
    ]
    for line in (*problems, *unknown):
        complain(line)
    if problems:
        return Exit.NOT_WELL
    return Exit.NOT_POSSIBLE if unknown else Exit.WELL


def _absent(name: str, settings: Settings) -> str:
    if settings.sent_selector and instance_of(name):
        return (
            "is neither the instance of a Node that the label selector matches nor a target; "
            "give the name of the Node"
        )
    return "is neither a Node of this cluster nor a target of its groups"


def _show_all(explanations: Sequence[Explanation]) -> None:
    if explanations:
        show_table(("NODE", "INSTANCE", "VERDICT", "REASON", "AWS STATE", "NEXT"), map(_row, explanations))
    else:
        show("no nodes and no targets")


def plan(args: argparse.Namespace) -> int:
    """Print the changes and holds of each group for a syncer that has just started."""
    seen = live_look(read_settings(args, os.environ))
    if args.json:
        shown = answers.planned(seen.plans)
        for group, each in zip(shown["groups"], seen.plans, strict=True):
            group |= {"hold_id": each.hold_id, "serving": each.serving, "floor": each.floor}
        show_json({**shown, "problems": list(seen.problems)})
    else:
        _show_plans(seen)
    for problem in seen.problems:
        complain(problem)
    return Exit.NOT_WELL if seen.problems else Exit.WELL


def read_settings(args: argparse.Namespace, environment: Mapping[str, str]) -> Settings:
    """Return the settings of the syncer's variables; flags override variables."""
    settings = load(environment)
    if getattr(args, "node_selector", None) is not None:
        try:
            settings = replace(settings, node_selector=Selector.parse(args.node_selector))
        except ValueError as error:
            raise MisconfiguredError(f"--node-selector is {args.node_selector!r}: {error}") from None
    if getattr(args, "ownership", None) is not None:
        settings = replace(settings, ownership=Ownership(args.ownership))
    return settings


def live_look(settings: Settings) -> Look:
    """Read the cluster and AWS of the environment once."""
    api = Api(configuration(os.environ))
    cluster = Readings(
        nodes=lambda: list_nodes(api, settings.node_policy, settings.sent_selector),
        ports=partial(ports_of, api),
    )
    elb = aws(settings)
    try:
        return asyncio.run(
            look(settings, cluster, elb, records_of(settings), quarantine_at(own_url(os.environ)))
        )
    finally:
        elb.close()


def _names(explanation: Explanation) -> set[str]:
    return {name for name in (explanation.node, explanation.instance_id) if name}


def _as_json(explanation: Explanation, settings: Settings) -> dict[str, Any]:
    return {
        "node": explanation.node,
        "instance_id": explanation.instance_id,
        "verdict": explanation.standing.value,
        "reason": explanation.reason,
        "says": _meaning(explanation, settings),
        "speaker": explanation.authoritative,
        "zone": explanation.zone,
        "zone_source": explanation.zone_source,
        "groups": [
            {
                "target_group": at.target_group,
                "port": port_in_json(at.port),
                "state": at.state,
                "state_reason": at.reason,
                "override": at.override,
                "next": at.next,
                "why": at.why.value if at.why else "",
                **({} if at.retry_in is None else {"retry_in": at.retry_in}),
            }
            for at in explanation.groups
        ],
    }


def _meaning(explanation: Explanation, settings: Settings) -> str:
    meaning = meaning_of(
        explanation.reason,
        settings.node_selector.text,
        zone_text(explanation.zone, explanation.zone_source),
        sent=bool(settings.sent_selector),
    )
    if not explanation.unread:
        return meaning
    doubtful = "; the removal of its target is doubtful" if explanation.instance_id else ""
    if explanation.authoritative:
        doubtful = ""
    return f"{meaning}; the syncer does not read the Node: NLB_SYNC_SERVER_SIDE_SELECTOR is true{doubtful}"


def _show_explanation(explanation: Explanation, settings: Settings, *, gap: bool) -> None:
    if gap:
        show("")
    name = explanation.node or "(no Node)"
    instance = explanation.instance_id or "no instance"
    show(f"{name} ({instance}): {explanation.standing.value}, {explanation.reason}")
    show(f"  {_meaning(explanation, settings)}")
    if place := zone_text(explanation.zone, explanation.zone_source):
        show(f"  zone: {place}")
    if explanation.authoritative:
        show(f"  ({authoritative_note(explanation.authoritative)})")
    rows = [
        (
            f"  {_group_name(at)}",
            "-" if at.port is None else port_shown(at.port),
            at.state,
            "; ".join(filter(None, (health_text(at.state, at.reason), override_text(at.override)))) or "-",
            f"hold: {reason_text(at.why, at.retry_in)}" if at.why else at.next,
        )
        for at in explanation.groups
    ]
    show_table(("  GROUP", "PORT", "AWS STATE", "MEANING", "NEXT"), rows)


def _row(explanation: Explanation) -> tuple[str, ...]:
    return (
        explanation.node or "(no Node)",
        explanation.instance_id or "-",
        explanation.standing.value,
        explanation.reason,
        _each(explanation, lambda at: " ".join(filter(None, (at.state, at.reason, at.override)))),
        _each(explanation, lambda at: f"{at.next} {at.why or ''}".strip()),
    )


def _each(explanation: Explanation, shown: Callable[[AtGroup], str]) -> str:
    """Show the text of each group; once where all groups have the same text."""
    texts = [shown(at) for at in explanation.groups]
    if len(set(texts)) == 1:
        return texts[0]
    return ", ".join(f"{_group_name(at)}: {text}" for at, text in zip(explanation.groups, texts, strict=True))


def _group_name(at: AtGroup) -> str:
    return parse_arn(at.target_group).name


def _show_plans(seen: Look) -> None:
    names = [parse_arn(each.target_group).name for each in seen.plans]
    if not show_plans(zip(names, seen.plans, strict=True)):
        show("nothing to do" + (", with failed reads" if seen.problems else ""))
    for name, each in zip(names, seen.plans, strict=True):
        if each.hold_id:
            show(f"{name} waits for capacity or approval: nlb-sync confirm {name} {each.hold_id}")
