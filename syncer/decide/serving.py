"""Determines which targets of a group get new connections, as far as AWS reports (rule 2)."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from syncer.model import NOT_IN_USE, Target, TargetHealth, TargetState

# Stopped or terminated.
_DEAD = "Target.InvalidState"
_HEALTHY = TargetState.HEALTHY
# Ranks, best first: no override, an override in doubt, a zonal shift.
_SHIFTED = 2


@dataclass(frozen=True, slots=True)
class Serving:
    """Two sets, for the two errors that a removal can make.

    `counted` targets are capacity: other targets may be removed because of them. `exposed` are further
    targets that may get connections: they allow no removal, and are removed like serving targets. `shifted`:
    all counted targets are under a zonal shift, so the exposed targets may be the only targets with traffic.
    """

    counted: AbstractSet[Target]
    exposed: frozenset[Target]
    shifted: bool = False


def serving_of(targets: Iterable[TargetHealth], *, in_use: bool = False) -> Serving:
    """Return the serving targets of a group or of one of its zones, from all targets in AWS's list."""
    registered = [health for health in targets if health.registered]
    plain = frozenset(h.target for h in registered if h.state is _HEALTHY and not h.override)
    return serving_among(plain, (h for h in registered if h.target not in plain), in_use=in_use)


def serving_among(
    plain: AbstractSet[Target], others: Iterable[TargetHealth], *, in_use: bool = False
) -> Serving:
    """Return the serving targets among registered targets: `plain` ones are healthy without an override.

    Healthy targets serve, unless a zonal shift has moved traffic away. If AWS does not report whether there
    is a shift (`unknown`), a healthy target is only exposed.

    If no target serves by this rule, AWS fails open; to which targets during a shift is not documented. Then
    the first kind that exists counts: healthy before other targets, and within each first without a shift,
    then in doubt, then under a shift. All other targets without a shift, or in doubt, are exposed. So a group
    with a reported shift of every target counts as if without a shift: AWS may set
    `zonal_shift_delegated_to_dns` on all targets, because then only ARC shows the shift. AWS sends no traffic
    to a dead instance or, if the group is `in_use`, to a zone that the load balancer does not serve.
    """
    reached: dict[bool, list[list[Target]]] = {True: [[], [], []], False: [[], [], []]}
    idle = {_DEAD, NOT_IN_USE} if in_use else {_DEAD}
    for health in others:
        healthy = health.state is _HEALTHY
        if healthy or health.reason not in idle:
            reached[healthy][_doubt(health)].append(health.target)
    _, perhaps, _ = reached[True]
    if plain:
        return Serving(plain, frozenset(perhaps))
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
