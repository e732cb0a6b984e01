"""Quarantine: targets that AWS refused or that another writer changes, each with a delay of its own."""

import random
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from syncer.model import InstanceId, NodeView, Target, Why
from syncer.reconcile.conflicts import Conflicts

_FIRST_S = 30.0
_LONGEST_S = 900.0
# Maximum number of calls a minute for a group to find the refused targets of a batch.
_SEARCH_CALLS = 16
_SEARCH_WINDOW_S = 60.0


@dataclass(slots=True)
class _Refusal:
    """End of the quarantine (monotonic seconds), number of refusals, and the Node at that time."""

    until: float
    times: int
    node: NodeView | None


class Refusals:
    """Targets for which AWS refused one kind of call, and the budget of calls to find such targets.

    Times are monotonic seconds. `instances` are those of targets refused and not accepted since.
    """

    def __init__(self, rng: random.Random) -> None:
        self.instances: frozenset[InstanceId] = frozenset()
        self._rng = rng
        self._refusals: dict[Target, _Refusal] = {}
        self._searches: deque[float] = deque()

    def _count(self) -> None:
        self.instances = frozenset(target.id for target in self._refusals)

    def refuse(self, targets: Iterable[Target], now: float, nodes: Mapping[InstanceId, NodeView]) -> None:
        """Quarantine `targets`, longer after every refusal; `nodes` are the current authoritative Nodes."""
        for target in targets:
            known = self._refusals.get(target)
            times = known.times + 1 if known else 1
            self._refusals[target] = _Refusal(now + self._wait(times), times, nodes.get(target.id))
        self._count()

    def _wait(self, times: int) -> float:
        """Return the wait in seconds, with a fifth of jitter on top so that groups do not retry in step."""
        wait = min(_LONGEST_S, _FIRST_S * 2 ** min(times - 1, 16))
        return min(_LONGEST_S, self._rng.uniform(wait, 1.2 * wait))

    def look(self, nodes: Mapping[InstanceId, NodeView], now: float) -> None:
        """Forget refusals of targets whose Node has turned Ready, was replaced, or is gone after the wait.

        AWS mostly refuses an instance that is not running yet, and a Node that turns Ready is running.
        """
        for target, refusal in list(self._refusals.items()):
            before, node = refusal.node, nodes.get(target.id)
            if node is None:
                forgotten = refusal.until <= now
            else:
                forgotten = node.ready and (before is None or _ready(node) != _ready(before))
                refusal.node = node
            if forgotten:
                del self._refusals[target]
        self._count()

    def accepted(self, targets: Iterable[Target]) -> None:
        """Forget the refusals of accepted targets."""
        if not self._refusals:
            return
        for target in targets:
            self._refusals.pop(target, None)
        self._count()

    def releases(self, now: float) -> Mapping[Target, float]:
        """Return the seconds until every quarantined target may be retried."""
        return {target: each.until - now for target, each in self._refusals.items() if each.until > now}

    def may_search(self, now: float, *, calls: int) -> bool:
        """Whether the search for refused targets may use so many more calls; counts the calls if allowed."""
        while self._searches and self._searches[0] <= now - _SEARCH_WINDOW_S:
            self._searches.popleft()
        if len(self._searches) + calls > _SEARCH_CALLS:
            return False
        self._searches.extend([now] * calls)
        return True


class Quarantine:
    """The quarantine of a group. Times are monotonic seconds.

    `registrations` and `deregistrations` have the targets that AWS refused in these calls, `conflicts` the
    targets on which another writer undoes the syncer's writes.
    """

    def __init__(self, rng: random.Random) -> None:
        self.registrations = Refusals(rng)
        self.deregistrations = Refusals(rng)
        self.conflicts = Conflicts()
        self._kinds = (self.conflicts, self.deregistrations, self.registrations)

    def set_aside(self, now: float) -> Mapping[Target, Why]:
        """Return the targets that must not be registered now, and the conflicts."""
        refused = dict.fromkeys(self.registrations.releases(now), Why.POISON)
        return refused | dict.fromkeys(self.conflicts.now(now), Why.CONTESTED)

    def releases(self, now: float) -> Mapping[Target, float]:
        """Return the seconds until every quarantined target is retried."""
        return {target: left for each in self._kinds for target, left in each.releases(now).items()}

    def next_release(self, now: float) -> float | None:
        """Return the seconds until the next quarantined target is retried."""
        return min((left for each in self._kinds for left in each.releases(now).values()), default=None)

    def refused(self, now: float) -> int:
        """Return the number of targets quarantined after a refusal by AWS."""
        return len(self.registrations.releases(now)) + len(self.deregistrations.releases(now))


def _ready(node: NodeView) -> tuple[str, float, bool, float | None]:
    """Return a key that changes when a Node turns Ready, is recreated, or takes over the instance."""
    return node.name, node.created, node.ready, node.ready_since
