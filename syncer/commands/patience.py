"""When an instance counts as drained or healthy: pure functions of successive reads of all groups."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from syncer.model import TargetHealth, TargetState

# Targets of the instance by the group's name; None where the read failed.
Sight = Mapping[str, Sequence[TargetHealth] | None]


@dataclass(frozen=True, slots=True)
class Progress:
    """Whether the wait is over, the state in one line, and the seconds until time alone ends the wait."""

    done: bool
    line: str
    over_in: float | None = None


class Patience(Protocol):
    """The condition of a wait."""

    def look(self, at: float, sight: Sight) -> Progress:
        """Return the progress at `at` (monotonic seconds)."""


class UntilHealthy:
    """Wait until every group has a healthy target of the instance, with no zonal shift of its traffic."""

    def look(self, at: float, sight: Sight) -> Progress:  # noqa: ARG002 - only what AWS says counts
        """Return done when the instance is healthy in every group."""
        missing = {
            name: healths for name, healths in sight.items() if not any(map(_gets_traffic, healths or ()))
        }
        if missing:
            return Progress(done=False, line=_by_group(missing))
        return Progress(done=True, line=f"healthy in {', '.join(sight)}")


class UntilDrained:
    """Wait until no group lists the instance, and `settle` seconds have passed without a registration.

    An instance that no group lists at the first read is drained: the time of its deregistration is unknown.
    """

    def __init__(self, settle: float) -> None:
        self._settle = settle
        self._seen = False
        self._since: float | None = None

    def look(self, at: float, sight: Sight) -> Progress:
        """Count from the first read without a registration: the deregistration was earlier."""
        listed = {name: healths for name, healths in sight.items() if healths is None or healths}
        if any(health.registered for healths in listed.values() for health in healths or ()):
            self._seen, self._since = True, None
        elif None not in listed.values() and self._since is None:
            self._seen = self._seen or bool(listed)
            self._since = at
        if listed:
            return Progress(done=False, line=_by_group(listed))
        if not self._seen:
            return Progress(done=True, line="no group lists the node")
        left = (at if self._since is None else self._since) + self._settle - at
        if left > 0:
            return Progress(
                done=False,
                line=f"no group lists the node; new connections may arrive for {left:.0f} s",
                over_in=left,
            )
        return Progress(done=True, line="no group lists the node, and no new connections arrive")


def _gets_traffic(health: TargetHealth) -> bool:
    return health.state is TargetState.HEALTHY and not health.override


def _by_group(groups: Sight) -> str:
    return ", ".join(f"{_states(healths)} in {name}" for name, healths in groups.items())


def _state(health: TargetHealth) -> str:
    return f"{health.state} ({health.override})" if health.override else health.state.value


def _states(healths: Sequence[TargetHealth] | None) -> str:
    if healths is None:
        return "unknown"
    return " and ".join(sorted({_state(health) for health in healths})) or "no target"
