"""The brake (rule 2): a share of the ten-minute peak must continue to serve; decides on removals."""

from collections import Counter
from collections.abc import Collection
from collections.abc import Set as AbstractSet

from syncer.decide.capacity import GROUP, Capacity
from syncer.model import InstanceId, Target, Why


class Brake:
    """Releases targets of one group one after another while enough other targets serve."""

    def __init__(self, capacity: Capacity) -> None:
        self._scopes_of = capacity.scopes_of
        self._floors = capacity.floors
        self._registered = capacity.registered
        self._taken: set[Target] = set()
        self._discounted: AbstractSet[Target] = frozenset()
        self._left_registered = self._left_certain = len(self._registered)
        found = capacity.serving_in
        self._shown_serving = {scope: serving.counted for scope, serving in found.items()}
        self._exposed = {scope: serving.exposed for scope, serving in found.items()}
        # If all counted targets are under a zonal shift: other registered targets that may get traffic.
        self._unshifted = {scope: set(serving.exposed) for scope, serving in found.items() if serving.shifted}
        self._copies = capacity.copies_in
        # Copies that were taken or do not count: the kept numbers of 5,000 instances are not copied.
        self._fewer: dict[str, Counter[InstanceId]] = {scope: Counter() for scope in found}
        self._left = {scope: len(copies) for scope, copies in self._copies.items()}
        self._shown = dict(self._left)

    def discount(self, targets: Collection[Target]) -> None:
        """Do not count `targets` as capacity: AWS may list them as healthy after they were deregistered.

        A hold for this reason alone is `Share`, not `LastServing`: AWS lists other serving targets. Called
        once, before any release.
        """
        self._discounted = self._registered & frozenset(targets)
        self._left_certain -= len(self._discounted)
        for scope, members in self._shown_serving.items():
            shown = members & self._discounted
            self._exposed[scope] |= shown
            for target in shown:
                self._lose(scope, target)

    def _lose(self, scope: str, target: Target) -> None:
        self._left[scope] -= self._count(scope, target.id) == 1
        self._fewer[scope][target.id] += 1

    def _count(self, scope: str, instance: InstanceId) -> int:
        """Return how many targets of the instance are still capacity."""
        return self._copies[scope][instance] - self._fewer[scope][instance]

    def _is_capacity(self, scope: str, target: Target) -> bool:
        return target in self._shown_serving[scope] and target not in self._discounted

    def serves(self, target: Target) -> bool:
        """Whether a target serves, or may serve, in the group or in its zone."""
        return any(
            target in self._shown_serving[scope] or target in self._exposed[scope]
            for scope in self._scopes_of(target)
        )

    def counts(self, target: Target) -> bool:
        """Whether a target counts as capacity of the group in AWS's list."""
        return target in self._shown_serving[GROUP]

    def release(self, target: Target, *, share: bool = True) -> Why | None:
        """Release a target, or return the rule that holds the target.

        Without `share`, one other serving target is enough.
        """
        refusal = None if self.serves(target) else self._last_registered(target)
        for scope in self._scopes_of(target):
            if refusal is not Why.LAST_SERVING:
                refusal = self._refusal(scope, target, share=share) or refusal
        if refusal is None:
            self._take(target)
        return refusal

    def release_together(self, targets: Collection[Target]) -> dict[Target, Why]:
        """Release all of these serving targets or none; return the holds.

        With cross-zone off, a zone that cannot spare its targets holds only targets of the same zone.
        """
        held: dict[Target, Why] = {}
        zones = sorted({zone for target in targets for zone in self._scopes_of(target)} - {GROUP})
        for zone in zones:
            members = [target for target in targets if zone in self._scopes_of(target)]
            held.update(self._hold(zone, members))
        rest = [target for target in targets if target not in held]
        refused = self._hold(GROUP, rest)
        if not refused:
            for target in rest:
                self._take(target)
        return held | refused

    def _hold(self, scope: str, targets: Collection[Target]) -> dict[Target, Why]:
        """Return a hold for all `targets` if the scope cannot spare them together.

        LAST_SERVING is only for targets that no confirmation can release: a person may give up a zone, but
        not the group.
        """
        going = Counter(target.id for target in targets if self._is_capacity(scope, target))
        lost = sum(self._count(scope, instance) <= count for instance, count in going.items())
        risked = lost or not self._exposed[scope].isdisjoint(targets)
        why = self._too_few(scope, lost, share=True) if risked else None
        if why is None and not self._is_unshifted_gone(scope, targets):
            return {}
        return dict.fromkeys(targets, Why.LAST_SERVING if all(map(self._is_last, targets)) else Why.SHARE)

    def release_confirmed(self, target: Target) -> Why | None:
        """Release a confirmed target; only the last target of the group is still held."""
        refusal = self._refusal(GROUP, target, share=False) or self._last_registered(target)
        if refusal is None:
            self._take(target)
        return refusal

    def _last_registered(self, target: Target) -> Why | None:
        """Return the hold of the last registered target; a discounted target may be gone already."""
        left = target in self._registered and target not in self._taken
        if self._left_certain > (left and target not in self._discounted):
            return None
        return Why.SHARE if self._left_registered > left else Why.LAST_SERVING

    def _too_few(self, scope: str, lost: int, *, share: bool) -> Why | None:
        after = self._left[scope] - lost
        if after < 1:
            return Why.LAST_SERVING if self._shown[scope] <= max(lost, 1) else Why.SHARE
        return Why.SHARE if share and after < self._floors[scope] else None

    def _refusal(self, scope: str, target: Target, *, share: bool) -> Why | None:
        if self._is_unshifted_gone(scope, [target]):
            return Why.LAST_SERVING
        if not self._is_lost(scope, target):
            return None
        return self._too_few(scope, int(self._is_capacity(scope, target)), share=share)

    def _is_unshifted_gone(self, scope: str, targets: Collection[Target]) -> bool:
        """Whether no target outside `targets` may get traffic, except targets under a zonal shift."""
        unshifted = self._unshifted.get(scope, set())
        return bool(unshifted) and unshifted.issubset(targets)

    def _is_lost(self, scope: str, target: Target) -> bool:
        """Whether without this target its instance would not serve, or may not, in this scope any more."""
        copies = self._count(scope, target.id)
        if self._is_capacity(scope, target):
            return copies <= 1
        return target in self._exposed[scope] and not copies

    def _is_last(self, target: Target) -> bool:
        if self._is_unshifted_gone(GROUP, [target]):
            return True
        return self._shown[GROUP] <= 1 and self.counts(target) and self._is_lost(GROUP, target)

    def _take(self, target: Target) -> None:
        if target in self._registered and target not in self._taken:
            self._taken.add(target)
            self._left_registered -= 1
            self._left_certain -= target not in self._discounted
        for scope in self._scopes_of(target):
            lost = self._is_lost(scope, target)
            self._unshifted.get(scope, set()).discard(target)
            if target in self._shown_serving[scope]:
                self._shown[scope] -= lost
            if self._is_capacity(scope, target):
                self._lose(scope, target)
