"""`leave`: deregister this cluster's targets while the other targets keep the floor.

Without `--yes` the command only shows the plan. Exit codes: 0 done (or shown), 1 not all targets could be
deregistered in time, 2 a flag or variable is wrong, 3 a syncer is still running, a conflicting writer
registers the targets again, or AWS refuses.
"""

import argparse
import asyncio
import logging
import os
from collections.abc import Sequence

from syncer.clock import SystemClock
from syncer.commands.at_work import answers_at, renewed_by
from syncer.commands.live import live_look
from syncer.commands.plan_table import show_plans
from syncer.commands.printing import Exit, complain, show, show_json
from syncer.commands.reach import aws, lease_of
from syncer.config.settings import Settings, load
from syncer.decide import answers
from syncer.decide.handover import handover_policy, without_us
from syncer.decide.plan import plan
from syncer.decide.policy import PlanPolicy
from syncer.decide.reasons import hold_text
from syncer.elb.arn import parse_arn
from syncer.errors import AwsError, ClusterError, DeniedError
from syncer.model import Desired, GroupPlan, GroupState, Why
from syncer.reconcile.handover import AnotherWriterError, Handover


def leave(args: argparse.Namespace) -> int:
    """Show the plan, and with `--yes` carry the plan out."""
    settings = load(os.environ)
    if args.yes:
        try:
            busy = _at_work(settings, args.url)
        except ClusterError as error:
            complain(f"whether a syncer is at work cannot be seen: {error}")
            return Exit.NOT_WELL
        if busy:
            complain(f"a syncer is at work {busy}: set NLB_SYNC_PAUSED=true there, or stop it, first")
            return Exit.NOT_POSSIBLE
    seen = live_look(settings)
    for problem in seen.problems:
        complain(problem)
    if seen.problems:
        return Exit.NOT_WELL
    desired, policy = without_us(seen.desired), handover_policy(settings.plan_policy)
    if args.yes:
        return _let_go(args, settings, desired, policy, seen.groups)
    now = SystemClock().now()
    return _rehearse([plan(desired, state, policy, now) for state in seen.groups], as_json=args.json)


def _let_go(
    args: argparse.Namespace,
    settings: Settings,
    desired: Desired,
    policy: PlanPolicy,
    states: Sequence[GroupState],
) -> int:
    elb = aws(settings)
    logging.getLogger("syncer").addHandler(logging.NullHandler())  # `complain` prints each result
    handover = Handover(
        elb=elb,
        clock=SystemClock(),
        desired=desired,
        policy=policy,
        report=complain,
        every=args.every,
        timeout=args.timeout,
    )
    try:
        plans = asyncio.run(handover.run(settings.groups, states))
    except (AnotherWriterError, AwsError) as error:
        complain(error)
        return Exit.NOT_POSSIBLE
    finally:
        elb.close()
    left, count = not handover.finished(plans), handover.deregistered
    if args.json:
        show_json({**answers.planned(plans), "deregistered": count, "done": not left})
    else:
        _show(plans)
        show(
            f"{count} targets were deregistered; " + ("not all could go in time" if left else "none is left")
        )
    return Exit.NOT_WELL if left else Exit.WELL


def _at_work(settings: Settings, url: str) -> str:
    """Return where a syncer runs; "" if no syncer is found from here. Raises ClusterError in doubt."""
    if answers_at(url):
        return f"at {url}"
    lease = lease_of(settings)
    if lease is None:
        complain(
            f"only {url} was asked whether a syncer is at work: with NLB_SYNC_NAMESPACE and NLB_SYNC_NAME "
            "its Lease is looked at too"
        )
        return ""
    where, leases = lease
    try:
        holder = asyncio.run(renewed_by(leases, SystemClock()))
    except DeniedError as error:
        complain(f"the Lease cannot be looked at: {error}")
        return ""
    if holder is None:
        complain(f"there is no Lease {where}: only {url} was asked whether a syncer is at work")
    return f"as {holder}, which renews the Lease {where}" if holder else ""


def _rehearse(plans: Sequence[GroupPlan], *, as_json: bool) -> int:
    if as_json:
        show_json({**answers.planned(plans), "deregistered": 0, "done": False})
    else:
        _show(plans)
        count = sum(len(each.deregister) for each in plans)
        show(f"{count} targets would be deregistered at once; nothing was done: add --yes")
    return Exit.WELL


def _stays(why: Why) -> str:
    """Return why a target stays; `leave` has no doubtful removals, so no hold to confirm."""
    return "too few others serve yet" if why is Why.SHARE else hold_text(why)


def _show(plans: Sequence[GroupPlan]) -> None:
    named = ((parse_arn(each.target_group).name, each) for each in plans)
    show_plans(named, held="stays", text=_stays)
