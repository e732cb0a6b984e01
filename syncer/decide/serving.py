"""Which targets of a group get new connections, as far as AWS reports it (rule 2)."""

from collections.abc import Iterable
from dataclasses import dataclass

from syncer.model import Target, TargetHealth, TargetState

# Stopped or terminated.
_DEAD = "Target.InvalidState"
# In a zone that the load balancer does not serve; of a group without a listener all are.
_NOT_IN_USE = "Target.NotInUse"
# Ranks, best first: no override, an override in doubt, a zonal shift.
_SHIFTED = 2


@dataclass(frozen=True, slots=True)
class Serving:
    """Two answers, for the two errors that a removal can make.

    `counted` are the targets that count as capacity: others may be removed because of them. `exposed` are
    those that may get connections besides: they allow no removal, and are removed like serving ones.
    `shifted`: all that count are under a zonal shift, so the exposed ones may be the only ones with traffic.
    """

    counted: frozenset[Target]
    exposed: frozenset[Target]
    shifted: bool = False


def serving_of(targets: Iterable[TargetHealth], *, in_use: bool = False) -> Serving:
    """Return the serving targets of a group or of one of its zones.

    Healthy targets serve, unless a zonal shift has moved traffic away. Where AWS does not report whether
    there is a shift (`unknown`), a healthy target is only exposed.

    Where no target serves by that rule AWS fails open; to which targets during a shift is not documented.
    Then the first kind that exists counts: healthy before other ones, and within that those without a shift
    before those in doubt before those under one. All others without a shift are exposed. So a group of which
    AWS reports a shift of every target counts as if there was none: `zonal_shift_delegated_to_dns`
    may be set on all targets, because then only ARC shows the shift. AWS sends nothing to a dead instance or,
    where the group is `in_use`, to a zone that the load balancer does not serve.
    """
    reached: dict[bool, list[list[Target]]] = {True: [[], [], []], False: [[], [], []]}
    idle = {_DEAD, _NOT_IN_USE} if in_use else {_DEAD}
    for health in targets:
        if not health.registered:
            continue
        healthy = health.state is TargetState.HEALTHY
        if healthy or health.reason not in idle:
            reached[healthy][_doubt(health)].append(health.target)
    surely, perhaps, _ = reached[True]
    if surely:
        return Serving(frozenset(surely), frozenset(perhaps))
    kinds = reached[True] + reached[False]
    first = next((kind for kind in kinds if kind), [])
    exposed = frozenset(
        target for healthy in reached.values() for kind in healthy[:_SHIFTED] for target in kind
    )
    shifted = first is kinds[_SHIFTED] or first is kinds[-1]
    return Serving(frozenset(first), exposed.difference(first), shifted)


def _doubt(health: TargetHealth) -> int:
    """Return 0 without an override, _SHIFTED under a zonal shift, 1 for any other state."""
    return 0 if not health.override else _SHIFTED if health.shifted else 1
