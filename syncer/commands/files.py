"""`explain` and `plan`: why a node is a target or not, and what AWS would be sent now.

With files, neither command needs a cluster or AWS, nor imports their SDKs. Exit codes: 0 answered, 2 a file,
flag or variable is wrong, 3 no such node; without files, see `syncer.commands.live`.
"""

import argparse
import codecs
import json
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NoReturn, TypeVar

from syncer.commands.names import hint, plain
from syncer.commands.plan_table import show_plans
from syncer.commands.printing import Exit, authoritative_note, complain, show, show_json, show_table
from syncer.commands.reading import read_whole
from syncer.config.settings import load
from syncer.decide import answers
from syncer.decide.desired import choose, final_verdicts, registered_instances
from syncer.decide.documents import DocumentError, read_nodes, read_targets
from syncer.decide.evaluate import evaluate
from syncer.decide.policy import NodePolicy, Ownership, PlanPolicy
from syncer.decide.reasons import meaning_of, override_text
from syncer.decide.selector import Selector, SelectorError
from syncer.decide.zones import zone_text
from syncer.errors import MisconfiguredError
from syncer.model import GroupState, InstanceId, TargetGroupArn, TargetHealth, Verdict

# Settings require a target group; with files these two commands need none. No request uses the ARN.
_NO_GROUP = "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/none/0000000000000000"

# Older PowerShells write UTF-16; the text is decoded as such.
_MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
    (codecs.BOM_UTF8, "UTF-8"),
)
_Shape = TypeVar("_Shape")


def explain(args: argparse.Namespace) -> int:
    """Explain from files if given, else from the live cluster and AWS."""
    if args.nodes is not None:
        return explain_files(args)
    if args.targets:
        return _refuse(MisconfiguredError("--targets without -f; add -f, or omit --targets to read AWS"))
    from syncer.commands import live  # noqa: PLC0415 - boto3 and kubernetes only where they are needed

    return live.explain(args)


def plan(args: argparse.Namespace) -> int:
    """Plan from files if given, else from the live state of every group."""
    if args.nodes is not None or args.targets or args.port or args.target_group:
        missing = [flag for flag in ("nodes", "targets", "port") if getattr(args, flag) in (None, [])]
        if missing:
            return _refuse(
                MisconfiguredError(
                    f"--{missing[0]} is missing; allowed: --nodes, --targets and --port together, or none"
                )
            )
        if len(args.port) not in {1, len(args.targets)}:
            return _refuse(_uneven("--port", args.port, args.targets, "once, or once for each --targets"))
        if len(args.target_group) not in {0, len(args.targets)}:
            return _refuse(_uneven("--target-group", args.target_group, args.targets, "once for each"))
        return plan_files(args)
    from syncer.commands import live  # noqa: PLC0415 - boto3 and kubernetes only where they are needed

    return live.plan(args)


def _uneven(flag: str, given: Sequence[object], files: Sequence[str], allowed: str) -> MisconfiguredError:
    return MisconfiguredError(
        f"{flag} is given {len(given)} times and --targets {len(files)} times; allowed: {allowed}"
    )


def explain_files(args: argparse.Namespace) -> int:
    """Print each Node's verdict and reason."""
    try:
        node_policy, policy = _policies(args, os.environ)
        _only_one_stdin([args.nodes, *args.targets])
        listed = _read(args.nodes, partial(read_nodes, policy=node_policy))
        groups = [_group(name, _read(name, read_targets)) for name in args.targets]
    except (DocumentError, MisconfiguredError, SelectorError) as error:
        return _refuse(error)
    evaluation = evaluate(listed.nodes, registered_instances(groups), node_policy)
    verdicts = final_verdicts(evaluation, choose(evaluation, groups, policy))
    overrides = answers.overrides_of(groups)
    requested = {plain(name): name for name in args.node}
    known = {name for each in verdicts for name in _names(each)}
    if requested:
        verdicts = tuple(each for each in verdicts if _names(each).intersection(requested))
    if args.json:
        show_json(answers.explained(verdicts, overrides))
    elif verdicts:
        head = ("NODE", "INSTANCE", "VERDICT", "REASON", "MEANING")
        selector = node_policy.selector.text
        show_table(head, (_explained_row(each, selector, overrides) for each in verdicts))
    elif not requested:
        show("no nodes")
    unknown = [name for name in requested if name not in known]
    for name in unknown:
        complain(f"{requested[name]} is not among the nodes of {args.nodes}{hint(name, known)}")
    return Exit.NOT_POSSIBLE if unknown else Exit.WELL


def _names(each: Verdict) -> set[str]:
    return {name for name in (each.node, each.instance_id) if name}


