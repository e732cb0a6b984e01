"""What probes are told, and that a loop that hangs is found out by another thread."""

import asyncio

import pytest

from syncer.telemetry import liveness
from syncer.telemetry.liveness import Liveness
from tests.simulation.virtual import run_virtually
from tests.simulation.world import World


def test_s1_readiness_is_handed_over_within_a_second() -> None:
    async def story() -> None:
        world = World()
        world.join("a")
        replica = world.replica()
        seen = Liveness(replica.observe, replica.controller.clock)
        noting = asyncio.create_task(seen.run())
        assert seen.readyz().status == 503
        assert seen.readyz().body == b"no complete list of nodes yet\n"
        await asyncio.sleep(2.5)
        assert (seen.readyz().status, seen.healthz().status) == (200, 200)
        noting.cancel()
        await replica.stop()

    run_virtually(story())


def test_s1_a_loop_that_hangs_fails_both_probes() -> None:
    async def story() -> None:
        world = World()
        world.join("a")
        replica = world.replica()
        await asyncio.sleep(5)
        seen = Liveness(replica.observe, replica.controller.clock)
        await asyncio.sleep(59)  # nothing is noted: as if the loop had not turned
        assert (seen.healthz().status, seen.readyz().status) == (200, 200)
        await asyncio.sleep(1)
        assert seen.healthz().body == b"the loop hangs\n"
        assert (seen.healthz().status, seen.readyz().status) == (503, 503)
        noting = asyncio.create_task(seen.run())
        await asyncio.sleep(1.5)
        assert (seen.healthz().status, seen.readyz().status) == (200, 200)
        noting.cancel()
        await replica.stop()

    run_virtually(story())


def test_s1_readiness_that_cannot_be_told_is_not_ready(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        replica = World().replica()
        seen = Liveness(replica.observe, replica.controller.clock)
        monkeypatch.setattr(liveness, "unready", broken)
        noting = asyncio.create_task(seen.run())
        await asyncio.sleep(1.5)
        assert seen.readyz().body == b"unforeseen fault, see the log\n"
        assert (seen.healthz().status, seen.readyz().status) == (200, 503)
        noting.cancel()
        await replica.stop()

    def broken(_: object) -> str:
        raise RuntimeError("broken state")

    run_virtually(story())
    assert "cannot determine whether it is ready" in caplog.text
