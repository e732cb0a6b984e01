"""The small world whose /status stands in docs/status.md."""

import asyncio
import json
from typing import Any

from tests.simulation.cluster import node
from tests.simulation.virtual import run_virtually
from tests.simulation.world import HTTP, SERVICE, World, instance


def example() -> dict[str, Any]:
    """Of three nodes one serves, one is joining, and one leaves but has to wait for the other."""

    async def story() -> dict[str, Any]:
        world = World({"NLB_SYNC_TARGET_GROUPS": f"{HTTP}={SERVICE}:http"})
        world.join("a", "b")
        replica = world.replica()
        await world.until(lambda: len(world.cloud.serving(HTTP)) == 2, within=60)
        world.join("c")
        await asyncio.sleep(8)
        label = {"node.kubernetes.io/exclude-from-external-load-balancers": "true"}
        for name in ("a", "b"):
            world.cluster.put(node(name, instance(name), labels=label))
        await asyncio.sleep(3)
        told: dict[str, Any] = json.loads(json.dumps(replica.status()))
        await replica.stop()
        return told

    return run_virtually(story())
