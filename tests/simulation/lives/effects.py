"""The calls of one replica to a group that an answer of DescribeTargetHealth need not show yet."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from math import inf

from syncer.model import Target, TargetHealth, TargetState

# For so long an answer need not show a call of ours: AWS lags.
LAG_S = 60.0


@dataclass(slots=True)
class Effects:
    """The last call that changed each target: when, and whether it registered it.

    `drained` is when a target was last known to drain, `joined` when a call of ours last registered it.
    """

    last: dict[Target, tuple[float, bool]] = field(default_factory=dict)
    joined: dict[Target, float] = field(default_factory=dict)
    drained: dict[Target, float] = field(default_factory=dict)

    def carried_out(self, targets: Collection[Target], now: float, *, registered: bool) -> None:
        """AWS has carried out a call, or its answer has come."""
        self.last |= dict.fromkeys(targets, (now, registered))
        if registered:
            self.joined |= dict.fromkeys(targets, now)

    def note_drained(self, view: Mapping[Target, TargetHealth], now: float) -> None:
        """These were known until now."""
        self.drained |= dict.fromkeys((t for t, h in view.items() if h.state is TargetState.DRAINING), now)

    def note_undone(self, view: Mapping[Target, TargetHealth]) -> None:
        """Forget the registrations of what drains in `view`, where lag is accounted for."""
        for target in (t for t, h in view.items() if h.state is TargetState.DRAINING):
            if self.last.get(target, (0.0, False))[1]:
                del self.last[target]

    def forget_registrations(self) -> None:
        """Answers count as they are, but for what was deregistered."""
        self.last = {target: each for target, each in self.last.items() if not each[1]}

    def over(
        self, healths: Iterable[TargetHealth], view: Mapping[Target, TargetHealth], began: float
    ) -> dict[Target, TargetHealth]:
        """An answer to what was asked at `began`, with the calls that it need not show; `view` was before."""
        shown = {health.target: health for health in healths}
        for target, (at, registered) in self.last.items():
            if self._may_lag(shown.get(target), target, at, began, registered=registered):
                if target not in shown and target in view:
                    shown[target] = view[target]
                change(shown, target, registered=registered)
        return shown

    def _may_lag(
        self, health: TargetHealth | None, target: Target, at: float, began: float, *, registered: bool
    ) -> bool:
        """Whether the answer may show the target as it was before the call."""
        oldest = began - LAG_S
        if at >= began:
            return True  # the same moment: either first
        if health is None:
            return self.joined.get(target, -inf) > oldest
        if at <= oldest:
            return False
        if health.registered:
            return not registered
        return registered and self.drained.get(target, -inf) > oldest


def change(view: dict[Target, TargetHealth], target: Target, *, registered: bool) -> None:
    """Change a target in `view` as a call does."""
    known = view.get(target)
    if registered and (known is None or not known.registered):
        override = "" if known is None else known.override
        view[target] = TargetHealth(target=target, state=TargetState.INITIAL, override=override)
    elif not registered and known is not None and known.registered:
        view[target] = TargetHealth(target=target, state=TargetState.DRAINING)
