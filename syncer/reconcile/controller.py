"""The control loop: read the desired and the observed state, plan, apply, record.

Level-triggered: no action follows from a single change. A watch event, a changed read or the passing of time
only marks groups dirty; the plan is computed from the caches at that moment. The loop runs on a single
asyncio loop; blocking calls are behind `syncer.interfaces`.
"""

import asyncio
import logging
import random
from dataclasses import replace

from syncer.config.settings import Settings
from syncer.decide.plan import plan
from syncer.decide.policy import Ownership
from syncer.errors import AwsError, ClusterError, NotLeaderError
from syncer.interfaces import Clock, Cluster, Elb, Events, Leadership, Records
from syncer.model import GroupPlan, GroupState
from syncer.reconcile.debounce import Debounce
from syncer.reconcile.desired_state import DesiredState
from syncer.reconcile.group import LONGEST_S, Group, GroupConfig, Owned
from syncer.reconcile.leader_election import Unelected
from syncer.reconcile.reader import Reader
from syncer.reconcile.recorder import Recorder, left_undone
from syncer.reconcile.registry import Registry
from syncer.reconcile.start import Start
from syncer.reconcile.tasks import run_together
from syncer.reconcile.wakeups import Wakeups
from syncer.reconcile.writer import Writer
from syncer.telemetry.counters import Counters
from syncer.telemetry.events import Reporter
from syncer.telemetry.log import reconcile_id

log = logging.getLogger(__name__)

# A read succeeds or fails within this time. Reads older than this plus the interval allow no removal.
_ANSWERED_S = 15.0
# With a cluster cache older than this, a pass does not count as good. A refused watch is replaced by a list
# every 30 s.
_CURRENT_S = 60.0
# Limit for the call in flight after a stop, normally 3 s to connect and 10 s for the response.
_STOP_S = 15.0
# Short, so that a short outage of the API server does not become a long outage of the syncer.
_RECORD_AGAIN_S = (1.0, 2.0)
_UNREAD = "cannot read the ownership registry"


