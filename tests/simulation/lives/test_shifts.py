"""A zone is shifted and all other nodes leave: scenarios that random runs reach too seldom."""

import asyncio

import pytest

from syncer.model import Target
from tests.simulation.lives import chapters
from tests.simulation.lives.hands import NAMES, zone_of
from tests.simulation.lives.known import TAINTS
from tests.simulation.lives.life import Life, Start
from tests.simulation.lives.settling import settle
from tests.simulation.lives.shifts import SHIFTS
from tests.simulation.virtual import run_virtually
from tests.simulation.world import HTTP, PORTS, instance


@pytest.mark.parametrize("cross_zone", [True, False])
@pytest.mark.parametrize("which", sorted(SHIFTS))
def test_z1_the_last_target_with_traffic_stays_until_the_shift_ends(which: str, cross_zone: bool) -> None:
    async def story() -> tuple[list[str], set[Target]]:
        life = Life(Start(nodes=0, cross_zone=cross_zone, elected=True, replicas=2))
        await chapters.shift_away(life, which, key=TAINTS[0], seconds=620.0)
        there = life.world.cloud.registered(HTTP)
        await settle(life)
        await asyncio.sleep(1)
        await life.end()
        return life.wrong, there

    wrong, there = run_virtually(story())
    assert wrong == []
    outside = {
        Target(instance(name), PORTS[HTTP]) for name in NAMES if zone_of(instance(name)) not in SHIFTS[which]
    }
    if outside and which != "no shift":
        assert len(outside & there) >= 1
