"""The desired state: verdicts and wanted instances, updated by changes, compared with a full computation."""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import islice
from math import inf

from syncer.config.settings import ServicePort, Settings
from syncer.decide.desired import nobody
from syncer.decide.difference import difference
from syncer.decide.policy import Ownership
from syncer.decide.standings import Standings
from syncer.interfaces import Clock, Cluster
from syncer.model import Desired, GroupState, InstanceId, NodeView, Standing, TargetGroupArn, Verdict
from syncer.reconcile.full_pass import STEP, FullPass
from syncer.reconcile.group import Group
from syncer.telemetry.counters import DESIRED_STATE, LISTING, Counters

log = logging.getLogger(__name__)

# A full pass repeats the computation without any kept result at this interval.
FULL_EVERY_S = 30.0


class DesiredState:
    """The desired state, the same for every group, so that the groups never differ.

    A change of a Node or of AWS's list costs the decision on this instance. A full pass, every FULL_EVERY_S
    and after a doubt, starts from the Nodes and the lists alone; if the results differ, the full one counts.
    """

    def __init__(
        self, settings: Settings, cluster: Cluster, counters: Counters, clock: Clock, groups: Sequence[Group]
    ) -> None:
        self._settings = settings
        self._counters = counters
        self._cluster = cluster
        self._clock = clock
        self._groups = groups
        self._exclusive = settings.ownership is Ownership.EXCLUSIVE
        self._kept = self._standings()
        self._full: FullPass | None = None
        self._listed = False
        self._requested = False
        self._waiting: dict[str, NodeView | None] = {}
        self._moved: set[InstanceId] = set()  # changed in AWS's list of any group; one set for all groups
        for group in groups:
            self._moved |= group.observed.listing.changed
            group.observed.listing.changed = self._moved
        self._inputs: dict[TargetGroupArn, tuple[object, ...]] = {}
        self._shared_inputs: tuple[bool, bool] | None = None
        self._valid_until = -inf
        self._reads_targets = False
        self._desired: Desired | None = None
        self._nobody = ""

    @property
    def desired(self) -> Desired | None:
        """The wanted instances, None before the first computation."""
        return self._desired

    @property
    def listed(self) -> bool:
        """Whether a complete list of Nodes has been taken."""
        return self._listed

    @property
    def nodes(self) -> Mapping[str, NodeView]:
        """The Nodes of the desired state, by name."""
        return self._kept.nodes

    def verdicts(self) -> Iterable[Verdict]:
        """Return the final verdict of every Node at this moment."""
        return self._kept.verdicts()

    def count(self) -> Mapping[Standing, int]:
        """Return the number of Nodes by verdict."""
        counts = dict.fromkeys(Standing, 0)
        for each, count in self._kept.outcomes.items():
            counts[each.standing] += count
        return counts

    def nodes_of(self, instances: Iterable[InstanceId]) -> Mapping[InstanceId, NodeView]:
        """Return the authoritative Node of every instance, if any."""
        return self._kept.nodes_of(instances)

    def take_nodes(self) -> bool:
        """Take the changed Nodes, so that no pass sees half of a burst; return whether there are any.

        The caller requests a pass of every group.
        """
        known, names = self._cluster.nodes, self._cluster.take_changes()
        if known is None:
            return False
        if names is None or not self._listed:
            last = {**self._kept.nodes, **self._waiting}
            names = [name for name, node in known.items() if last.get(name) is not node] if last else known
            names = [*names, *(name for name in last if name not in known)]
        self._waiting.update((name, known.get(name)) for name in names)
        self._listed, self._requested = True, self._requested or bool(names)
        return bool(names)

    def doubt(self) -> None:
        """Let the next use of the result be computed from the Nodes and the lists alone."""
        self._kept, self._full = self._standings(), None
        self._waiting = dict(self._cluster.nodes or {})
        self._cluster.take_changes()

    def result(self) -> Desired:
        """Return the wanted instances as of the last `refresh`."""
        if self._desired is None:
            raise RuntimeError("the desired state is not computed")
        return self._desired

    @property
    def is_far_behind(self) -> bool:
        """Whether the changes are too many for one step."""
        return len(self._waiting) + len(self._kept.outdated) + len(self._moved) > STEP

    async def catch_up(self) -> None:
        """Take all changes into account, in steps between which other tasks run."""
        while self._advance():
            await self._clock.sleep(0)

    def _advance(self) -> bool:
        """Take one step of changes into account; return whether there are more."""
        every = [self._kept, *([self._full.standings] if self._full else [])]
        for name in list(islice(self._waiting, STEP)):
            node = self._waiting.pop(name)
            self._kept.put(name, node)
            if self._full is not None:
                self._full.put(name, node)
        if self._moved:
            for each in every:
                each.listed(self._moved)
            self._moved.clear()
        for each in every:
            each.decide(STEP)
        return bool(self._waiting) or any(each.outdated for each in every)

    def refresh(self, now: float, of: Collection[Group] = ()) -> bool:
        """Choose the wanted instances again if an input has changed; `now` is monotonic.

        Return whether plans may change without a request: after `take_nodes`, the caller requests a pass of
        every group. Of many groups, only the inputs `of` some are compared, all by default.
        """
        while self._advance():
            pass  # a few changes since `catch_up`
        before, requested = self._desired, self._requested
        if not self._take_inputs(now, of) and before is not None and not self._kept.changed:
            if requested:
                self._finish_request()
            return False
        changed, states = self._kept.changed, self._states(now)
        after = self._kept.desired(states, complete=self._listed)
        if self._full is not None:
            self._full.standings.desired(states, complete=self._listed)
        self._desired = after
        self._finish_request()
        if before is None or requested:
            return False
        return changed or not _is_same_choice(before, after)

    def _finish_request(self) -> None:
        self._requested = False
        self._say_nobody()

    def _states(self, now: float) -> list[GroupState]:
        return [group.state(self.port(group), now) for group in self._groups]

    def _take_inputs(self, now: float, of: Collection[Group]) -> bool:
        """Return whether the choice has other inputs than at the last call, besides the intents.

        A group's inputs change by the group's own events, or by time; where they include targets
        (`_reads_targets`), by each pass of any group.
        """
        idle = self._settings.zones is None and any(group.observed.listing.unserved for group in self._groups)
        changed = (self._listed, idle) != self._shared_inputs
        if changed or not of or now >= self._valid_until or self._reads_targets:
            of, self._reads_targets, self._valid_until = self._groups, False, inf
        self._shared_inputs = (self._listed, idle)
        for group in of:
            inputs = self._inputs_of(group, now, idle=idle)
            changed = changed or inputs != self._inputs.get(group.arn)
            self._inputs[group.arn] = inputs
            self._reads_targets = self._reads_targets or len(inputs) > 1
            self._valid_until = min(self._valid_until, group.choice_valid_until(now))
        return changed

    def _inputs_of(self, group: Group, now: float, *, idle: bool) -> tuple[object, ...]:
        """Return what `Standings.desired` reads of a group."""
        inputs, listing = group.choice_inputs(now), group.observed.listing
        if not self._exclusive and (inputs[0] is not None or self._settings.target_limit is not None):
            # Foreign targets take places.
            return inputs, listing.version, group.owned.targets, self.port(group)
        return (inputs, listing.version) if idle else (inputs,)

    async def run(self, wake_all: Callable[[], None]) -> None:
        """Repeat the full pass every 30 s until cancelled; `wake_all` requests a pass of every group."""
        while True:
            await self._clock.sleep(FULL_EVERY_S)
            try:
                if self.take_nodes():
                    wake_all()
                if self._listed and await self._pass_fully():
                    wake_all()
            except Exception:
                log.exception("unforeseen fault in the full computation of the desired state")
                self.doubt()
                wake_all()

    async def _pass_fully(self) -> bool:
        """Compute everything without a kept result; return whether plans may change without a request.

        Changes in the meantime go to both results.
        """
        repaired = await self._repair_listings()
        self._full = full = FullPass(self._standings())
        await full.compute(dict(self._cluster.nodes or {}), self._rest)
        now = self._clock.monotonic()
        wake = self.refresh(now) or repaired
        full.standings.desired(self._states(now), complete=self._listed)  # finds idle zones as well
        differs = await full.differs(self._kept, self._rest)
        if self._full is not full:
            return wake  # a doubt in the meantime
        now = self._clock.monotonic()
        wake = self.refresh(now) or wake
        return self._replace(full.standings, self._states(now), differs=differs) or wake

    async def _repair_listings(self) -> bool:
        """Sort the targets of every group again; return whether a kept listing was wrong."""
        wrong = [group.name for group in self._groups if await self._is_repaired(group)]
        if wrong:
            self._counters.disagreements[LISTING] += len(wrong)
            log.error("the kept listing was wrong and is corrected; please report: %s", ", ".join(wrong))
        return bool(wrong)

    async def _is_repaired(self, group: Group) -> bool:
        await self._rest()
        return group.observed.listing.repair()

    async def _rest(self) -> None:
        await self._clock.sleep(0)
        await self.catch_up()

    def _replace(self, full: Standings, states: Sequence[GroupState], *, differs: bool) -> bool:
        """Keep the full result from now on; return whether the kept result differs."""
        before, after = self.result(), full.desired(states, complete=self._listed)
        full.changed = differs or not _is_same_choice(before, after)
        if full.changed:
            self._counters.disagreements[DESIRED_STATE] += 1
            log.error(
                "the kept desired state differs from the full computation, which counts; please report: %s",
                difference(before, after, full.nodes.values(), states),
            )
        else:
            self._desired = after
        self._kept, self._full = full, None
        return full.changed

    def _standings(self) -> Standings:
        listings = [group.observed.listing for group in self._groups]
        return Standings(self._settings.node_policy, self._settings.plan_policy, listings)

    def _say_nobody(self) -> None:
        """Log once when no Node may be a target, because there is no other sign."""
        before, self._nobody = self._nobody, nobody(self._kept.outcomes)
        if self._nobody and self._nobody != before:
            log.warning("%s", self._nobody)

    def behind(self, group: Group) -> float:
        """Return for how many seconds the input of the group's decisions may have been outdated."""
        source = group.config.settings.port
        return self._cluster.behind(source.service if isinstance(source, ServicePort) else "")

    def missing_port(self, group: Group) -> str:
        """Describe the Service port that does not exist; "" if it exists or is not known yet."""
        source = group.config.settings.port
        if not isinstance(source, ServicePort) or not self._cluster.knows(source.service):
            return ""
        if self.port(group) is not None:
            return ""
        return source.missing(self._cluster.node_ports(source.service))

    def port(self, group: Group) -> int | None:
        """Return the port of wanted targets: the live NodePort or the configured port; None if unknown."""
        source = group.config.settings.port
        if isinstance(source, ServicePort):
            return self._cluster.node_port(source.service, source.port)
        return group.observed.default_port if source is None else source


def _is_same_choice(before: Desired, after: Desired) -> bool:
    """Whether both have the same wanted instances; the intents are compared one by one."""
    return (before.wanted, before.complete, before.all_out, before.unsettled) == (
        *(after.wanted, after.complete, after.all_out, after.unsettled),
    )
