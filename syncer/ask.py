"""`explain` and `plan` from files: why a node is a target or not, and what would be sent now.

Neither needs a cluster or AWS. Exit codes: 0 answered, 2 a file, flag or variable is wrong.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from syncer.decide import answers
from syncer.decide.documents import DocumentError, read_nodes, read_targets, registered_in
from syncer.decide.evaluate import evaluate
from syncer.decide.policy import NodePolicy, Ownership, PlanPolicy
from syncer.decide.selector import Selector, SelectorError
from syncer.errors import MisconfiguredError
from syncer.model import GroupPlan, GroupState, TargetGroupArn
from syncer.settings import load

# Settings want a target group; these two questions have none. It is never asked for.
_NO_GROUP = "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/none/0000000000000000"

_NODES = "what `kubectl get nodes -o json` prints (a List or one Node); - is standard input"
_TARGETS = "what `aws elbv2 describe-target-health --output json` prints; - is standard input"
_Shape = TypeVar("_Shape")


def add_parsers(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `explain` and `plan`; each sets `answer`, a function of the parsed arguments to an exit code."""
    explain = subparsers.add_parser("explain", help="why each node is a target, or why not")
    explain.add_argument(
        "--targets",
        action="append",
        default=[],
        metavar="FILE",
        help=f"{_TARGETS}; once for each group. Without it nothing is registered",
    )
    explain.set_defaults(answer=explain_files)
    plan = subparsers.add_parser("plan", help="what would be sent to AWS now, and what is held back")
    plan.add_argument("--targets", required=True, metavar="FILE", help=_TARGETS)
    plan.add_argument("--port", required=True, type=_port, help="the NodePort on which targets are wanted")
    plan.add_argument(
        "--target-group", metavar="ARN", help="the group's name in the answer; default: the targets file's"
    )
    plan.add_argument(
        "--ownership",
        type=Ownership,
        choices=list(Ownership),
        help="default: NLB_SYNC_OWNERSHIP, else tracked",
    )
    plan.set_defaults(answer=plan_files)
    for parser in (explain, plan):
        parser.add_argument("-f", "--nodes", required=True, metavar="FILE", help=_NODES)
        parser.add_argument("--node-selector", metavar="SELECTOR", help="default: NLB_SYNC_NODE_SELECTOR")
        parser.add_argument("--json", action="store_true", help="for programs; without it a table")


def explain_files(args: argparse.Namespace) -> int:
    """Print each Node's verdict and reason."""
    try:
        node_policy, _ = _policies(args, os.environ)
        _only_one_stdin([args.nodes, *args.targets])
        listed = _read(args.nodes, partial(read_nodes, policy=node_policy))
        registered = {i for name in args.targets for i in registered_in(_read(name, read_targets))}
    except (DocumentError, MisconfiguredError, SelectorError) as error:
        return _refuse(error)
    answer = answers.explained(evaluate(listed.nodes, registered, node_policy))
    if args.json:
        _print(answer)
    else:
        _table(("NODE", "INSTANCE", "VERDICT", "REASON", "BECAUSE IT IS"), map(_explained_row, answer))
    return 0


def _explained_row(row: Mapping[str, Any]) -> tuple[str, ...]:
    because = answers.sentence_of(row["reason"])
    return row["node"] or "(no name)", row["instance_id"] or "-", row["verdict"], row["reason"], because


def plan_files(args: argparse.Namespace) -> int:
    """Print what would be sent for one group right after a start."""
    try:
        node_policy, policy = _policies(args, os.environ)
        _only_one_stdin([args.nodes, args.targets])
        listed = _read(args.nodes, partial(read_nodes, policy=node_policy))
        targets = _read(args.targets, read_targets)
    except (DocumentError, MisconfiguredError, SelectorError) as error:
        return _refuse(error)
    actual = GroupState(
        target_group=TargetGroupArn(args.target_group or args.targets),
        targets={health.target: health for health in targets},
        fresh=True,
        port=args.port,
    )
    plan = answers.plan_from_scratch(
        listed.nodes, actual, node_policy, policy, time.time(), complete=listed.complete
    )
    if args.json:
        _print(answers.planned([plan]))
    else:
        _plan_table(plan)
    return 0


def _plan_table(plan: GroupPlan) -> None:
    rows = [("register", t.id, str(t.port), "") for t in plan.register]
    rows += [("deregister", t.id, str(t.port), "") for t in plan.deregister]
    rows += [("held", h.target.id, str(h.target.port), h.why.value) for h in plan.held]
    if rows:
        _table(("ACTION", "INSTANCE", "PORT", "WHY"), rows)
    else:
        sys.stdout.write("nothing to do\n")


def _policies(args: argparse.Namespace, environment: Mapping[str, str]) -> tuple[NodePolicy, PlanPolicy]:
    """What the syncer's own variables say, and the flags that outdo them."""
    ours = {name: text for name, text in environment.items() if name.startswith("NLB_SYNC_")}
    settings = load({**ours, "NLB_SYNC_TARGET_GROUPS": _NO_GROUP})
    node_policy, policy = settings.node_policy, settings.plan_policy
    if args.node_selector is not None:
        node_policy = replace(node_policy, selector=Selector.parse(args.node_selector))
    if getattr(args, "ownership", None) is not None:
        policy = replace(policy, ownership=args.ownership)
    return node_policy, policy


def _read(name: str, shape: Callable[[Any], _Shape]) -> _Shape:
    """What a file or standard input holds, in the shape that is asked for."""
    shown = "standard input" if name == "-" else name
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8-sig")
        return shape(json.loads(text))
    except OSError as error:
        raise DocumentError(f"{shown} cannot be read: {error.strerror}; give a file or -") from None
    except json.JSONDecodeError as error:
        raise DocumentError(
            f"{shown} is not JSON (line {error.lineno}: {error.msg}); use -o json, or aws --output json"
        ) from None
    except RecursionError:
        raise DocumentError(f"{shown} is nested too deeply for what kubectl or aws print") from None
    except UnicodeDecodeError:
        raise DocumentError(f"{shown} is not UTF-8 text; give what kubectl or aws printed as JSON") from None
    except DocumentError as error:
        raise DocumentError(f"{shown}: {error}") from None


def _only_one_stdin(names: list[str]) -> None:
    if names.count("-") > 1:
        raise DocumentError("- is standard input and can be given once; save the other to a file")


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:  # noqa: PLR2004
        raise argparse.ArgumentTypeError(f"{text!r} is not a port from 1 to 65535")
    return int(text)


def _refuse(error: Exception) -> int:
    sys.stderr.write(f"nlb-sync: {error}\n")
    return 2


def _print(answer: object) -> None:
    sys.stdout.write(json.dumps(answer, indent=2) + "\n")


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    lines = [head, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        padded = "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        sys.stdout.write(padded.rstrip() + "\n")