class Controller:
    """Keeps the target groups of `settings` in sync with the cluster's nodes."""

    def __init__(
        self,
        *,
        settings: Settings,
        cluster: Cluster,
        elb: Elb,
        clock: Clock,
        rng: random.Random,
        counters: Counters,
        leadership: Leadership | None = None,
        events: Events | None = None,
        records: Records | None = None,
    ) -> None:
        self.settings = settings
        self.leadership = leadership or Unelected()
        self.cluster = cluster
        self.clock = clock
        self.counters = counters
        self.started = clock.now()
        exclusive = settings.ownership is Ownership.EXCLUSIVE
        self.groups = tuple(
            Group(GroupConfig(each, settings.read_every + _ANSWERED_S, exclusive), rng)
            for each in settings.groups
        )
        self.desired_state = DesiredState(settings, cluster, counters, clock, self.groups)
        self._rng = rng
        self._stopping = asyncio.Event()
        self._now = 0.0
        self._recalled = 0
        tells = events if not settings.paused else None
        self._reporter = Reporter(tells, clock, self.leadership.may_write) if tells else None
        self.recorder = Recorder(cluster, self.desired_state.nodes_of, counters, clock, self._reporter)
        self._wakeups = Wakeups(self.groups, self.desired_state, clock, counters)
        self.record = Registry(
            records,
            clock,
            may_write=lambda: self.leadership.may_write() and not settings.paused,
            awaited=lambda: any(group.plan and group.plan.hold_id for group in self.groups),
            on_change=self._wakeups.request_all,
        )
        self._debounce = Debounce(clock, self._wakeups.nodes_changed, self._calls_left)
        self._writer = Writer(elb, clock, counters, self._halted, self.recorder)
        self._reader = Reader(
            settings=settings,
            elb=elb,
            clock=clock,
            rng=rng,
            on_change=self._wakeups.group_changed,
            recorder=self.recorder,
        )
        self._start = Start(cluster, self.leadership, self.desired_state, clock)

    async def run(self, *, once: bool = False) -> None:
        """Follow cluster and groups until `stop`; with `once` until every group has had a pass.

        After `stop` the AWS call in flight ends and is recorded; then another replica may become the leader
        at once. A stop deregisters no target. A hanging call is abandoned after 15 s, and the Lease expires.

        Raises:
            NotBegunError: with `once`, if a pass cannot begin within 30 s.

        """
        for group in self.groups:
            group.take_over(self.clock.monotonic())
        background = [
            self.cluster.run(self._debounce.notify),
            self._debounce.run(),
            self.leadership.run(self._leader_changed, self._stays_back),
            self.record.run(),
            self.desired_state.run(self._wakeups.request_all),
            *(self._reader.follow(group) for group in self.groups),
            *([self._reporter.run()] if self._reporter else []),
        ]
        passes = [self._follow(group, once=once) for group in self.groups]
        if await run_together(passes, background, self._overdue()):
            await self.leadership.release()

    async def _overdue(self) -> None:
        """Return after the time limit for the call in flight at `stop`."""
        await self._stopping.wait()
        await self.clock.sleep(_STOP_S)

    def stop(self) -> None:
        """Stop; no further call begins."""
        self._stopping.set()
        for group in self.groups:
            group.schedule.allow_passes()
        self._wakeups.request_all()

    def _calls_left(self) -> float:
        """Return how many writes may begin at once; a replica that sends no write has no haste."""
        if self.settings.paused or not self.leadership.may_write():
            return 0.0
        return self._writer.buckets.left(self.clock.monotonic())

    def _halted(self) -> bool:
        """Whether no further write may begin."""
        return self._stopping.is_set() or not self.leadership.may_write()

    def _stays_back(self) -> bool:
        """Whether another replica should become the leader, because this replica's settings may be wrong.

        A replica without a plan, for example while the ownership registry cannot be read, stays back too.
        """
        return any(
            group.plan is None or (group.holds_doubtful and not group.report.was_free)
            for group in self.groups
        )

    def _leader_changed(self) -> None:
        """Read every group before its next write: another replica may have written since the last read."""
        for group in self.groups:
            group.take_over(self.clock.monotonic())
        self.recorder.leader_changed()
        self.record.forget()
        if self.leadership.may_write():
            self.recorder.leads()
        self._wakeups.in_doubt()

    async def reconcile(self, group: Group, *, idle: bool = False) -> AwsError | None:
        """Run a pass over a group; return the error to back off for, if any.

        `idle`: neither a request nor the end of a waiting time has caused the pass.

        Raises:
            ClusterError: if the ownership registry cannot be read or written.

        """
        reconcile_id.set(f"{self._rng.getrandbits(32):08x}")
        unread = await self._recollect(group)
        await self.desired_state.catch_up()
        desired = self._wakeups.desire(group)
        actual = self._observe_actual(group)
        decided = plan(desired, actual, self.settings.plan_policy, self._epoch(), group.observed.listing)
        if unread is not None:
            group.remember(decided.memory)  # keep the notices of leaving nodes
            raise unread
        if idle and not self._debounce.pending:
            self._wakeups.check(group, decided)
        problem = await self._apply(group, decided)
        self._record(group, decided, problem, complete=desired.complete)
        return problem

    async def _recollect(self, group: Group) -> ClusterError | None:
        """Load owned targets and confirmations, once in every replica; return the error if that fails.

        A paused replica also needs them for the plan in its log, and a standby to find doubtful removals.
        """
        try:
            await self.record.load(each.arn for each in self.groups)
        except ClusterError as error:
            return error
        if self._recalled != self.record.loads:
            self._recalled = self.record.loads
            for each in self.groups:  # the places left in all groups depend on it
                self._recall(each)
        group.owned = Owned(
            targets=self.record.ours(group.arn),
            inherited=group.owned.inherited,
            confirmed=self.record.confirmed(self._epoch()),
        )
        return None

    def _recall(self, group: Group) -> None:
        """Take over the loaded registry."""
        targets = self.record.ours(group.arn)
        group.owned = Owned(targets=targets, inherited=targets, confirmed=group.owned.confirmed)
        if group.observed.blind:  # another replica has written since
            group.observed.believe(targets)
            group.remember(replace(group.decision.memory, register_again_at=None))

    def _observe_actual(self, group: Group) -> GroupState:
        """Return the known state of the group: the last read and the own writes since. Makes no call."""
        port = self.desired_state.port(group)
        self.recorder.port(group, port, self.desired_state.missing_port(group))
        return group.state(port, self.clock.monotonic())

    async def _apply(self, group: Group, decided: GroupPlan) -> AwsError | None:
        before = group.plan
        group.decide(decided)
        if self.settings.paused:
            if before is None or (before.register, before.deregister) != (
                decided.register,
                decided.deregister,
            ):
                log.info("%s: paused; %s", group.name, left_undone(decided), extra={"group": group.name})
            return None
        if not self.leadership.may_write():
            return None  # standby: only the leader sends the calls
        group.owned = replace(group.owned, targets=decided.ours)
        self.record.want(group.arn, decided.ours)
        if decided.empty:
            return None
        if decided.register:
            await self.record.save()  # before the call: a target is owned even after a crash between the two
        sent = group.calls.sent
        try:
            problem = await self._writer.apply(group, decided)
            return None if isinstance(problem, NotLeaderError) else problem
        finally:
            if group.calls.sent != sent:
                self._wakeups.group_changed(group)

    def _record(self, group: Group, decided: GroupPlan, problem: AwsError | None, *, complete: bool) -> None:
        """Count the pass and report its result."""
        self.recorder.held(group, decided.held)
        report = group.report
        report.was_free = report.was_free or (complete and not group.holds_doubtful)
        if problem is not None:
            log.warning("%s: %s", group.name, problem, extra={"group": group.name, "code": problem.code})
            self.recorder.failed(group, problem)
        report.problem = str(problem) if problem else ""
        seen = (
            complete
            and self.desired_state.behind(group) < _CURRENT_S
            and not self.desired_state.missing_port(group)
        )
        good = problem is None and seen and (group.observed.fresh or group.observed.blind)
        self.counters.passes[group.arn, "ok" if good else "failed"] += 1
        if good:
            report.last_good_pass = self.clock.now()
        group.schedule.reschedule_read()

    async def _follow(self, group: Group, *, once: bool) -> None:
        """Reconcile a group whenever it is dirty or due, with a backoff after failures."""
        if once:
            await self._start.ready(group, self._stopping.is_set)
        untimed = False
        while not self._stopping.is_set():
            requested = await group.schedule.begin()
            wait = await self._pass(group, idle=untimed and not requested)
            if once or self._stopping.is_set():
                return  # the stop may have started this pass
            now = self.clock.monotonic()
            untimed = not wait and group.next_change(now) > LONGEST_S
            if wait:
                await self.clock.wait(self._stopping, wait)
            else:
                await group.schedule.wait_for_request(self.clock, group.next_pass(now))

    async def _pass(self, group: Group, *, idle: bool = False) -> float:
        """Run a pass and handle every failure; return the seconds to back off, 0 after a success."""
        try:
            problem = await self.reconcile(group, idle=idle)
        except ClusterError as error:
            what = "cannot write the ownership registry" if self.record.loaded else _UNREAD
            group.report.problem = f"{what}: {error}"
            log.warning("%s: %s", group.name, group.report.problem, extra={"group": group.name})
            self.counters.passes[group.arn, "failed"] += 1
            return self._rng.uniform(*_RECORD_AGAIN_S)
        except Exception:
            log.exception("%s: unforeseen fault", group.name, extra={"group": group.name})
            group.report.problem = "unforeseen fault, see the log"
            self.counters.passes[group.arn, "failed"] += 1
            self.desired_state.doubt()
            return group.calls.wait_after_fault()
        if problem is None:
            group.calls.succeeded()
            return 0.0
        return group.calls.wait_after(problem, self.clock.monotonic())

    def _epoch(self) -> float:
        """Return seconds since the epoch that never go back, even if the machine's clock is set back."""
        self._now = max(self._now, self.clock.now())
        return self._now
