"""The safety rules a second time, from the words of the specification: whether a call may be sent.

It is asked at the moment at which a replica lets a call through, and it knows what that replica was answered
until then (`known.py`), what people chose, and which targets another writer has put there. It calls none of
the syncer's decisions.

What it allows beyond the words of rule 2, and why:

- It judges by what the replica could know, not by what is true at that moment: health is read every 30 s (5 s
  while something is awaited), a cache lags behind the API server, and a call takes its time. That knowledge
  must not be older than `STALE_S`, and after a failed read nothing may go at all.
- A call of our own whose answer was lost counts as carried out, if it was. That is stricter than what the
  replica knows: it must look before it removes more.
- Capacity is counted in instances. One that serves on its old and on its new port is one, else a changed
  port would double the base.
- An instance that is stopped, or in a zone that the load balancer does not serve, does not serve where AWS
  fails open: AWS sends it nothing.
- A full group never had more capacity than its places: what is swapped one for one drains beside its
  successors, and does not count into the base beyond the limit (rule 4 at the quota).
- Where AWS denies the read (blind) nobody knows what serves; only that something of ours is left is asked.
- What the cluster says reaches a decision up to a second late: changes that come in bursts are collected.
  A call is judged by each state of the caches of that time, and one of them must allow it (`oversight.py`).
- A process that was frozen may send what it had decided: that call is judged by the time before. Where there
  is a Lease it must be valid even so (rule 9).
- What leads to a larger base before a restart is forgotten by it, but for what drains.

- A successor in conflict has been tried: another writer removes it as often as it is registered.
- A target that was adopted on sight, and is not recorded yet, is foreign to whoever starts after its Node is
  gone: one that was never recorded, or that another writer has put there.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from math import ceil

from syncer.config.settings import Settings
from syncer.decide.policy import Ownership
from syncer.model import InstanceId, Target
from tests.simulation.elb import Call
from tests.simulation.lives.known import GROUP, KnownCluster, KnownGroup

# A read begins at most 30 s after the last one and may take its time to be answered.
STALE_S = 45.0
PATIENCE_S = 60.0
SUCCESSOR_S = 300.0


@dataclass(frozen=True, slots=True)
class Choices:
    """What people chose, and what only the world knows: whose a target is, and which holds were let go."""

    settings: Settings
    foreign: Collection[Target]
    confirmed: Collection[Target]
    recorded: Callable[[Target], bool]  # whether the record surely has it: it had, and was not lost


@dataclass(slots=True)
class Judge:
    """Judges the calls of one replica to one group."""

    known: KnownGroup
    cluster: KnownCluster
    port: int | None
    port_since: float
    registered_somewhere: Collection[InstanceId]
    choices: Choices
    now: float
    contested: Collection[Target] = field(default_factory=tuple)
    refused: Collection[Target] = field(default_factory=tuple)  # by AWS, at any time
    scarce: bool = False  # some group has a limit: all groups hold the same choice
    idle_zones: Collection[str] = field(default_factory=tuple)  # where some group has an unused target
    unsettled: bool = False  # what was removed may not be shown yet: only what is wanted surely serves

    def register(self, call: Call) -> Iterator[str]:
        """What is wrong with a RegisterTargets."""
        limit, there = self._limit(), self.known.surely(self.now)
        for target in call.targets:
            if not self.is_in(target.id):
                yield f"registers {target}, whose node is not in"
            elif target.port != self.port:
                yield f"registers {target} on a port that is not wanted"
        new = set(call.targets) - there
        if new and limit is not None and not self.known.blind and len(there) + len(new) > limit:
            yield f"registers more than {limit} targets"

    def deregister(self, call: Call) -> Iterator[str]:
        """What is wrong with a DeregisterTargets."""
        going = set(call.targets)
        if self.cluster.nodes is None:
            yield "removes before a complete list of nodes (rule 1)"
            return
        if not self.known.blind:
            if not self.known.fresh:
                yield "removes after a failed read (rule 8)"
            if call.asked - self.known.as_of > STALE_S:
                yield f"removes by what it knew {self.now - self.known.as_of:.0f} s ago"
        if len(self.known.registered() - going) < 1:
            yield "removes the last registered target (rule 2)"
        yield from self._ownership(going)
        yield from self._standing(going)
        yield from self._successors(going)
        if not self.known.blind:
            for scope in sorted(self.known.scopes()):
                yield from self._brake(scope, going)
            yield from self._together(going)

    def _ownership(self, going: Collection[Target]) -> Iterator[str]:
        ownership = self.choices.settings.ownership
        foreign = sorted(set(going) & set(self.choices.foreign))
        if ownership is Ownership.ADD_ONLY and going:
            yield "removes in add-only (rule 6)"
        elif foreign and not self.may_clear():
            yield f"removes foreign {foreign} in {ownership}, or before one of ours is healthy (rule 6)"

    def may_clear(self) -> bool:
        """Whether foreign targets are ours to remove: in exclusive, once one of our own is healthy."""
        exclusive = self.choices.settings.ownership is Ownership.EXCLUSIVE
        return exclusive and any(self.is_wanted(target) for target in self.known.healthy())

    def _standing(self, going: Collection[Target]) -> Iterator[str]:
        """What is wanted goes only to make way at the quota, or where its zone is not served."""
        for target in sorted(going):
            if self.is_wanted(target) and not self._is_idle(target) and not self.scarce:
                yield f"removes {target}, which is wanted"

    def _is_idle(self, target: Target) -> bool:
        return self.known.zone_of(target.id) in self.idle_zones

    def _successors(self, going: Collection[Target]) -> Iterator[str]:
        """Make before break, or one step at a time in a full group (rule 4)."""
        early = [
            target
            for target in sorted(going)
            if self.is_superseded(target) and not self.has_successor(target) and not self._is_idle(target)
        ]
        limit = self._limit()
        if early and limit is None:
            yield f"removes {early} before a successor is healthy (rule 4)"
        making_way = [*early, *(target for target in going if self.is_wanted(target))]
        beyond = (
            limit is not None and len(self.known.registered()) > limit
        )  # those go together, or not at all
        if early and limit is not None and not beyond and len(making_way) > max(1, limit // 20):
            yield f"{making_way} make way in one step (rule 4)"

    def has_successor(self, target: Target) -> bool:
        """Whether what is to stand for it serves, or has had its time."""
        if self.port is None:
            return False
        heir = Target(target.id, self.port)
        if heir in self.known.healthy():
            return True
        waited = self.now - self.port_since >= SUCCESSOR_S
        others = any(self.is_wanted(each) for each in self.known.healthy())
        tried = heir in self.known.registered() or heir in self.refused or heir in self.contested
        return tried and waited and others

    def _brake(self, scope: str, going: Collection[Target]) -> Iterator[str]:
        """Rule 2 in the group, or in a zone of it."""
        before = self.known.serving(scope)
        after = {target.id for target in self.known.serving_targets(scope) - set(going)}
        lost, place = before - after, scope or "the group"
        if not lost:
            return
        confirmed = {target.id for target in going if target in self.choices.confirmed} & lost
        if not after and (scope == GROUP or lost - confirmed):
            yield f"takes serving in {place} to nothing: {sorted(lost)} (rule 2)"
        overdue = {instance for instance in lost if self.cluster.overdue(instance, self.now)} - confirmed
        rest = lost - overdue - confirmed
        floor = self.floor(scope)
        if rest and len(before) - len(overdue) - len(rest) < floor:
            yield (
                f"takes serving in {place} from {len(before)} below the floor {floor} by {sorted(rest)}, "
                f"with {sorted(overdue)} overdue and {sorted(confirmed)} confirmed (rule 2)"
            )

    def floor(self, scope: str) -> int:
        """How many instances must go on serving."""
        base = self.known.base(scope, self.now)
        return max(1, ceil(self.choices.settings.serving_share * base - 1e-9))

    def _together(self, going: Collection[Target]) -> Iterator[str]:
        """Doubtful ones that serve go all together or not at all; a zone may hold its own.

        Where places are scarce those without one may be among them, which is not judged here.
        """
        if self.scarce:
            return
        serving = {t for scope in self.known.scopes() for t in self.known.serving_targets(scope)}
        doubtful = {t for t in serving if self.is_doubtful(t) and t not in self.choices.confirmed}
        left = {
            target for target in doubtful - set(going) if self.may_clear() or self.choices.recorded(target)
        }
        if doubtful & set(going) and left and len(going) < 200:
            for target in sorted(left):
                zone = self.known.zone_of(target.id)
                if not self.known.by_zone or not self._is_short(zone, going):
                    gone = sorted(doubtful & set(going))
                    yield f"of the doubtful {sorted(doubtful)} only {gone} go (rule 2)"
                    return

    def _is_short(self, zone: str, going: Collection[Target]) -> bool:
        """Whether a zone could not spare all its doubtful targets together."""
        rest = {
            target.id
            for target in (self.known.serving_targets(zone) & self.known.before(self.now)) - set(going)
            if (self.is_wanted(target) if self.unsettled else not self.is_doubtful(target))
        }
        return len(rest) < self.floor(zone)

    def is_doubtful(self, target: Target) -> bool:
        """Whether it is ours to remove, and nobody said that it goes."""
        if target in self.contested or (target in self.choices.foreign and not self.may_clear()):
            return False
        if target.id in self.cluster.announced or self.is_wanted(target):
            return False
        return not self.is_superseded(target)

    def wanted(self) -> set[Target]:
        """What should be registered."""
        return {target for i in self.cluster.speeches if self.is_wanted(target := Target(i, self.port or 0))}

    def is_in(self, instance: InstanceId) -> bool:
        """Whether its newest Node says that it is to be a target."""
        speech = self.cluster.speeches.get(instance)
        if speech is None:
            return False
        return speech.standing == "in" or (
            speech.standing == "joining" and instance in self.registered_somewhere
        )

    def is_wanted(self, target: Target) -> bool:
        """Whether it is to be registered, if there is a place."""
        return self.is_in(target.id) and target.port == self.port

    def is_superseded(self, target: Target) -> bool:
        """Whether another target of its instance is to stand for it."""
        return self.is_in(target.id) and target.port != self.port

    def _limit(self) -> int | None:
        return self.known.limit(self.now)
