"""What the page costs the syncer in memory with 5,000 nodes: nearly nothing while nobody looks."""

import asyncio
import time
import tracemalloc
from concurrent.futures import Future

from syncer.run import routes
from syncer.telemetry.liveness import Liveness
from tests.simulation.cluster import node
from tests.simulation.virtual import run_virtually
from tests.simulation.world import PORTS, World

MIB = 1024 * 1024
ANSWERING = (
    "syncer/telemetry/web/*.py",
    "syncer/telemetry/status.py",
    "syncer/telemetry/status_pages.py",
    "syncer/page/__init__.py",
    "syncer/run.py",
    "json/*.py",
)


def large_world() -> World:
    world = World()
    for index in range(5000):
        identity = f"i-{index:017x}"
        world.cloud.launch(identity)
        name = f"ip-10-0-{index // 250}-{index % 250}.eu-central-1.compute.internal"
        world.cluster.nodes[name] = node(name, identity)
    for arn in PORTS:
        world.cloud.group(arn).quota = 6000
        world.cloud.group(arn).healthy_after = 1
    return world


def kept_by_the_page() -> int:
    """Bytes that live now and were allocated to answer."""
    ours = [tracemalloc.Filter(inclusive=True, filename_pattern=f"*/{each}") for each in ANSWERING]
    return sum(each.size for each in tracemalloc.take_snapshot().filter_traces(ours).traces)


def test_nothing_is_kept_while_nobody_looks() -> None:
    async def story() -> tuple[int, int, int]:
        replica = large_world().replica(checked=False)
        await asyncio.sleep(10)
        tracemalloc.start()
        known = routes(replica.controller, Liveness(replica.observe, replica.controller.clock))
        before = kept_by_the_page()
        made = known["/status"]()
        assert isinstance(made, Future)
        while not made.done():
            await asyncio.sleep(0)
            time.sleep(0.01)  # noqa: ASYNC251 - real time, for the worker thread
        del made
        asked = kept_by_the_page()
        await asyncio.sleep(300)  # an answer is kept for nine times what it took to make, in real time
        after = kept_by_the_page()
        tracemalloc.stop()
        await replica.stop()
        return before, asked, after

    before, asked, after = run_virtually(story())
    assert 0 < before < MIB / 8
    assert asked > MIB
    assert after < MIB / 8
