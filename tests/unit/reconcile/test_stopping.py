"""A stop ends the controller in time, whatever does not answer; virtual time."""

import asyncio
from typing import Any

import pytest

from syncer.errors import CredentialsError
from tests.simulation.virtual import run_virtually, virtually
from tests.simulation.world import HTTP, World


@pytest.mark.parametrize(("call", "most"), [("describe", 1.0), ("register", 16.0)])
def test_b5_a_call_that_never_ends_does_not_keep_the_controller_from_ending(call: str, most: float) -> None:
    async def story() -> float:
        world = World()
        replica = world.replica()
        reached = asyncio.Event()

        async def hang(*_: Any) -> Any:
            reached.set()
            await asyncio.Event().wait()

        setattr(replica.elb, call, hang)
        world.join("a")
        await asyncio.wait_for(reached.wait(), 60)
        began = asyncio.get_running_loop().time()
        await replica.stop()
        return asyncio.get_running_loop().time() - began

    assert run_virtually(story()) <= most


@virtually
async def test_b2_a_failure_to_fetch_credentials_never_leads_to_blind_mode() -> None:
    world = World()
    world.join("a")
    replica = world.replica()
    for operation in ("describe", "register"):
        denied = CredentialsError("AWS credentials", "AccessDenied", "not authorized")
        replica.elb.broken[operation, HTTP] = denied
    await asyncio.sleep(120)
    (group, _) = replica.controller.groups
    assert not group.observed.blind
    assert "AWS credentials" in group.observed.problem
    replica.elb.broken.clear()
    await world.until(lambda: world.filled_with("a"), within=35)
    await replica.stop()
