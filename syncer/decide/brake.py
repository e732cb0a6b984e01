"""The brake (rule 2): a share of the ten-minute peak must continue to serve; decides on removals."""

from collections import Counter
from collections.abc import Collection

from syncer.decide.capacity import GROUP, Capacity
from syncer.model import Target, Why


class Brake:
    """Releases targets of one group one after another while enough other targets serve."""

    def __init__(self, capacity: Capacity) -> None:
        self._scopes_of = capacity.scopes_of
        self._floors = capacity.floors
        self._registered = set(capacity.registered)
        self._certain = set(capacity.registered)
        found = capacity.serving_in
        self._serving = {scope: serving.counted for scope, serving in found.items()}
        self._exposed = {scope: serving.exposed for scope, serving in found.items()}
        # If all counted targets are under a zonal shift: other registered targets that may get traffic.
        self._unshifted = {scope: set(serving.exposed) for scope, serving in found.items() if serving.shifted}
        self._copies = {scope: Counter(copies) for scope, copies in capacity.copies_in.items()}
        self._left = {scope: len(copies) for scope, copies in self._copies.items()}
        self._shown = dict(self._left)
        self._shown_serving = dict(self._serving)

    def discount(self, targets: Collection[Target]) -> None:
        """Do not count `targets` as capacity: AWS may list them as healthy after they were deregistered.

        A hold for this reason alone is `Share`, not `LastServing`: AWS lists other serving targets.
        """
        discounted = frozenset(targets)
        self._certain -= discounted
        for scope, members in self._serving.items():
            self._exposed[scope] |= members & discounted
            self._serving[scope] = members - discounted
            self._copies[scope] = Counter(target.id for target in self._serving[scope])
            self._left[scope] = len(self._copies[scope])

    def serves(self, target: Target) -> bool:
        """Whether a target serves, or may serve, in the group or in its zone."""
        return any(
            target in self._serving[scope] or target in self._exposed[scope]
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
        going = Counter(target.id for target in targets if target in self._serving[scope])
        lost = sum(self._copies[scope][instance] <= count for instance, count in going.items())
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
        if not self._certain <= {target}:
            return None
        return Why.LAST_SERVING if self._registered <= {target} else Why.SHARE

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
        return self._too_few(scope, int(target in self._serving[scope]), share=share)

    def _is_unshifted_gone(self, scope: str, targets: Collection[Target]) -> bool:
        """Whether no target outside `targets` may get traffic, except targets under a zonal shift."""
        unshifted = self._unshifted.get(scope, set())
        return bool(unshifted) and unshifted.issubset(targets)

    def _is_lost(self, scope: str, target: Target) -> bool:
        """Whether without this target its instance would not serve, or may not, in this scope any more."""
        copies = self._copies[scope][target.id]
        return (
            copies <= 1 if target in self._serving[scope] else target in self._exposed[scope] and not copies
        )

    def _is_last(self, target: Target) -> bool:
        if self._is_unshifted_gone(GROUP, [target]):
            return True
        return self._shown[GROUP] <= 1 and self.counts(target) and self._is_lost(GROUP, target)

    def _take(self, target: Target) -> None:
        self._registered.discard(target)
        self._certain.discard(target)
        for scope in self._scopes_of(target):
            lost = self._is_lost(scope, target)
            self._unshifted.get(scope, set()).discard(target)
            if target in self._serving[scope]:
                self._shown[scope] -= lost
                self._left[scope] -= lost
                self._copies[scope][target.id] -= 1
            elif target in self._shown_serving[scope]:
                self._shown[scope] -= lost
