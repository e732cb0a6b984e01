"""Zonal shifts in simulation runs: how they start and end, and that the last target with traffic stays."""

from collections.abc import Collection, Iterator

from syncer.model import Target, TargetHealth, TargetState
from tests.simulation.cloud import MemoryCloud
from tests.simulation.lives.hands import ZONES
from tests.simulation.lives.known import KnownGroup, grade

# What AWS reports of the targets: of one zone, or of all where DNS makes the shift or AWS is in doubt.
SHIFTS: dict[str, dict[str, str]] = {
    **{f"shift of {zone}": {zone: "zonal_shift_active"} for zone in ZONES},
    "shift by DNS": dict.fromkeys(ZONES, "zonal_shift_delegated_to_dns"),
    "in doubt everywhere": dict.fromkeys(ZONES, "unknown"),
    "shift of one zone, in doubt of another": {ZONES[0]: "zonal_shift_active", ZONES[1]: "unknown"},
    "no shift": {},
}


def shift(cloud: MemoryCloud, which: str) -> None:
    """Replace the shift of the load balancer: AWS allows one at a time."""
    cloud.overrides = dict(SHIFTS[which])


def traffic(known: KnownGroup, going: Collection[Target]) -> Iterator[str]:
    """What is wrong with a DeregisterTargets that could take all traffic away.

    Traffic goes to healthy targets without an override. Where there is none, nobody knows whether it goes to
    those outside the shift or to the healthy ones, so each of these sets must keep a target.
    """
    listed = [health for health in known.view.values() if health.registered]
    sure = [health for health in listed if _is_healthy(health) and grade(health) == 0]
    for guess in [sure] if sure else _guesses(known, listed):
        targets = {health.target for health in guess}
        if targets and not targets - set(going):
            yield f"takes the last target with traffic: {sorted(targets)} (rule 2)"


def _guesses(known: KnownGroup, listed: list[TargetHealth]) -> list[list[TargetHealth]]:
    outside = [h for h in listed if grade(h) < 2 and (_is_healthy(h) or known.is_reached(h))]
    healthy = [health for health in listed if _is_healthy(health)]
    return [outside, healthy] if healthy and not any(map(_is_healthy, outside)) else [outside or healthy]


def _is_healthy(health: TargetHealth) -> bool:
    return health.state is TargetState.HEALTHY
