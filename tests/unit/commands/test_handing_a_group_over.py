"""`leave` on virtual time: our targets go while those of another cluster keep the floor."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from syncer.config.settings import GroupSettings
from syncer.decide.desired import choose, registered_instances
from syncer.decide.evaluate import evaluate
from syncer.decide.handover import handover_policy, without_us
from syncer.decide.nodes import node_view
from syncer.decide.policy import NodePolicy, Ownership, PlanPolicy
from syncer.elb.arn import parse_arn
from syncer.errors import ThrottledError
from syncer.model import GroupPlan, GroupState, InstanceId, Target
from syncer.reconcile.handover import AnotherWriterError, Handover
from tests.simulation.cloud import MemoryCloud
from tests.simulation.cluster import node
from tests.simulation.elb import MemoryElb
from tests.simulation.virtual import VirtualClock, run_virtually
from tests.simulation.world import HTTP

PORT = 30080
POLICY = PlanPolicy(ownership=Ownership.EXCLUSIVE)


def instances(letter: str, count: int) -> list[InstanceId]:
    return [InstanceId(f"i-{letter}{number:016x}") for number in range(count)]


class SharedGroup:
    """A group with targets of our cluster and of another one, all healthy."""

    def __init__(self, ours: int, theirs: int) -> None:
        self.cloud = MemoryCloud([HTTP])
        self.elb = MemoryElb(self.cloud)
        self.ours, self.theirs = instances("a", ours), instances("b", theirs)
        self.lines: list[str] = []
        self.register(*self.ours, *self.theirs)

    def register(self, *members: InstanceId) -> None:
        for member in members:
            self.cloud.launch(member)
        self.cloud.register(HTTP, [Target(member, PORT) for member in members])

    def state(self) -> GroupState:
        healths = {health.target: health for health in self.cloud.healths(HTTP)}
        return GroupState(target_group=HTTP, targets=healths, fresh=True, port=PORT)

    async def leave(self, within: float = 600.0) -> list[GroupPlan]:
        await asyncio.sleep(30)
        state = self.state()
        nodes = [node_view(node(each, each), NodePolicy()) for each in self.ours]
        evaluation = evaluate(nodes, registered_instances([state]), NodePolicy())
        handover = Handover(
            elb=self.elb,
            clock=VirtualClock(),
            desired=without_us(choose(evaluation, [state], POLICY)),
            policy=handover_policy(POLICY),
            report=self.lines.append,
            every=5.0,
            timeout=within,
        )
        return await handover.run([GroupSettings(parse_arn(HTTP), PORT)], [state])

    def left(self) -> set[InstanceId]:
        return {target.id for target in self.cloud.registered(HTTP)}


def play(story: Callable[[], Awaitable[None]]) -> None:
    async def played() -> None:
        await story()

    run_virtually(played())


def test_ours_go_at_once_where_the_others_are_as_many() -> None:
    async def story() -> None:
        world = SharedGroup(ours=10, theirs=10)
        (plan,) = await world.leave()
        assert plan.deregister == ()
        assert world.left() == set(world.theirs)

    play(story)


def test_without_others_enough_keep_serving_however_long_it_is_waited() -> None:
    async def story() -> None:
        world = SharedGroup(ours=10, theirs=2)
        await world.leave(within=3000)
        assert len(world.left()) == 6
        assert set(world.theirs) < world.left()

    play(story)


def test_the_rest_goes_when_others_have_come() -> None:
    async def story() -> None:
        world = SharedGroup(ours=10, theirs=0)
        asyncio.get_running_loop().call_later(120, world.register, *instances("c", 8))
        await world.leave()
        assert world.left() == set(instances("c", 8))

    play(story)


def test_the_last_target_of_a_group_stays() -> None:
    async def story() -> None:
        world = SharedGroup(ours=1, theirs=0)
        (plan,) = await world.leave(within=60)
        assert world.left() == set(world.ours)
        assert [held.why for held in plan.held] == ["LastServing"]

    play(story)


def test_a_syncer_that_registers_them_again_ends_it() -> None:
    async def story() -> None:
        world = SharedGroup(ours=4, theirs=4)
        for second in range(33, 100, 3):
            asyncio.get_running_loop().call_later(second, world.register, *world.ours)
        with pytest.raises(AnotherWriterError, match="4 targets are registered again; stop the syncer first"):
            await world.leave()

    play(story)


def test_one_that_aws_does_not_let_go_keeps_no_other_one() -> None:
    async def story() -> None:
        world = SharedGroup(ours=4, theirs=4)
        world.cloud.stuck = {world.ours[0]}
        (plan,) = await world.leave(within=60)
        assert world.left() == {world.ours[0], *world.theirs}
        held = {each.target.id: each.why for each in plan.held if each.target.id in world.ours}
        assert held == {world.ours[0]: "Poison"}
        assert any("InvalidTarget" in line for line in world.lines)

    play(story)


def test_a_call_that_fails_is_made_again() -> None:
    async def story() -> None:
        world = SharedGroup(ours=4, theirs=4)
        world.elb.faults.append(ThrottledError("DeregisterTargets", "Throttling", "slow down"))
        await world.leave()
        assert world.left() == set(world.theirs)
        assert any("Throttling" in line for line in world.lines)

    play(story)
