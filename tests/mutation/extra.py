"""Stories that stand nowhere else, or need something to be told here."""

import asyncio
from collections import Counter
from itertools import pairwise

import pytest

from syncer.decide.policy import PlanPolicy
from syncer.errors import UnreachableError
from tests.simulation.ha import test_two_replicas
from tests.simulation.virtual import run_virtually
from tests.simulation.world import HTTP, World
from tests.unit.decide.world import decide, group, node, target


def botocore_sends_no_write_without_the_right_to() -> None:
    """The story of the same name, whose environment is gone afterwards."""
    with pytest.MonkeyPatch.context() as environment:
        test_two_replicas.test_botocore_sends_no_write_without_the_right_to_and_any_read(environment)


def a_limit_is_obeyed_in_both_groups() -> None:
    """Of three nodes two are registered in each group."""

    async def story() -> None:
        world = World({"NLB_SYNC_TARGET_LIMIT": "2"})
        world.join("a", "b", "c")
        replica = world.replica()
        await asyncio.sleep(10)
        assert {len(world.cloud.registered(arn)) for arn in world.cloud.groups} == {2}
        await replica.stop()

    run_virtually(story())


def a_group_that_does_not_answer_is_tried_again_in_growing_pauses() -> None:
    """No write follows another one within half a second."""

    async def story() -> None:
        world = World()
        world.join("a")
        replica = world.replica()
        silent = UnreachableError("RegisterTargets", "ConnectTimeout", "no answer")
        replica.elb.broken = {("register", arn): silent for arn in world.cloud.groups}
        await asyncio.sleep(30)
        times = [
            at for at, operation, group, _ in replica.elb.log if (operation, group) == ("register", HTTP)
        ]
        assert min(later - earlier for earlier, later in pairwise(times)) >= 0.5
        await replica.stop()

    run_virtually(story())


def places_are_dealt_evenly_to_the_zones() -> None:
    """Of six nodes in each of two zones three get a place."""
    nodes = [node(n, zone="a" if n < 6 else "b") for n in range(12)]
    planned = decide(nodes, group(), PlanPolicy(target_limit=6))
    zones = Counter("a" if each < target(6) else "b" for each in planned.register)
    assert zones == {"a": 3, "b": 3}
