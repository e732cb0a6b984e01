"""What one replica could know of a group and of the cluster: from what it was answered, and nothing else."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from syncer.decide.nodes import parse_time
from syncer.model import InstanceId, Target, TargetHealth, TargetState
from tests.simulation.lives.effects import Effects, change

GROUP = ""
WINDOW_S = 600.0
# How late what the caches hold reaches a decision: bursts are collected for a second, the record is written.
LATE_S = 1.2
EXCLUDED = "node.kubernetes.io/exclude-from-external-load-balancers"
TAINTS = ("ToBeDeletedByClusterAutoscaler", "karpenter.sh/disrupted")
# The label that a Node must not have, in the worlds that the oracle watches: NLB_SYNC_NODE_SELECTOR.
SELECTOR, TYPO = "!not-ingress", "not-ingress"


@dataclass(slots=True)
class KnownGroup:
    """One group: the last answer of DescribeTargetHealth, with what our own calls have changed since.

    A call counts from the moment at which AWS carried it out, also when its answer was lost: whoever does
    not know whether it happened must look before it removes more. For a minute it counts against an answer
    that need not show it yet (`effects.py`). What other hands do is known by the next answer. `seen` is how
    many instances served or drained, by scope, from when on. `unsure` are those whose registration was not
    answered since the last read, `news` those of another writer, with the time of the read that told of them.
    `said` is the limit that people chose, `learnt` the one that AWS was seen to have,
    until `learnt_until`. `written` is when a call of ours changed a target.
    """

    zone_of: Callable[[InstanceId], str]
    by_zone: bool
    said: int | None = None
    view: dict[Target, TargetHealth] = field(default_factory=dict)
    fresh: bool = False
    blind: bool = False
    as_of: float = float("-inf")
    unsure: set[Target] = field(default_factory=set)
    written: dict[tuple[Target, bool], float] = field(default_factory=dict)
    news: dict[Target, float] = field(default_factory=dict)
    seen: list[tuple[float, Mapping[str, int]]] = field(default_factory=list)
    learnt: int | None = None
    learnt_until: float = 0.0
    effects: Effects = field(default_factory=Effects)

    def answered(self, as_of: float, healths: Iterable[TargetHealth], now: float, began: float) -> None:
        """A describe, asked at `began`, that AWS answered at `as_of`."""
        self.fresh, self.blind, self.as_of = True, False, as_of
        self.unsure.clear()
        before, answer = self.registered(), [*healths]
        self.effects.note_drained(self.view, now)
        self.view = self.effects.over(answer, self.view, began)
        self.effects.note_undone(self.view)
        self.effects.note_drained({health.target: health for health in answer}, now)
        known = before - self.news.keys()
        self.news = {target: self.news.get(target, now) for target in self.registered() - known}
        self.note(now)

    def wrote(self, targets: Collection[Target], now: float, *, registered: bool) -> None:
        """AWS has carried out a call of ours."""
        self.effects.note_drained(self.view, now)
        self.effects.carried_out(targets, now, registered=registered)
        for target in targets:
            change(self.view, target, registered=registered)
        self.written |= dict.fromkeys(((target, registered) for target in targets), now)
        if not registered:
            self.note(now)

    def note(self, now: float) -> None:
        """The replica knows of this capacity; of what it registers it does when the answer has come."""
        counts = {scope: self._capacity(scope, now) for scope in self.scopes()}
        self.seen = [each for each in self.seen if each[0] > now - 3 * WINDOW_S]
        self.seen.append((now, counts))

    def lately(self, now: float) -> set[Target]:
        """The registered ones, and those that a call of ours has removed within the last second."""
        return self.registered() | self._lately_written(now, registered=False)

    def before(self, now: float) -> set[Target]:
        """The registered ones but those that a call of ours has added within the last second."""
        return self.registered() - self._lately_written(now, registered=True)

    def _lately_written(self, now: float, *, registered: bool) -> set[Target]:
        return {t for (t, joined), at in self.written.items() if joined is registered and at > now - LATE_S}

    def scopes(self) -> set[str]:
        """The group, and each zone of it where cross-zone is off."""
        return {GROUP, *(self.zone_of(target.id) for target in self.view if self.by_zone)}

    def members(self, scope: str) -> list[TargetHealth]:
        """What AWS lists in a scope."""
        return [h for h in self.view.values() if scope in {GROUP, self.zone_of(h.target.id)}]

    def registered(self) -> set[Target]:
        """The registered targets."""
        return {target for target, health in self.view.items() if health.registered}

    def surely(self, now: float) -> set[Target]:
        """The registered ones that a decision of now must know of: of a read it may know a second later."""
        unsure = set() if self.fresh else self.unsure
        return {t for t in self.registered() - unsure if self.news.get(t, -LATE_S) <= now - LATE_S}

    def healthy(self) -> set[Target]:
        """The healthy targets."""
        return {t for t, health in self.view.items() if health.state is TargetState.HEALTHY}

    def serving_targets(self, scope: str) -> set[Target]:
        """The healthy ones; where none is, all registered ones that AWS can reach.

        Of either those without an override count first, then those in doubt, then those under a zonal shift.
        """
        listed = [health for health in self.members(scope) if health.registered]
        healthy = [health for health in listed if health.state is TargetState.HEALTHY]
        serving = healthy or [health for health in listed if self.is_reached(health)]
        least = min(map(grade, serving), default=0)
        return {health.target for health in serving if grade(health) == least}

    def is_reached(self, health: TargetHealth) -> bool:
        """Whether AWS sends it anything where it fails open: not if it is stopped, or in an idle zone."""
        if health.reason == "Target.NotInUse":
            return not any(h.registered and h.state is not TargetState.UNUSED for h in self.view.values())
        return health.reason != "Target.InvalidState"

    def zones_in_use(self) -> set[str]:
        """Where AWS uses a target of the group, as it said."""
        idle = {TargetState.UNUSED, TargetState.INITIAL}
        return {self.zone_of(t.id) for t, h in self.view.items() if h.registered and h.state not in idle}

    def unused_zones(self) -> set[str]:
        """Where it leaves one unused: there is no listener, or the load balancer does not serve there."""
        return {self.zone_of(t.id) for t, health in self.view.items() if health.reason == "Target.NotInUse"}

    def serving(self, scope: str) -> set[InstanceId]:
        """The instances that serve."""
        return {target.id for target in self.serving_targets(scope)}

    def draining(self, scope: str) -> set[InstanceId]:
        """The instances that drain."""
        return {h.target.id for h in self.members(scope) if h.state is TargetState.DRAINING}

    def limit(self, now: float) -> int | None:
        """How many targets the group may hold, as far as that is known."""
        learnt = self.learnt if now < self.learnt_until else None
        return min((limit for limit in (self.said, learnt) if limit is not None), default=None)

    def _capacity(self, scope: str, now: float) -> int:
        """How many instances serve or drain; in a full group no more than it ever had places for."""
        count, limit = len(self.serving(scope) | self.draining(scope)), self.limit(now)
        if limit is None:
            return count
        free = max(0, limit - len(self.registered()))
        return min(count, sum(health.registered for health in self.members(scope)) + free)

    def base(self, scope: str, now: float) -> int:
        """The most that served or drained within the last ten minutes, as far as it was seen."""
        counts = [self._capacity(scope, now)]
        until = now
        for since, seen in reversed(self.seen):
            if until < now - WINDOW_S:
                break
            counts.append(seen.get(scope, 0))
            until = since
        return max(counts)


def grade(health: TargetHealth) -> int:
    """How much speaks against traffic to it: 0 nothing, 1 that AWS cannot tell, 2 a zonal shift."""
    if not health.override:
        return 0
    return 2 if health.override.startswith("zonal_shift") else 1


@dataclass(frozen=True, slots=True)
class Speech:
    """What the newest Node of an instance says: "in", "leaving", "out", or "joining" (not Ready yet)."""

    node: str
    standing: str
    deadline: bool = False
    deleted_at: float | None = None


@dataclass(frozen=True, slots=True)
class KnownCluster:
    """The Nodes and NodePorts that were in a replica's caches, and since when it knows what leaves.

    `announced` is the deadline's beginning, None without one. `brief` are those whose Node said that it
    leaves for less than a decision may be late before it was gone: one may have seen that, or only that it is
    gone. `retracted` is when an announcement was taken back, and what it was: if it is made again as soon, a
    decision may not have seen that.
    """

    nodes: Mapping[str, dict[str, Any]] | None = None
    ports: Mapping[tuple[str, str], int] = field(default_factory=dict)
    ports_since: Mapping[tuple[str, str], float] = field(default_factory=dict)
    speeches: Mapping[InstanceId, Speech] = field(default_factory=dict)
    announced: Mapping[InstanceId, float | None] = field(default_factory=dict)
    leaving_since: Mapping[InstanceId, float] = field(default_factory=dict)
    brief: frozenset[InstanceId] = frozenset()
    retracted: Mapping[InstanceId, tuple[float, float | None]] = field(default_factory=dict)

    def readings(self) -> "tuple[KnownCluster, ...]":
        """This, and the same to one who missed what was said briefly."""
        if not self.brief:
            return (self,)
        missed = {i: since for i, since in self.announced.items() if i not in self.brief}
        return (self, replace(self, announced=missed))

    def learns(
        self,
        nodes: Mapping[str, dict[str, Any]],
        ports: Mapping[tuple[str, str], int],
        now: float,
        epoch: float,
        late: float = LATE_S,
    ) -> "KnownCluster":
        """What is known from `now` on; a decision may know it `late` seconds later."""
        speeches, announced = _speeches(nodes.values()), dict(self.announced)
        retracted = {i: told for i, told in self.retracted.items() if told[0] >= now - late}
        for instance, speech in speeches.items():
            if speech.standing != "leaving":
                if instance in announced:
                    retracted[instance] = (now, announced.pop(instance))
            elif not speech.deadline:
                announced[instance] = None
            else:
                since = announced.get(instance, retracted.get(instance, (now, None))[1])
                began = now if since is None else since
                if speech.deleted_at is not None:
                    began = min(began, now - (epoch - speech.deleted_at))
                announced[instance] = began
        leaving = {
            i: self.leaving_since.get(i, now) for i, said in speeches.items() if said.standing == "leaving"
        }
        gone = self.leaving_since.keys() - speeches.keys()
        brief = self.brief.union(i for i in gone if now - self.leaving_since[i] < late) - speeches.keys()
        return KnownCluster(
            nodes=dict(nodes),
            ports=dict(ports),
            ports_since={p: self._port_since(p, ports, now) for p in ports},
            speeches=speeches,
            announced=announced,
            leaving_since=leaving,
            brief=frozenset(brief),
            retracted=retracted,
        )

    def _port_since(self, port: tuple[str, str], ports: Mapping[tuple[str, str], int], now: float) -> float:
        return self.ports_since.get(port, now) if self.ports.get(port) == ports[port] else now

    def overdue(self, instance: InstanceId, now: float) -> bool:
        """Whether its deadline has waited its minute."""
        since = self.announced.get(instance)
        return since is not None and now - since >= 60 - 1e-6


def _speeches(nodes: Iterable[dict[str, Any]]) -> dict[InstanceId, Speech]:
    newest: dict[InstanceId, tuple[tuple[str, bool, str], Speech]] = {}
    for node in nodes:
        meta, spec = node["metadata"], node["spec"]
        found = re.fullmatch(r"aws:///[^/]*/(i-[0-9a-f]{17})", spec.get("providerID", ""))
        if found is None:
            continue
        rank = (meta["creationTimestamp"], "deletionTimestamp" not in meta, meta["name"])
        instance = InstanceId(found[1])
        if instance not in newest or rank > newest[instance][0]:
            newest[instance] = (rank, _speech(node))
    return {instance: speech for instance, (_, speech) in newest.items()}


def _speech(node: Mapping[str, Any]) -> Speech:
    meta = node["metadata"]
    tainted = any(taint["key"] in TAINTS for taint in node["spec"].get("taints", ()))
    deadline = tainted or "deletionTimestamp" in meta
    if TYPO in meta["labels"]:
        return Speech(meta["name"], "out")
    if deadline or EXCLUDED in meta["labels"]:
        return Speech(meta["name"], "leaving", deadline, parse_time(meta.get("deletionTimestamp")))
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in node["status"]["conditions"])
    return Speech(meta["name"], "in" if ready else "joining")
