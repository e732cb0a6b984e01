"""The control loop: observe the desired state and the actual state, plan, apply, record.

Level-triggered: no action follows from a single change. A watch event, a changed read or the passing of time
only marks a group dirty; the plan is computed from the caches at that moment. The loop runs on a single
asyncio loop; blocking calls are behind `syncer.interfaces`.
"""

import asyncio
import logging
import random
from typing import Any

from syncer.config.settings import ServicePort, Settings
from syncer.decide.plan import plan
from syncer.decide.policy import Ownership
from syncer.errors import AwsError, ClusterError, NotBegunError, NotLeaderError
from syncer.interfaces import Clock, Cluster, Elb, Events, Leadership, Records
from syncer.model import Evaluation, GroupPlan, GroupState
from syncer.reconcile.debounce import Debounce
from syncer.reconcile.desired_state import DesiredState
from syncer.reconcile.group import Group
from syncer.reconcile.leader_election import Unelected
from syncer.reconcile.reader import Reader
from syncer.reconcile.recorder import Recorder, left_undone
from syncer.reconcile.registry import Registry
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
# How long a single pass waits to begin: the Lease of a killed holder is free after 10 s.
_BEGIN_S = 30.0
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
        exclusive = settings.ownership is Ownership.EXCLUSIVE
        self.groups = tuple(
            Group(each, rng, settings.read_every + _ANSWERED_S, exclusive=exclusive)
            for each in settings.groups
        )
        self.record = Registry(
            records,
            clock,
            may_write=lambda: self.leadership.may_write() and not settings.paused,
            awaited=lambda: any(group.plan and group.plan.hold_id for group in self.groups),
            news=self.mark_dirty,
        )
        self.desired_state = DesiredState(settings, cluster)
        self._rng = rng
        self._stopping = asyncio.Event()
        self._now = 0.0
        tells = events if not settings.paused else None
        self._reporter = Reporter(tells, clock, self.leadership.may_write) if tells else None
        self._debounce = Debounce(clock, self._nodes_changed)
        self._recorder = Recorder(cluster, counters, clock, self._reporter)
        self._writer = Writer(elb, clock, counters, self._halted, self._recorder)
        self._reader = Reader(
            settings=settings, elb=elb, clock=clock, rng=rng, news=self.mark_dirty, recorder=self._recorder
        )

    async def run(self, *, once: bool = False) -> None:
        """Follow cluster and groups until `stop`; with `once` until every group has had a pass.

        After `stop` the AWS call in flight ends and is recorded; then another replica may become the leader
        at once. A stop deregisters no target. A hanging call is abandoned after 15 s, and the Lease expires.

        Raises:
            NotBegunError: with `once`, if a pass cannot begin within 30 s.

        """
        background: list[asyncio.Future[Any]] = [
            asyncio.create_task(self.cluster.run(self._debounce.tell), name="cluster"),
            asyncio.create_task(self._debounce.run(), name="debounce"),
            asyncio.create_task(
                self.leadership.run(self._leader_changed, self._stays_back), name="leadership"
            ),
            asyncio.create_task(self.record.run(), name="record"),
            *(asyncio.create_task(self._reader.follow(group), name="read") for group in self.groups),
            *([asyncio.create_task(self._reporter.run(), name="events")] if self._reporter else []),
        ]
        for group in self.groups:
            group.take_over(self.clock.monotonic())
        passes = (self._follow(group, once=once) for group in self.groups)
        work: asyncio.Future[Any] = asyncio.gather(*passes)
        late = asyncio.create_task(self._late(), name="late")
        try:
            # Background tasks run until cancelled: an earlier end is a failure, and ends the controller too.
            ended, _ = await asyncio.wait([work, late, *background], return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                task.result()
        finally:
            for task in (*background, work, late):
                task.cancel()
            await asyncio.gather(*background, work, late, return_exceptions=True)
        if work in ended:
            await self.leadership.release()

    async def _late(self) -> None:
        """Return after the time limit for the call in flight at `stop`."""
        await self._stopping.wait()
        await self.clock.sleep(_STOP_S)

    def stop(self) -> None:
        """Stop; no further call begins."""
        self._stopping.set()
        for group in self.groups:
            group.looked.set()
        self.mark_dirty()

    def mark_dirty(self) -> None:
        """Reconcile every group again after a change."""
        self.desired_state.outdated()
        for group in self.groups:
            group.dirty.set()
            group.hurry.set()

    def _nodes_changed(self) -> None:
        self.desired_state.take_nodes()
        self.mark_dirty()

    def _halted(self) -> bool:
        """Whether no further write may begin."""
        return self._stopping.is_set() or not self.leadership.may_write()

    def _stays_back(self) -> bool:
        """Whether another replica should become the leader, because this replica's settings may be wrong.

        A replica without a plan, for example while the ownership registry cannot be read, stays back too.
        """
        return any(
            group.plan is None or (group.holds_doubtful and not group.was_free) for group in self.groups
        )

    def _leader_changed(self) -> None:
        """Read every group before its next write: another replica may have written since the last read."""
        for group in self.groups:
            group.take_over(self.clock.monotonic())
            group.held, group.missing_port = (), ""  # a standby reports nothing; a new leader reports again
        self.record.forget()
        if self.leadership.may_write():
            self._recorder.leads()
        self.mark_dirty()

    async def reconcile(self, group: Group) -> AwsError | None:
        """Run a pass over a group; return the error to back off for, if any."""
        reconcile_id.set(f"{self._rng.getrandbits(32):08x}")
        unread = await self._recollect(group)
        for each in self.groups:  # a refusal in any group affects the places in all groups
            each.poison.look(self._recorder.nodes_of(each.poison.instances), self.clock.monotonic())
        evaluation, desired = self.desired_state.of(self.groups, self.clock.monotonic())
        actual = self._observe_actual(group)
        decided = plan(desired, actual, self.settings.plan_policy, self._epoch())
        if unread is not None:
            group.memory = decided.memory  # keep the notices of leaving nodes
            raise unread
        decided = group.told_again(decided, desired, actual.port, self.clock.monotonic())
        problem = await self._apply(group, decided)
        self._record(group, evaluation, decided, problem)
        return problem

    async def _recollect(self, group: Group) -> ClusterError | None:
        """Load owned targets and confirmations, once in every replica; return the error if that fails.

        A paused replica also needs them for the plan in its log, and a standby to find doubtful removals.
        """
        try:
            await self.record.load(each.arn for each in self.groups)
        except ClusterError as error:
            return error
        for each in self.groups:
            self._recall(each)
        group.ours = self.record.ours(group.arn)
        group.confirmed = self.record.confirmed(self._epoch())
        return None

    def _recall(self, group: Group) -> None:
        """Take over the loaded registry, once: the places left in all groups depend on it."""
        if group.recalled == self.record.loads:
            return
        group.recalled, group.ours = self.record.loads, self.record.ours(group.arn)
        group.inherited = group.ours
        if group.actual.blind:
            group.actual.believe(group.ours)  # another replica has written since
            group.tell_again_at = None
        self.desired_state.outdated()

    def _observe_actual(self, group: Group) -> GroupState:
        """Return the known state of the group: the last read and the own writes since. Makes no call."""
        port = self.desired_state.port(group)
        self._recorder.port(group, port, self.desired_state.missing_port(group))
        return group.state(port, self.clock.monotonic())

    async def _apply(self, group: Group, decided: GroupPlan) -> AwsError | None:
        before, group.memory, group.plan = group.plan, decided.memory, decided
        if self.settings.paused:
            if before is None or (before.register, before.deregister) != (
                decided.register,
                decided.deregister,
            ):
                log.info("%s: paused; %s", group.name, left_undone(decided), extra={"group": group.name})
            return None
        if not self.leadership.may_write():
            return None  # standby: only the leader sends the calls
        group.ours = decided.ours
        self.record.want(group.arn, decided.ours)
        if decided.empty:
            return None
        if decided.register:
            await self.record.save()  # before the call: a target is owned even after a crash between the two
        begun = group.writes
        try:
            problem = await self._writer.apply(group, decided)
            return None if isinstance(problem, NotLeaderError) else problem
        finally:
            if group.writes != begun:
                self.mark_dirty()  # a write changes the set of registered instances

    def _record(
        self, group: Group, evaluation: Evaluation, decided: GroupPlan, problem: AwsError | None
    ) -> None:
        """Count the pass and report its result."""
        self._recorder.held(group, decided.held)
        group.was_free = group.was_free or (evaluation.complete and not group.holds_doubtful)
        if problem is not None:
            log.warning("%s: %s", group.name, problem, extra={"group": group.name, "code": problem.code})
            self._recorder.failed(group, problem)
        group.problem = str(problem) if problem else ""
        seen = (
            evaluation.complete and self.desired_state.behind(group) < _CURRENT_S and not group.missing_port
        )
        good = problem is None and seen and (group.actual.fresh or group.actual.blind)
        self.counters.passes[group.arn, "ok" if good else "failed"] += 1
        if good:
            group.last_good_pass = self.clock.now()
        group.hurry.set()

    async def _follow(self, group: Group, *, once: bool) -> None:
        """Reconcile a group whenever it is dirty or due, with a backoff after failures."""
        deadline = self.clock.monotonic() + _BEGIN_S
        while once and (missing := self._missing(group)) and not self._stopping.is_set():
            if self.clock.monotonic() >= deadline:
                raise NotBegunError(f"nothing was done within {_BEGIN_S:g} s: {missing}")
            await self.clock.wait(group.dirty, 1.0)
            group.dirty.clear()
        while not self._stopping.is_set():
            await group.looked.wait()
            group.dirty.clear()
            wait = await self._pass(group)
            if once or self._stopping.is_set():
                return  # the stop may have started this pass
            if wait:
                await self.clock.wait(self._stopping, wait)
            else:
                await self.clock.wait(group.dirty, group.next_look(self.clock.monotonic()))

    def _missing(self, group: Group) -> str:
        """Return the reason why a single pass could have no effect; "" without a reason."""
        if not self.desired_state.listed:
            return "; ".join(self.cluster.problems) or "no complete list of nodes"
        if not self.leadership.may_write():
            return self.leadership.problem or "another replica holds the Lease"
        source = group.settings.port
        unknown = isinstance(source, ServicePort) and self.desired_state.port(group) is None
        return f"{group.name}: its NodePort is not known" if unknown else ""

    async def _pass(self, group: Group) -> float:
        """Run a pass and handle every failure; return the seconds to back off, 0 after a success."""
        try:
            problem = await self.reconcile(group)
        except ClusterError as error:
            what = "cannot write the ownership registry" if self.record.loaded else _UNREAD
            group.problem = f"{what}: {error}"
            log.warning("%s: %s", group.name, group.problem, extra={"group": group.name})
            self.counters.passes[group.arn, "failed"] += 1
            return self._rng.uniform(*_RECORD_AGAIN_S)
        except Exception:
            log.exception("%s: unforeseen fault", group.name, extra={"group": group.name})
            group.problem = "unforeseen fault, see the log"
            self.counters.passes[group.arn, "failed"] += 1
            return group.write_backoff.next()
        if problem is None:
            group.write_backoff.reset()
            return 0.0
        return group.wait_after(problem, self.clock.monotonic())

    def _epoch(self) -> float:
        """Return seconds since the epoch that never go back, even if the machine's clock is set back."""
        self._now = max(self._now, self.clock.now())
        return self._now
