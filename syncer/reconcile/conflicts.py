"""Conflicts: targets on which another writer repeatedly undoes the syncer's writes (safety rule 7)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from syncer.model import Target, TargetHealth
from syncer.reconcile.own_writes import LAG_S, Undone

# After this many undone writes within the window a target is in conflict, and is left unchanged for
# LEFT_ALONE_S (rule 7).
UNDONE_TIMES = 3
WINDOW_S = 600.0
LEFT_ALONE_S = 600.0

_CAUSES = {
    True: "another writer deregisters it: an Auto Scaling group that detaches its instances, or a second "
    "writer such as another cluster's syncer that calls the group its own",
    False: "another writer registers it: an Auto Scaling group that is attached to the target group, or a "
    "second writer such as another cluster's syncer",
}
# With another writer, some target of the group would be as the syncer wrote it.
LAG_CAUSE = (
    f"AWS lag: after more than {LAG_S:g} s DescribeTargetHealth shows none of the syncer's writes; "
    "where that lasts, look in CloudTrail for other callers of RegisterTargets and DeregisterTargets"
)


@dataclass(frozen=True, slots=True)
class Conflict:
    """A target that is left unchanged until `until` (monotonic seconds), and the likely cause."""

    target: Target
    until: float
    cause: str


class Conflicts:
    """The conflicts of a group. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._undone: dict[Target, list[float]] = {}
        self._left_alone: dict[Target, Conflict] = {}

    def undone(
        self, writes: Iterable[Undone], at: float, known: Mapping[Target, TargetHealth]
    ) -> list[Conflict]:
        """Count the writes that a read at `at` found undone; return the new conflicts.

        `known` are the group's targets after the read.
        """
        self._forget_old(at)
        news = [contest for each in writes if (contest := self._undo(each, at)) is not None]
        self._left_alone |= {contest.target: contest for contest in news}
        if news and self._is_everything(known):
            lag = {target: replace(each, cause=LAG_CAUSE) for target, each in self._left_alone.items()}
            news = [lag[contest.target] for contest in news]
            self._left_alone = lag
        return news

    def now(self, now: float) -> Mapping[Target, Conflict]:
        """Return the conflicts at this moment."""
        return {target: each for target, each in self._left_alone.items() if each.until > now}

    def forget_counts(self) -> None:
        """Clear the counts of undone writes; existing conflicts continue."""
        self._undone.clear()

    def releases(self, now: float) -> Mapping[Target, float]:
        """Return the seconds until every target in conflict is retried."""
        return {target: each.until - now for target, each in self.now(now).items()}

    def _undo(self, write: Undone, at: float) -> Conflict | None:
        times = [*self._undone.pop(write.target, ()), at]
        if len(times) < UNDONE_TIMES:
            self._undone[write.target] = times
            return None
        return Conflict(write.target, at + LEFT_ALONE_S, _CAUSES[write.registered])

    def _is_everything(self, known: Mapping[Target, TargetHealth]) -> bool:
        """Whether no target of the group is as written; a single target is not enough evidence."""
        others = (health for target, health in known.items() if target not in self._left_alone)
        return len(self._left_alone) > 1 and not any(health.registered for health in others)

    def _forget_old(self, now: float) -> None:
        recent = {t: [at for at in times if at > now - WINDOW_S] for t, times in self._undone.items()}
        self._undone = {target: times for target, times in recent.items() if times}
        self._left_alone = {target: each for target, each in self._left_alone.items() if each.until > now}
