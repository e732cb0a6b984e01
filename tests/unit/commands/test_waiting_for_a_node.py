"""`wait` on virtual time: when a node counts as drained or healthy, and when the time is over."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from syncer.commands.names import instance_of
from syncer.commands.patience import Progress, UntilDrained, UntilHealthy
from syncer.commands.wait import NotPossibleError, Watchman
from syncer.errors import AccessDeniedError, ThrottledError
from syncer.model import InstanceId, Target, TargetGroupArn, TargetHealth, TargetState
from tests.simulation.cloud import MemoryCloud
from tests.simulation.elb import MemoryElb
from tests.simulation.virtual import VirtualClock, run_virtually
from tests.simulation.world import HTTP, HTTPS

NODE = InstanceId("i-0123456789abcdef0")
TARGET = Target(NODE, 30080)


class Scene:
    """Two groups in memory that hold the node, and somebody who waits."""

    def __init__(self, *, draining_for: float = 300.0, timeout: float = 600.0) -> None:
        self.cloud = MemoryCloud([HTTP, HTTPS])
        for arn in (HTTP, HTTPS):
            self.cloud.groups[arn].deregistration_delay_s = draining_for
        self.cloud.launch(NODE)
        self.elb = MemoryElb(self.cloud)
        self.lines: list[str] = []
        self.watchman = Watchman(
            elb=self.elb,
            clock=VirtualClock(),
            groups=(HTTP, HTTPS),
            say=self.lines.append,
            every=5.0,
            timeout=timeout,
        )

    def register(self, *arns: TargetGroupArn) -> None:
        for arn in arns or (HTTP, HTTPS):
            self.cloud.register(arn, [TARGET])

    def deregister(self, *arns: TargetGroupArn) -> None:
        for arn in arns or (HTTP, HTTPS):
            self.cloud.deregister(arn, [TARGET])

    async def drained(self, settle: float = 120.0) -> Progress:
        return await self.watchman.until(UntilDrained(settle), NODE)

    async def healthy(self) -> Progress:
        return await self.watchman.until(UntilHealthy(), NODE)


def play(story: Callable[[], Awaitable[None]]) -> None:
    async def played() -> None:
        await story()

    run_virtually(played())


def test_a_node_is_drained_when_no_group_lists_it_any_more() -> None:
    async def story() -> None:
        context = Scene(draining_for=300)
        context.register()
        context.deregister(HTTP)
        asyncio.get_running_loop().call_later(60, context.deregister, HTTPS)
        progress = await context.drained()
        assert progress.done
        assert 360 <= context.watchman.waited <= 370

    play(story)


def test_new_connections_are_given_two_minutes_even_where_draining_is_shorter() -> None:
    async def story() -> None:
        context = Scene(draining_for=0)
        context.register()
        asyncio.get_running_loop().call_later(31, context.deregister)
        progress = await context.drained()
        assert progress.done
        assert 151 <= context.watchman.waited <= 160

    play(story)


def test_without_settling_a_node_is_drained_as_soon_as_no_group_lists_it() -> None:
    async def story() -> None:
        context = Scene(draining_for=0)
        context.register()
        asyncio.get_running_loop().call_later(31, context.deregister)
        assert (await context.drained(settle=0)).done
        assert 31 <= context.watchman.waited <= 40

    play(story)


def test_a_node_that_is_registered_again_is_waited_for_anew() -> None:
    async def story() -> None:
        context = Scene(draining_for=0)
        context.register()
        loop = asyncio.get_running_loop()
        loop.call_later(10, context.deregister)
        loop.call_later(60, context.register)
        loop.call_later(100, context.deregister)
        assert (await context.drained()).done
        assert 220 <= context.watchman.waited <= 230

    play(story)


def test_a_node_that_no_group_lists_at_first_is_drained_at_once() -> None:
    async def story() -> None:
        context = Scene()
        progress = await context.drained()
        assert progress == Progress(done=True, line="no group lists the node")
        assert context.watchman.waited < 1

    play(story)


def test_a_node_that_nobody_removes_is_not_drained_when_the_time_is_over() -> None:
    async def story() -> None:
        context = Scene(timeout=45)
        context.register()
        progress = await context.drained()
        assert not progress.done
        assert progress.line == "healthy in http, healthy in https"
        assert 45 <= context.watchman.waited < 46
        assert context.lines[0].endswith("initial in http, initial in https")
        assert len(context.lines) >= 4

    play(story)


def test_a_group_that_cannot_be_read_is_not_taken_for_empty() -> None:
    async def story() -> None:
        context = Scene(timeout=20)
        context.elb.broken["describe", HTTPS] = ThrottledError(
            "DescribeTargetHealth", "Throttling", "slow down"
        )
        progress = await context.drained(settle=0)
        assert not progress.done
        assert progress.line == "unknown in https"
        assert any("Throttling" in line for line in context.lines)
        del context.elb.broken["describe", HTTPS]
        context.watchman.timeout = 60
        assert (await context.drained(settle=0)).done

    play(story)


def test_what_aws_answers_again_and_again_is_said_as_seldom_as_all_else() -> None:
    async def story() -> None:
        context = Scene(timeout=60)
        for arn in (HTTP, HTTPS):
            context.elb.broken["describe", arn] = ThrottledError(
                "DescribeTargetHealth", "Throttling", "slow down"
            )
        await context.drained()
        assert context.lines[0].endswith(
            "unknown in http, unknown in https (DescribeTargetHealth: Throttling: slow down)"
        )
        assert len(context.lines) <= 1 + 60 // 10

    play(story)


def test_a_missing_right_ends_the_wait() -> None:
    async def story() -> None:
        context = Scene()
        denied = AccessDeniedError(
            "DescribeTargetHealth", "AccessDenied", "no", "elasticloadbalancing:DescribeTargetHealth"
        )
        context.elb.broken["describe", HTTP] = denied
        with pytest.raises(NotPossibleError, match="allow elasticloadbalancing:DescribeTargetHealth"):
            await context.drained()

    play(story)


def test_a_node_is_healthy_when_every_group_says_so() -> None:
    async def story() -> None:
        context = Scene()
        context.register(HTTP)
        asyncio.get_running_loop().call_later(30, context.register, HTTPS)
        progress = await context.healthy()
        assert progress == Progress(done=True, line="healthy in http, https")
        assert 50 <= context.watchman.waited <= 56

    play(story)


def test_an_old_unhealthy_target_beside_a_healthy_one_does_not_hinder() -> None:
    healths = [
        TargetHealth(target=TARGET, state=TargetState.HEALTHY),
        TargetHealth(target=Target(NODE, 31000), state=TargetState.UNHEALTHY),
    ]
    assert UntilHealthy().look(0, {"http": healths}).done
    assert not UntilHealthy().look(0, {"http": healths, "https": healths[1:]}).done
    assert not UntilHealthy().look(0, {"http": healths, "https": None}).done


@pytest.mark.parametrize(
    ("named", "instance"),
    [
        ("i-0123456789abcdef0", "i-0123456789abcdef0"),
        ("i-0fedcba9", "i-0fedcba9"),
        ("aws:///eu-central-1a/i-0123456789abcdef0", "i-0123456789abcdef0"),
        ("aws:///eu-central-1a/i-4321", "i-4321"),
        ("i-workers01", None),
        ("i-node", None),
        ("i-0123456789abcdef0.eu-central-1.compute.internal", None),
    ],
)
def test_no_node_is_taken_for_an_instance_that_nobody_lists(named: str, instance: str | None) -> None:
    """It would count as drained at once, and be stopped while it serves."""
    assert instance_of(named) == instance
