"""A group that takes no instances ends the syncer before anything is written, where AWS tells its type."""

import asyncio
from collections.abc import Collection, Mapping

import pytest

from syncer.errors import AwsError, MisconfiguredError
from syncer.model import TargetGroupArn
from tests.simulation.virtual import run_virtually
from tests.simulation.world import HTTP, HTTPS, World


@pytest.mark.parametrize("variable", ["NLB_SYNC_TARGET_GROUPS", "NLB_SYNC_TARGETGROUPARNS"])
def test_it_is_refused_by_the_variable_that_names_it_and_no_group_is_touched(variable: str) -> None:
    async def story() -> str:
        groups = f"{HTTP}=:30080,{HTTPS}=:30443"
        world = World({"NLB_SYNC_TARGET_GROUPS": "", variable: groups})
        world.cloud.group(HTTPS).target_type = "ip"
        world.join("a", "b")
        with pytest.raises(MisconfiguredError) as raised:
            await world.replica().wait()
        assert world.cloud.calls["register"] == 0
        return str(raised.value)

    assert run_virtually(story()) == (
        f"{variable} names {HTTPS}, whose target type is ip; allowed: groups of target type instance"
    )


def test_where_aws_does_not_tell_it_is_that_groups_problem_and_no_others() -> None:
    async def story() -> None:
        world = World()
        world.join("a", "b")
        replica = world.replica()

        async def nothing(_: Collection[TargetGroupArn]) -> Mapping[TargetGroupArn, str]:
            return {}

        replica.elb.target_types = nothing  # type: ignore[method-assign,assignment]
        words = "The IP address 'i-0' is not a valid IPv4 address"
        replica.elb.broken["register", HTTPS] = AwsError("RegisterTargets", "ValidationError", words)
        await world.until(lambda: world.cloud.registered(HTTP) == world.targets("a", "b"), within=5)
        await asyncio.sleep(60)
        assert [words in group.report.problem for group in replica.controller.groups] == [False, True]
        await replica.stop()

    run_virtually(story())


def test_it_is_asked_once_and_never_again() -> None:
    async def story() -> int:
        world = World()
        world.join("a")
        replica = world.replica()
        asked: list[Collection[TargetGroupArn]] = []
        ask = replica.elb.target_types

        async def counted(groups: Collection[TargetGroupArn]) -> Mapping[TargetGroupArn, str]:
            asked.append(groups)
            return await ask(groups)

        replica.elb.target_types = counted  # type: ignore[method-assign]
        await asyncio.sleep(300)
        assert world.filled_with("a")
        await replica.stop()
        return len(asked)

    assert run_virtually(story()) == 1
