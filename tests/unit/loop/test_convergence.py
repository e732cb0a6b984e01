"""Random lives of a world: whatever happens, once it stops the groups hold what they should."""

import asyncio
from collections.abc import Awaitable, Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from syncer.errors import AccessDeniedError, AwsError, ThrottledError, UnreachableError
from syncer.model import Target
from tests.sim.cluster import node
from tests.sim.virtual import run_virtually
from tests.sim.world import HTTP, PORTS, Replica, World, instance

NAMES = ("a", "b", "c", "d", "e", "f")
THROTTLED: AwsError = ThrottledError("RegisterTargets", "ThrottlingException", "Rate exceeded")
DENIED: AwsError = AccessDeniedError("DescribeTargetHealth", "AccessDenied", "no", "elasticloadbalancing:*")
SILENT: AwsError = UnreachableError("DescribeTargetHealth", "ReadTimeout", "no answer")


class Life:
    """A world with one or two replicas, and what may happen to it."""

    def __init__(self) -> None:
        self.world = World()
        self.world.join(*NAMES[:4])
        self.replicas: list[Replica] = [self.world.replica()]

    async def join(self, name: str) -> None:
        self.world.join(name)

    async def go(self, name: str) -> None:
        if name in self.world.cluster.nodes:
            self.world.cluster.delete(name)

    async def leave(self, name: str) -> None:
        self.world.cluster.put(node(name, instance(name), taints=["ToBeDeletedByClusterAutoscaler"]))

    async def die(self, name: str) -> None:
        """Its machine stops; the Node stays."""
        self.world.cloud.running.pop(instance(name), None)

    async def remove_by_hand(self, name: str) -> None:
        self.world.cloud.deregister(HTTP, [Target(instance(name), PORTS[HTTP])])

    async def kill(self, _: str) -> None:
        await self.replicas.pop(0).kill()
        self.replicas.append(self.world.replica())

    async def second(self, _: str) -> None:
        if len(self.replicas) == 1:
            self.replicas.append(self.world.replica())

    async def throttle(self, _: str) -> None:
        self.replicas[0].elb.faults += [THROTTLED] * 3

    async def silence(self, _: str) -> None:
        self.replicas[0].elb.broken["describe", HTTP] = SILENT

    async def deny(self, _: str) -> None:
        """AWS does not let the groups be read any more."""
        for arn in PORTS:
            self.replicas[0].elb.broken["describe", arn] = DENIED

    async def cut(self, _: str) -> None:
        self.replicas[0].cluster.cut = True

    async def mend(self) -> None:
        """Every fault ends."""
        for replica in self.replicas:
            replica.elb.broken.clear()
            replica.elb.faults.clear()
            replica.cluster.cut = False
        for name in self.world.cluster.nodes:
            self.world.cloud.launch(instance(name))
        self.world.cluster.expose(
            "any/thing", "else", 1
        )  # a change, so that caches that were cut off catch up

    def events(self) -> dict[str, Callable[[str], Awaitable[None]]]:
        return {
            "join": self.join,
            "go": self.go,
            "leave": self.leave,
            "die": self.die,
            "remove_by_hand": self.remove_by_hand,
            "kill": self.kill,
            "second": self.second,
            "throttle": self.throttle,
            "silence": self.silence,
            "deny": self.deny,
            "cut": self.cut,
        }


KINDS = tuple(Life.events(Life.__new__(Life)))
STEPS = st.lists(
    st.tuples(st.sampled_from(KINDS), st.sampled_from(NAMES), st.sampled_from([0.0, 0.03, 0.1, 3.0, 40.0])),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_once_nothing_happens_any_more_the_groups_hold_what_is_wanted_or_say_why_not(
    steps: list[tuple[str, str, float]],
) -> None:
    async def story() -> None:
        life = Life()
        for kind, name, pause in steps:
            await life.events()[kind](name)
            await asyncio.sleep(pause)
        await life.mend()
        await asyncio.sleep(1800)
        world = life.world
        wanted = {n for n, item in world.cluster.nodes.items() if not item["spec"]["taints"]}
        for arn in PORTS:
            registered = world.cloud.registered(arn)
            assert world.targets(*wanted, arn=arn) <= registered
            for replica in life.replicas:
                group = next(each for each in replica.controller.groups if each.arn == arn)
                held = {each.target for each in group.held}
                assert registered - world.targets(*wanted, arn=arn) <= held
        for replica in life.replicas:
            await replica.stop()

    run_virtually(story())
