"""The desired state from changes of Nodes and of AWS's lists: the same as `choose` of everything."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from syncer.decide.desired import (
    SAMPLE,
    Outcome,
    Rest,
    ZoneRules,
    is_hopeful,
    outcome,
    places_in,
    refused_in,
)
from syncer.decide.evaluate import JOINING, Judge, authoritative_nodes, verdict_of
from syncer.decide.listing import Listing, listed_zone
from syncer.decide.policy import NodePolicy, PlanPolicy
from syncer.decide.quota import Queues, subset
from syncer.model import Desired, GroupState, InstanceId, Intent, NodeView, Standing, Verdict


class Standings:
    """The intent of every instance, from the Nodes that were put and the targets in the listings.

    `put` and `listed` collect instances in `outdated`, `decide` computes their intents, and `desired` chooses
    among the results. `changed`: an intent has another value for plans than at the last `desired`.
    """

    def __init__(
        self, node_policy: NodePolicy, plan_policy: PlanPolicy, listings: Sequence[Listing] = ()
    ) -> None:
        self.nodes: dict[str, NodeView] = {}
        self.intents: dict[InstanceId, Intent] = {}
        self.outcomes: Counter[Outcome] = Counter()
        self.outdated: dict[InstanceId, None] = {}
        self.changed = True
        self._policy = plan_policy
        self._listings = listings
        self._judge = Judge(node_policy)
        self._zones = ZoneRules(plan_policy.zones)
        self._idle: Mapping[str, InstanceId] = {}
        self._deciding: dict[InstanceId, NodeView] = {}
        self._twins: dict[InstanceId, set[str]] = {}
        self._candidates: set[InstanceId] = set()
        self._joining: set[InstanceId] = set()
        self._hopeful = 0
        self._queues = Queues() if plan_policy.target_limit is not None else None
        self._wanted: frozenset[InstanceId] | None = None

    def put(self, name: str, node: NodeView | None) -> None:
        """Store a Node, None for a deleted one."""
        before = self.nodes.get(name)
        if node is not None:
            self.nodes[name] = node
        elif before is not None:
            del self.nodes[name]
        old = before.instance_id if before else None
        new = node.instance_id if node else None
        if before is not None and old is None:
            self.outcomes[outcome(self._judge.intent(before, registered=False))] -= 1
        if node is not None and new is None:
            self.outcomes[outcome(self._judge.intent(node, registered=False))] += 1
        if old is not None:
            self._leave(old, name, stays=old == new)
        if node is not None and new is not None:
            self._join(new, node, stays=old == new)

    def _leave(self, instance: InstanceId, name: str, *, stays: bool) -> None:
        """Forget a Node of the instance, unless its next version stays with the instance."""
        if stays:
            return
        self.outdated[instance] = None
        if (intent := self.intents.get(instance)) is not None:
            self.outcomes[outcome(intent)] -= 1
        twins = self._twins.get(instance)
        if twins is None:
            del self._deciding[instance]
            return
        twins.discard(name)
        self._elect(instance, twins)

    def _join(self, instance: InstanceId, node: NodeView, *, stays: bool) -> None:
        """Take a Node of the instance, or its next version."""
        self.outdated[instance] = None
        deciding, twins = self._deciding.get(instance), self._twins.get(instance)
        if not stays and (intent := self.intents.get(instance)) is not None:
            self.outcomes[outcome(intent)] += 1
        if twins is None and (deciding is None or deciding.name == node.name):
            self._deciding[instance] = node
            return
        twins = self._twins.setdefault(instance, {deciding.name} if deciding else set())
        twins.add(node.name)
        self._elect(instance, twins)

    def _elect(self, instance: InstanceId, twins: set[str]) -> None:
        """Choose the authoritative Node among several Nodes of an instance."""
        self._deciding |= authoritative_nodes(self.nodes[name] for name in twins)
        if len(twins) == 1:
            del self._twins[instance]

    def listed(self, instances: Iterable[InstanceId]) -> None:
        """Note that a listing has changed for these instances."""
        self.outdated.update(dict.fromkeys(instances))

    def decide(self, most: int | None = None) -> None:
        """Compute the intents of `most` outdated instances, of all by default."""
        for instance in list(islice(self.outdated, most)):
            self._decide(instance)
            del self.outdated[instance]

    def _decide(self, instance: InstanceId) -> None:
        old, placed = self.intents.get(instance), self._placed(instance)
        new = placed and self._zones.served(instance, placed, self._idle)
        if new is old:
            return
        nodes = len(self._twins.get(instance, "1"))
        if old is not None:
            self._count(instance, old, -1)
            self.outcomes[outcome(old)] -= nodes if instance in self._deciding else 0
        if new is None:
            del self.intents[instance]
        else:
            self.intents[instance] = new
            self._count(instance, new, 1)
            self.outcomes[outcome(new)] += nodes
        self.changed = self.changed or not is_same_for_plans(old, new)

    def _placed(self, instance: InstanceId) -> Intent | None:
        """Return the instance's intent by the rules for Nodes, in the zone that AWS lists."""
        node = self._deciding.get(instance)
        if node is None:
            return None
        registered = any(each.is_registered(instance) for each in self._listings)
        intent = self._judge.intent(node, registered=registered)
        return self._zones.placed(intent, listed_zone(instance, self._listings))

    def _count(self, instance: InstanceId, intent: Intent, difference: int) -> None:
        """Add the instance to the sets and counts of its intent, or remove it."""
        self._hopeful += difference * is_hopeful(intent)
        if intent.reason == JOINING:
            (self._joining.add if difference > 0 else self._joining.discard)(instance)
        if intent.standing is Standing.IN:
            (self._candidates.add if difference > 0 else self._candidates.discard)(instance)
            self._wanted = None
            if self._queues is not None:
                self._queues.put(instance, intent.zone, present=difference > 0)

    def desired(self, groups: Sequence[GroupState], *, complete: bool) -> Desired:
        """Return the instances for every group, of the present intents; see `choose`."""
        self._find_idle_zones(groups)
        self.changed = False
        chosen: frozenset[InstanceId] | None = None
        line: tuple[InstanceId, ...] = ()
        places = places_in(self.intents, groups, self._listings, self._policy)
        if places is not None and places < len(self._candidates):
            queues = self._ordered()
            chosen = subset(queues, places, self._candidates.intersection(refused_in(groups)))
            line = queues.waiting(chosen, SAMPLE)
        elif self._wanted is None:
            self._wanted = frozenset(self._candidates)
        wanted = chosen if chosen is not None else self._wanted or frozenset()
        return Desired(
            wanted=wanted,
            over_quota=Rest(self._candidates, wanted),
            next_in_line=line,
            joining=frozenset(self._joining),
            intents=self.intents,
            complete=complete,
            all_out=bool(self.intents or self._policy.only_selected) and not self._hopeful,
            unsettled=any(group.unsettled for group in groups),
        )

    def _ordered(self) -> Queues:
        """Return the queues of places; without a configured limit, only since a limit is known."""
        if self._queues is None:
            self._queues = Queues({i: self.intents[i].zone for i in self._candidates})
        return self._queues

    def _find_idle_zones(self, groups: Sequence[GroupState]) -> None:
        """Decide the instances of a zone again that has become idle, or is served again."""
        idle = self._zones.idle(self._placed, groups, self._listings)
        if idle == self._idle:
            return
        zones = {zone for zone, _ in idle.items() ^ self._idle.items()}
        self._idle = idle
        self.listed(instance for instance, intent in self.intents.items() if intent.zone in zones)
        self.decide()

    def nodes_of(self, instances: Iterable[InstanceId]) -> dict[InstanceId, NodeView]:
        """Return the authoritative Node of every instance, if any."""
        return {each: self._deciding[each] for each in instances if each in self._deciding}

    def verdicts(self) -> "Verdicts":
        """Return the verdicts of this moment, which another thread may read."""
        return Verdicts(tuple(self.nodes.values()), dict(self.intents), dict(self._deciding), self._judge)


@dataclass(frozen=True, slots=True)
class Verdicts:
    """The verdict of every Node; made while they are read, because 100,000 of them take 0.1 s."""

    nodes: Sequence[NodeView]
    intents: Mapping[InstanceId, Intent]
    deciding: Mapping[InstanceId, NodeView]
    judge: Judge

    def __iter__(self) -> Iterator[Verdict]:
        """Yield the verdicts in the order of the Nodes."""
        for node in self.nodes:
            instance = node.instance_id
            if instance is None:
                yield verdict_of(node, node, self.judge.intent(node, registered=False))
            elif instance in self.intents:
                yield verdict_of(node, self.deciding[instance], self.intents[instance])


def is_same_for_plans(before: Intent | None, after: Intent | None) -> bool:
    """Whether both intents give the same plans: only the source of a zone may differ."""
    if before is None or after is None:
        return before is after
    return (before.standing, before.reason, before.zone, before.deadline, before.since) == (
        *(after.standing, after.reason, after.zone, after.deadline, after.since),
    )
