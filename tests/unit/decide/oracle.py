"""Safety rules 2, 4, 5 and 6 a second time, in the design's words: what a plan may send and may hold."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import ceil

from syncer.decide.policy import Ownership, PlanPolicy
from syncer.model import (
    Desired,
    GroupPlan,
    GroupState,
    InstanceId,
    Standing,
    Target,
    TargetHealth,
    TargetState,
    Why,
)
from tests.unit.decide.world import held

WINDOW, DEADLINE_S, SUCCESSOR_S = 600, 60, 300


@dataclass(frozen=True)
class Scope:
    """The group, or one of its zones: its serving targets, and how many instances must go on serving."""

    serving: set[Target]
    floor: int

    def after(self, gone: set[Target]) -> set[InstanceId]:
        return {target.id for target in self.serving - gone}


@dataclass
class Oracle:
    """Watches one group from pass to pass, as long as the syncer runs; `restart` forgets like it does."""

    policy: PlanPolicy
    ever_ours: set[Target] = field(default_factory=set)
    counts: dict[str, list[tuple[float, int]]] = field(default_factory=dict)
    notices: dict[InstanceId, tuple[float, bool]] = field(default_factory=dict)
    heirs: dict[Target, float] = field(default_factory=dict)
    zones: dict[InstanceId, str] = field(default_factory=dict)

    def restart(self) -> None:
        self.counts, self.notices, self.heirs, self.zones = {}, {}, {}, {}

    def watch(self, desired: Desired, state: GroupState, plan: GroupPlan, now: float) -> None:
        """Assert that this plan keeps the rules and holds nothing that they let go."""
        listed = {t: h for t, h in state.targets.items() if h.registered}
        self._note(desired, state, listed, now)
        scopes = dict(self._scopes(state, now))
        self.ours(desired, state, listed, plan)
        self.brake(scopes, listed, plan, now)
        self.nothing_is_held_needlessly(scopes, listed, state, plan, now)
        self.doubtful(desired, scopes, listed, state, plan)
        self.successors(desired, state, plan, now)
        self.quota(listed, plan)

    def ours(
        self,
        desired: Desired,
        state: GroupState,
        listed: Mapping[Target, TargetHealth],
        plan: GroupPlan,
    ) -> None:
        wanted = {Target(i, state.port) for i in desired.wanted} if state.port else set()
        self.ever_ours |= set(plan.register) | {
            t
            for t in listed
            if t.port == state.port
            and (intent := desired.intents.get(t.id)) is not None
            and intent.standing is not Standing.OUT
        }
        own_healthy = any(listed[t].state is TargetState.HEALTHY for t in self.ever_ours & listed.keys())
        assert wanted.isdisjoint(plan.deregister)
        assert set(plan.deregister) <= listed.keys()
        assert set(plan.register) | (self.ever_ours & listed.keys()) <= plan.ours, "the record"
        foreign = set(plan.deregister) - self.ever_ours - state.ours
        assert not foreign or (self.policy.ownership is Ownership.EXCLUSIVE and own_healthy)

    def brake(
        self,
        scopes: Mapping[str, Scope],
        listed: Mapping[Target, TargetHealth],
        plan: GroupPlan,
        now: float,
    ) -> None:
        gone = set(plan.deregister)
        assert not gone or listed.keys() - gone, "the last registered one"
        if scopes[""].serving & gone:
            assert scopes[""].after(gone), "the last serving one"
        confirmed = {t.id for t in plan.memory.released}
        for name, scope in scopes.items():
            before, after = scope.after(set()), scope.after(gone)
            lost = before - after
            if not lost or lost & confirmed:
                continue
            assert after, f"the last serving one of {name or 'the group'}"
            waiting = {i for i in lost if not self._overdue(i, now)}
            assert len(after) >= scope.floor or len(waiting) <= max(0, len(before) - scope.floor)

    def nothing_is_held_needlessly(
        self,
        scopes: Mapping[str, Scope],
        listed: Mapping[Target, TargetHealth],
        state: GroupState,
        plan: GroupPlan,
        now: float,
    ) -> None:
        gone = set(plan.deregister)
        for target, why in held(plan).items():
            if not state.fresh or target not in listed or why not in {Why.SHARE, Why.LAST_SERVING}:
                continue
            share = why is Why.SHARE and not self._overdue(target.id, now)
            if why is Why.SHARE and target.id not in self.notices:
                continue  # all together, or none
            needs = [
                scope.floor if share else 1
                for scope in scopes.values()
                if target in scope.serving
                and target.id not in scope.after(gone | {target})
                and len(scope.after(gone | {target})) < (scope.floor if share else 1)
            ]
            assert needs or len(listed.keys() - gone) == 1, (target, why)

    def doubtful(
        self,
        desired: Desired,
        scopes: Mapping[str, Scope],
        listed: Mapping[Target, TargetHealth],
        state: GroupState,
        plan: GroupPlan,
    ) -> None:
        named = self.notices.keys() | desired.wanted | desired.over_quota
        whys = held(plan)
        exempt = {Why.FOREIGN, Why.ADD_ONLY, Why.CONTESTED}
        asked = {t for t in listed if t.id not in named and whys.get(t) not in exempt}
        if not state.fresh:
            assert not plan.deregister
            return
        serving = {t for t in asked if t in scopes[""].serving} - plan.memory.released
        gone = set(plan.deregister)
        if self.policy.cross_zone and serving & gone:
            assert not serving - gone, "all together or none"
        if any(whys.get(t) is Why.SHARE for t in serving):
            assert plan.hold_id

    def successors(self, desired: Desired, state: GroupState, plan: GroupPlan, now: float) -> None:
        if self.policy.target_limit is not None:
            return  # the order turns round
        for target in plan.deregister:
            if target.id in desired.wanted and state.port:
                heir = state.targets.get(Target(target.id, state.port))
                healthy = heir is not None and heir.state is TargetState.HEALTHY
                assert healthy or now - self.heirs.get(target, now) >= SUCCESSOR_S

    def quota(self, listed: Mapping[Target, TargetHealth], plan: GroupPlan) -> None:
        limit = self.policy.target_limit
        if limit is not None and plan.register:
            assert len(listed.keys() | set(plan.register)) <= limit

    def _overdue(self, instance: InstanceId, now: float) -> bool:
        since, deadline = self.notices.get(instance, (now, False))
        return deadline and now - since >= DEADLINE_S

    def _note(
        self, desired: Desired, state: GroupState, listed: Mapping[Target, TargetHealth], now: float
    ) -> None:
        notices: dict[InstanceId, tuple[float, bool]] = {}
        for instance in {t.id for t in listed}:
            intent, old = desired.intents.get(instance), self.notices.get(instance)
            if intent is None and old is not None:
                notices[instance] = old
            elif intent is not None and intent.standing is Standing.LEAVING:
                since = now if old is None or (intent.deadline and not old[1]) else old[0]
                notices[instance] = (min(since, intent.since or since), intent.deadline)
        self.notices = notices
        self.zones |= {i: intent.zone for i, intent in desired.intents.items() if intent.zone}
        sent = {
            t
            for t in listed
            if state.port
            and t.port != state.port
            and t.id in desired.wanted
            and Target(t.id, state.port) in listed
        }
        self.heirs = {t: self.heirs.get(t, now) for t in sent}

    def _scopes(self, state: GroupState, now: float) -> Iterator[tuple[str, Scope]]:
        names = {""} if self.policy.cross_zone else {"", *(self.zones.get(t.id, "") for t in state.targets)}
        free = self.policy.target_limit
        if free is not None:
            free = max(0, free - sum(h.registered for h in state.targets.values()))
        for name in names | self.counts.keys():
            members = [h for t, h in state.targets.items() if name in {"", self.zones.get(t.id, "")}]
            serving = serves(members)
            draining = {h.target.id for h in members if h.state is TargetState.DRAINING}
            count = len({t.id for t in serving} | draining)
            if free is not None:
                count = min(count, free + sum(h.registered for h in members))
            before = self.counts.get(name, [])
            lasted = [(now, before[-1][1])] if before else []  # what was counted last was so until now
            counts = [each for each in before + lasted if each[0] >= now - WINDOW] + [(now, count)]
            self.counts[name] = counts
            yield name, Scope(serving, max(1, ceil(self.policy.share * max(n for _, n in counts) - 1e-9)))


def serves(targets: Iterable[TargetHealth]) -> set[Target]:
    """Healthy ones; where none is healthy all registered ones but those whose instance is stopped."""
    listed = [health for health in targets if health.registered]
    healthy = {health.target for health in listed if health.state is TargetState.HEALTHY}
    return healthy or {health.target for health in listed if health.reason != "Target.InvalidState"}
