"""`leave`: deregister this cluster's targets while the other targets keep the floor.

Without `--yes` the command only shows the plan. Exit codes: 0 done (or shown), 1 not all targets could be
deregistered in time, 2 a flag or variable is wrong, 3 a syncer is still running, a conflicting writer
registers the targets again, or AWS refuses.
"""

import argparse
import asyncio
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from syncer.clock import SystemClock
from syncer.commands.at_work import answers_at, renewed_by
from syncer.commands.live import live_look
from syncer.commands.plan_table import show_plans
from syncer.commands.printing import Exit, complain, show, show_json
from syncer.commands.reach import aws, lease_of
from syncer.config.settings import Settings, load
from syncer.decide import answers
from syncer.decide.capacity import Peaks
from syncer.decide.handover import handover_policy, without_us
from syncer.decide.plan import plan
from syncer.decide.policy import PlanPolicy
from syncer.decide.reasons import hold_says
from syncer.elb.arn import parse_arn
from syncer.errors import (
    AccessDeniedError,
    AwsError,
    ClusterError,
    DeniedError,
    RefusedTargetsError,
    SyncerError,
    TargetGroupNotFoundError,
)
from syncer.interfaces import Clock, Elb
from syncer.model import Desired, GroupPlan, GroupState, Target, TargetGroupArn, Why
from syncer.reconcile.writer import BATCH

# After a single deregistration AWS may still list the old state.
_TWICE = 2


class AnotherHandError(SyncerError):
    """A conflicting writer has registered deregistered targets again."""


@dataclass(slots=True)
class Handover:
    """Deregisters the cluster's own targets, poll by poll, until none is left or the time is over."""

    elb: Elb
    clock: Clock
    desired: Desired
    policy: PlanPolicy
    say: Callable[[str], None]
    every: float
    timeout: float
    gone: dict[TargetGroupArn, Counter[Target]] = field(default_factory=lambda: defaultdict(Counter))

    async def until(self, states: Sequence[GroupState]) -> list[GroupPlan]:
        """Return the last plans; all own targets are deregistered if no plan holds an own target."""
        deadline = self.clock.monotonic() + self.timeout
        first = {decided.target_group: decided.memory.peaks for decided in self._plans(states)}
        while True:
            plans = self._plans(states)
            for decided in plans:
                await self._deregister(decided)
            if not any(decided.deregister or _ours_held(decided) for decided in plans):
                return plans
            if self.clock.monotonic() >= deadline:
                return plans
            await self.clock.sleep(min(self.every, max(0.0, deadline - self.clock.monotonic())))
            states = [
                await self._again(_remembering(state, decided, first[decided.target_group]))
                for state, decided in zip(states, plans, strict=True)
            ]

    def _plans(self, states: Sequence[GroupState]) -> list[GroupPlan]:
        return [plan(self.desired, state, self.policy, self.clock.now()) for state in states]

    async def _deregister(self, decided: GroupPlan) -> None:
        arn, name = decided.target_group, parse_arn(decided.target_group).name
        waiting = [
            decided.deregister[start : start + BATCH] for start in range(0, len(decided.deregister), BATCH)
        ]
        while waiting:
            batch = waiting.pop(0)
            try:
                await self.elb.deregister(arn, batch)
            except (AccessDeniedError, TargetGroupNotFoundError):
                raise
            except AwsError as error:
                self.say(f"{name}: {error}")
                named = error.ids if isinstance(error, RefusedTargetsError) else frozenset[str]()
                rest = tuple(target for target in batch if target.id not in named)
                if len(rest) == len(batch):
                    return
                waiting = [rest, *waiting] if rest else waiting
            else:
                self.gone[arn].update(batch)
                self.say(f"{name}: deregistered {len(batch)} targets")

    async def _again(self, state: GroupState) -> GroupState:
        """Read the group again."""
        arn = state.target_group
        try:
            listed = await self.elb.describe(arn)
        except (AccessDeniedError, TargetGroupNotFoundError):
            raise
        except AwsError as error:
            self.say(f"{parse_arn(arn).name}: {error}")
            return replace(state, fresh=False)
        back = [each.target for each in listed if each.registered and self.gone[arn][each.target] >= _TWICE]
        if back:
            raise AnotherHandError(
                f"{parse_arn(arn).name}: {len(back)} targets are registered again; stop the syncer first "
                "(NLB_SYNC_PAUSED=true, or no replicas)"
            )
        targets = {health.target: health for health in listed}
        return replace(state, targets=targets, fresh=True)


def _remembering(state: GroupState, decided: GroupPlan, peaks: Peaks) -> GroupState:
    """Keep the memory of the plan, but the first peaks: own draining targets never added capacity."""
    return replace(state, ours=decided.ours, memory=replace(decided.memory, peaks=peaks))


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
    handover = Handover(
        elb=elb,
        clock=SystemClock(),
        desired=desired,
        policy=policy,
        say=complain,
        every=args.every,
        timeout=args.timeout,
    )
    try:
        plans = asyncio.run(handover.until(states))
    except (AnotherHandError, AwsError) as error:
        complain(error)
        return Exit.NOT_POSSIBLE
    finally:
        elb.close()
    left = any(_ours_held(decided) or decided.deregister for decided in plans)
    count = sum(map(len, handover.gone.values()))
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


def _ours_held(decided: GroupPlan) -> list[Target]:
    return [held.target for held in decided.held if held.why is not Why.FOREIGN]


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
    return "too few others serve yet" if why is Why.SHARE else hold_says(why)


def _show(plans: Sequence[GroupPlan]) -> None:
    named = ((parse_arn(each.target_group).name, each) for each in plans)
    show_plans(named, held="stays", says=_stays)
