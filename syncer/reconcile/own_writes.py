"""Acknowledged writes of a group, overlaid on reads that do not show them yet.

DescribeTargetHealth lags: it was seen 14 s and more behind RegisterTargets (aws-sdk-js issue 1593,
HubSpot/Baragon issue 369). A later read may return an older copy of the state.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import inf
from typing import NamedTuple

from syncer.decide.acknowledged import after_deregister, after_register
from syncer.decide.listing import Listing, replaced
from syncer.model import Target, TargetHealth, TargetState

# For this time after a write, a different read is no evidence. Later the read is accepted: AWS has lost the
# write, or another writer has undone the write.
LAG_S = 60.0
# A deregistration that lasts this long is forgotten: a later registration is unrelated.
_FORGOTTEN_S = 600.0


class Undone(NamedTuple):
    """A target that AWS does not list as the syncer wrote it; `registered` is the written state."""

    target: Target
    registered: bool


@dataclass(frozen=True, slots=True)
class _Write:
    """The last write to a target, and the time of the last registration. Times are monotonic seconds."""

    at: float
    registered: bool
    joined_at: float


class OwnWrites:
    """The last acknowledged write to every target of a group. Times are monotonic seconds.

    A read costs its changes: an older write is compared again only if AWS's entry has changed. `_recent` are
    the writes that a read may not show yet, and all deregistrations until they are forgotten.
    """

    def __init__(self) -> None:
        self._last: dict[Target, _Write] = {}
        self._recent: dict[Target, None] = {}
        self._listed: Mapping[Target, TargetHealth] = {}
        self._listed_draining: set[Target] = set()
        self._drained_at: dict[Target, float] = {}  # when a target was last known to drain

    def wrote(self, target: Target, known: TargetHealth | None, at: float, *, registered: bool) -> None:
        """Record an acknowledged write to `target`; `known` is its state before the write."""
        before = self._last.get(target)
        if known is not None and known.state is TargetState.DRAINING:
            self._drained_at[target] = at
        joined_at = at if registered else before.joined_at if before is not None else -inf
        self._last[target] = _Write(at, registered, joined_at)
        self._recent[target] = None

    def read(
        self, began: float, listed: Mapping[Target, TargetHealth], known: Listing
    ) -> tuple[Mapping[Target, TargetHealth], list[Undone]]:
        """Compare a read that began at `began` with the writes; `known` is the state before the read.

        Return AWS's list with the writes overlaid, and the undone writes: writes that differ from the read
        without lag as an explanation. A write is returned as undone only once.
        """
        changed = self._take(listed)
        self._drained_at.update(dict.fromkeys(known.draining, began))
        overlaid, undone = dict[Target, TargetHealth](), list[Undone]()
        for target in [target for target in self._recent | changed if target in self._last]:
            write, health = self._last[target], listed.get(target)
            if self._may_lag(target, write, health, began):
                _draw_over(overlaid, target, health or known.targets.get(target), registered=write.registered)
            elif _is_registered(health) is not write.registered:
                undone.append(Undone(target, write.registered))
                self.forget([target])
        self._drained_at.update(dict.fromkeys(self._listed_draining, began))
        self._forget_old(began, listed)
        return {**listed, **overlaid} if overlaid else listed, undone

    def _take(self, listed: Mapping[Target, TargetHealth]) -> dict[Target, None]:
        """Replace AWS's list; return the targets whose entry is new, changed or gone."""
        changed = dict.fromkeys(replaced(self._listed, listed))
        for target in changed:
            health = listed.get(target)
            if health is not None and health.state is TargetState.DRAINING:
                self._listed_draining.add(target)
            else:
                self._listed_draining.discard(target)
        self._listed = listed
        return changed

    def forget(self, targets: Iterable[Target]) -> None:
        """Forget the writes to `targets`."""
        for target in targets:
            self._last.pop(target, None)
            self._recent.pop(target, None)

    def _may_lag(self, target: Target, write: _Write, health: TargetHealth | None, began: float) -> bool:
        """Whether the read may be older than the write.

        A read with a state that did not exist before the write is accepted at once: a draining target, not
        seen draining before, has since been deregistered by another writer.
        """
        oldest = began - LAG_S
        if write.at >= began:
            return True
        if health is None:
            return write.joined_at > oldest
        if write.at <= oldest or health.registered is write.registered:
            return False
        return health.registered or self._drained_at.get(target, -inf) > oldest

    def _forget_old(self, now: float, listed: Mapping[Target, TargetHealth]) -> None:
        """Drop what no later read needs; otherwise a group would keep every past instance."""
        if self._drained_at:
            self._drained_at = {target: at for target, at in self._drained_at.items() if at > now - LAG_S}
        for target in list(self._recent):
            write = self._last[target]
            if write.registered and write.at <= now - LAG_S:
                del self._recent[target]
            elif not write.registered and target not in listed and write.at < now - _FORGOTTEN_S:
                self.forget([target])


def _is_registered(health: TargetHealth | None) -> bool:
    return health is not None and health.registered


def _draw_over(
    shown: dict[Target, TargetHealth], target: Target, known: TargetHealth | None, *, registered: bool
) -> None:
    if registered:
        shown[target] = after_register(target, known)
    elif known is not None:
        shown[target] = after_deregister(known)


def drawn_over(
    known: Mapping[Target, TargetHealth], targets: Iterable[Target], *, registered: bool
) -> dict[Target, TargetHealth]:
    """Return the written targets after an acknowledged write, without those that are not known."""
    shown = dict[Target, TargetHealth]()
    for target in targets:
        _draw_over(shown, target, known.get(target), registered=registered)
    return shown
