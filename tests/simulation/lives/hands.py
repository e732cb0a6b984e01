"""Other hands than the syncer's on the same target groups, and whose each target is."""

import asyncio
from collections.abc import Callable, Iterable

from syncer.model import InstanceId, Target, TargetGroupArn
from tests.simulation.cloud import MemoryCloud
from tests.simulation.world import PORTS, instance

NAMES = tuple("abcdefgh")
ZONES = ("eu-central-1a", "eu-central-1b", "eu-central-1c")
STRANGERS = ("x", "y")
ARNS = tuple(PORTS)
# How often a hand looks that does not give up.
_LOOKS_S = 20.0
_ZONES = {instance(name): ZONES[n % 3] for n, name in enumerate((*NAMES, *STRANGERS))}


def zone_of(instance_id: InstanceId) -> str:
    """Where an instance runs, whether it runs or not."""
    return _ZONES.get(instance_id, ZONES[0])


class Hands:
    """What other hands do. `strange` is what they have put there at any time."""

    def __init__(self, cloud: MemoryCloud) -> None:
        self._cloud = cloud
        self._busy: list[asyncio.Task[None]] = []
        self.foreign: dict[TargetGroupArn, set[Target]] = {arn: set() for arn in ARNS}
        self.ours: dict[TargetGroupArn, set[Target]] = {arn: set() for arn in ARNS}
        self.strange: set[Target] = set()
        self.touched: set[tuple[TargetGroupArn, Target]] = set()

    def note(self, arn: TargetGroupArn, targets: Iterable[Target]) -> None:
        """Another hand has put them there: foreign, unless they were ours before and may be recorded."""
        self.foreign[arn].update(set(targets) - self.ours[arn])
        self.strange.update(targets)

    def put(self, arn: TargetGroupArn, name: str, port: int) -> None:
        """Register a target."""
        cloud, target = self._cloud, Target(instance(name), port)
        if arn not in cloud.groups or target in cloud.registered(arn):
            return
        cloud.launch(target.id, zone_of(target.id))
        quota, cloud.quota = cloud.quota, None
        if cloud.groups[arn].targets.count(draining=True) < cloud.groups[arn].quota:
            self.touched.add((arn, target))
            cloud.crowded.discard(target.id)
            cloud.register(arn, [target])
            self.note(arn, [target])
        cloud.quota = quota

    def remove(self, arn: TargetGroupArn, name: str) -> None:
        """Deregister a target."""
        target = Target(instance(name), PORTS[arn])
        if arn in self._cloud.groups:
            self.touched.add((arn, target))
            self._cloud.deregister(arn, [target])

    def undo(self, arn: TargetGroupArn, name: str) -> None:
        """Go on removing a target whenever it is there."""
        self._go_on(lambda: self.remove(arn, name))

    def insist(self, arn: TargetGroupArn, name: str) -> None:
        """Go on registering a target whenever it is not there."""
        self._go_on(lambda: self.put(arn, name, PORTS[arn]))

    def rest(self) -> None:
        """Do nothing more."""
        for hand in self._busy:
            hand.cancel()
        self._busy.clear()

    def _go_on(self, act: Callable[[], None]) -> None:
        async def hand() -> None:
            while True:
                await asyncio.sleep(_LOOKS_S)
                act()

        self._busy.append(asyncio.create_task(hand()))
