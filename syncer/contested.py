"""Targets that another hand undoes again and again: noticed in what AWS lists, then left alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from syncer.model import Target, TargetHealth, Why

# Undone this often within this time, a target is contested, and for as long it is left alone (rule 7).
UNDONE_TIMES = 3
WINDOW_S = 600.0
LEFT_ALONE_S = 600.0

_CAUSES = {
    True: "another hand deregisters it: an Auto Scaling group that detaches its instances, or a second "
    "writer such as another cluster's syncer that calls the group its own",
    False: "another hand registers it: an Auto Scaling group that is attached to the target group, or a "
    "second writer such as another cluster's syncer",
}


@dataclass(frozen=True, slots=True)
class Contest:
    """A target that is left alone until `until` (monotonic seconds), and who is likely to fight over it."""

    target: Target
    until: float
    cause: str


class Contested:
    """What one group's other hands do. Times are monotonic seconds.

    Only a read that began after our write was acknowledged can show that it was undone, and it counts once a
    write: what nobody writes again cannot become contested.
    """

    def __init__(self) -> None:
        self._wrote: dict[Target, tuple[float, bool]] = {}
        self._undone: dict[Target, list[float]] = {}
        self._left_alone: dict[Target, Contest] = {}

    def wrote(self, targets: Iterable[Target], at: float, *, registered: bool) -> None:
        """AWS acknowledged that `targets` are registered, or deregistered."""
        write = (at, registered)
        for target in targets:
            self._wrote[target] = write

    def read(self, began: float, listed: Mapping[Target, TargetHealth]) -> list[Contest]:
        """What a read that began at `began` lists; those that have just become contested."""
        news = []
        for target, (at, registered) in list(self._wrote.items()):
            health = listed.get(target)
            if at >= began or (health is not None and health.registered) is registered:
                continue
            del self._wrote[target]
            contest = self._undo(target, began, registered=registered)
            if contest is not None:
                news.append(contest)
        self._forget_gone(began, listed)
        return news

    def now(self, now: float) -> Mapping[Target, Contest]:
        """Those that are left alone at this moment."""
        return {target: each for target, each in self._left_alone.items() if each.until > now}

    def set_aside(self, now: float) -> Mapping[Target, Why]:
        """The same, as a GroupState has them."""
        return dict.fromkeys(self.now(now), Why.CONTESTED)

    def next_release(self, now: float) -> float | None:
        """In how many seconds the next one is taken up again."""
        return min((each.until - now for each in self.now(now).values()), default=None)

    def _undo(self, target: Target, at: float, *, registered: bool) -> Contest | None:
        times = [each for each in self._undone.pop(target, []) if each > at - WINDOW_S]
        times.append(at)
        if len(times) < UNDONE_TIMES:
            self._undone[target] = times
            return None
        contest = Contest(target, at + LEFT_ALONE_S, _CAUSES[registered])
        self._left_alone[target] = contest
        return contest

    def _forget_gone(self, now: float, listed: Mapping[Target, TargetHealth]) -> None:
        """Keep nothing of what left for good, else a group would remember every instance it ever had."""
        for target, (at, registered) in list(self._wrote.items()):
            if not registered and target not in listed and at < now - WINDOW_S:
                del self._wrote[target]
        for target, times in list(self._undone.items()):
            if times[-1] <= now - WINDOW_S:
                del self._undone[target]
        self._left_alone = {target: each for target, each in self._left_alone.items() if each.until > now}