def _explained_row(each: Verdict, selector: str, overrides: Mapping[InstanceId, str]) -> tuple[str, ...]:
    because = meaning_of(each.reason, selector, zone_text(each.zone, each.zone_source))
    because += f" ({authoritative_note(each.authoritative)})" if each.authoritative else ""
    if each.instance_id and each.instance_id in overrides:
        because += f"; {override_text(overrides[each.instance_id])}"
    return each.node or "(no name)", each.instance_id or "-", each.standing, each.reason, because


def plan_files(args: argparse.Namespace) -> int:
    """Print the changes of each group directly after a start."""
    try:
        node_policy, policy = _policies(args, os.environ)
        _only_one_stdin([args.nodes, *args.targets])
        listed = _read(args.nodes, partial(read_nodes, policy=node_policy))
        found = [_read(name, read_targets) for name in args.targets]
    except (DocumentError, MisconfiguredError, SelectorError) as error:
        return _refuse(error)
    ports = args.port if len(args.port) > 1 else args.port * len(found)
    groups = [
        _group(name, healths, port)
        for name, healths, port in zip(args.target_group or args.targets, found, ports, strict=True)
    ]
    plans = answers.plans_from_scratch(
        listed.nodes, groups, node_policy, policy, time.time(), complete=listed.complete
    )
    if args.json:
        show_json(answers.planned(plans))
    else:
        several = len(plans) > 1
        if not show_plans((str(each.target_group) if several else "", each) for each in plans):
            show("nothing to do")
    return 0


def _group(name: str, healths: Iterable[TargetHealth], port: int | None = None) -> GroupState:
    targets = {health.target: health for health in healths}
    return GroupState(target_group=TargetGroupArn(name), targets=targets, fresh=True, port=port)


def _policies(args: argparse.Namespace, environment: Mapping[str, str]) -> tuple[NodePolicy, PlanPolicy]:
    """Return the policies of the syncer's variables; flags override variables."""
    ours = {name: text for name, text in environment.items() if name.startswith("NLB_SYNC_")}
    settings = load({**ours, "NLB_SYNC_TARGET_GROUPS": _NO_GROUP})
    node_policy, policy = settings.node_policy, settings.plan_policy
    if args.node_selector is not None:
        node_policy = replace(node_policy, selector=Selector.parse(args.node_selector))
    if getattr(args, "ownership", None) is not None:
        policy = replace(policy, ownership=Ownership(args.ownership))
    return node_policy, policy


def _read(name: str, shape: Callable[[Any], _Shape]) -> _Shape:
    """Read a file or standard input, and parse the content with `shape`."""
    shown = "standard input" if name == "-" else name or "''"
    try:
        content = read_whole(name)
    except DocumentError as error:
        raise DocumentError(f"{shown} {error}") from None
    if why := _no_text(content):
        raise DocumentError(f"{shown} {why}")
    try:
        return shape(json.loads(content, parse_constant=_no_number))
    except json.JSONDecodeError as error:
        raise DocumentError(f"{shown} {_no_json(error)}") from None
    except RecursionError:
        raise DocumentError(f"{shown} is nested too deeply; give the output of kubectl or aws") from None
    except UnicodeDecodeError:
        raise DocumentError(f"{shown} is not UTF-8 text; give the JSON output of kubectl or aws") from None
    except DocumentError as error:
        raise DocumentError(f"{shown}: {error}") from None
    except ValueError:  # Python parses no number of more than 4,300 digits
        raise DocumentError(
            f"{shown} has a number that is too long; give the output of kubectl or aws"
        ) from None


def _no_text(content: bytes) -> str:
    """Return why the bytes cannot be JSON text in any encoding; "" where they may be."""
    if content.startswith(b"\x1f\x8b"):
        return "is compressed (gzip); unpack it first"
    mark = next((name for mark, name in _MARKS if content == mark), "")
    return f"has only a byte order mark of {mark}; give the JSON output of kubectl or aws" if mark else ""


def _no_number(word: str) -> NoReturn:
    raise DocumentError(f"{word} is not a number in JSON; give the output of kubectl or aws")


def _no_json(error: json.JSONDecodeError) -> str:
    if not error.doc.strip():
        return "is empty; check the command that writes it"
    if error.msg == "Extra data":
        return (
            f"has a second document (line {error.lineno}); give one List, such as the output of kubectl "
            "get nodes"
        )
    return f"is not JSON (line {error.lineno}: {error.msg}); use -o json, or aws --output json"


def _only_one_stdin(names: list[str]) -> None:
    if names.count("-") > 1:
        raise DocumentError("- is given twice; save one of the inputs to a file")


def _refuse(error: Exception) -> int:
    complain(error)
    return Exit.MISUSE
