"""Stretches of a life that chance alone would seldom write: things in the order in which they hurt."""

import asyncio
from collections.abc import Iterable

from syncer.model import TargetGroupArn
from tests.simulation.lives.hands import NAMES, zone_of
from tests.simulation.lives.known import EXCLUDED
from tests.simulation.lives.life import Life
from tests.simulation.lives.shifts import SHIFTS, shift
from tests.simulation.world import instance

# Longer than a Lease and the look of a standby.
SUCCESSION_S = 13.0
# Until a target is healthy, and a read has told of it.
HEALTHY_S = 65.0


async def sleepwalk(life: Life, names: Iterable[str], others: Iterable[str], seconds: float) -> None:
    """The leader is frozen in the middle of registering `names`; it goes on when `others` leave."""
    for name in names:
        life.join(name)
    await asyncio.sleep(0.025)
    _freeze_leader(life)
    for name in others:
        life.taint(name, "karpenter.sh/disrupted")
    await asyncio.sleep(seconds)
    life.thaw()


async def change_of_mind(life: Life, names: Iterable[str], others: Iterable[str], *, lost: bool) -> None:
    """Of healthy ones these leave, then they do not, and others do; the first removals are not answered."""
    life.mend()
    for name in (*names, *others):
        life.join(name)
    await asyncio.sleep(HEALTHY_S)
    if lost:
        life.fail("silent", "deregister", lost=True)
    for name in names:
        life.label(name, EXCLUDED)
    await asyncio.sleep(1.3)
    for name in names:
        life.forgive(name)
    for name in others:
        life.label(name, EXCLUDED)


async def there_and_back(life: Life, names: Iterable[str], *, stay: bool) -> None:
    """Another one leads, registers these and is frozen; when who led before leads again they are gone."""
    _freeze_leader(life)
    await asyncio.sleep(SUCCESSION_S)
    life.thaw()
    for name in names:
        life.join(name)
    await asyncio.sleep(6.0)
    _freeze_leader(life)
    for name in names if not stay else ():
        life.delete(name, announced=False)
    await asyncio.sleep(SUCCESSION_S)
    life.thaw()


async def start_unlisted(life: Life, names: Iterable[str]) -> None:
    """Who starts is told of no Node, and these do not serve: nothing but the missing list keeps them."""
    for name in names:
        life.sicken(name)
    for index in range(len(life.crew)):
        life.cut(index)
    for _ in range(len(life.crew)):
        await life.kill(0)
    await asyncio.sleep(SUCCESSION_S)
    life.connect()


async def move_house(life: Life, names: Iterable[str], group: TargetGroupArn, port: int) -> None:
    """All is well, and the group gets another port; with more nodes than places it is full."""
    life.mend()
    for name in names:
        life.join(name)
    await asyncio.sleep(HEALTHY_S)
    life.expose(group, port)


def _freeze_leader(life: Life) -> None:
    for index, each in enumerate(life.crew):
        if each.replica.leads:
            life.freeze(index)


async def shift_away(life: Life, which: str, *, key: str, seconds: float) -> None:
    """All is well, a zone is shifted, and what still gets traffic leaves; later the shift ends."""
    life.mend()
    for name in NAMES:
        life.join(name)
    await asyncio.sleep(HEALTHY_S)
    shift(life.world.cloud, which)
    await asyncio.sleep(HEALTHY_S)
    for name in NAMES:
        if zone_of(instance(name)) not in SHIFTS[which]:
            life.taint(name, key)
    await asyncio.sleep(seconds)
    shift(life.world.cloud, "no shift")
