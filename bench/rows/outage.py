"""An outage of the API server while nodes come and go through another server of the same store."""

import time
from dataclasses import replace

from bench.measures import Known
from bench.run import Figures, Run

NODES = 3
_AWAY_S, _WITHIN_S = 5.0, 120.0


def measure(run: Run) -> Figures:
    """Return the seconds from the API server's readiness until both groups are right."""
    run.settle()
    with run.filled() as watch, run.world.second_api_server() as other:
        fleet = run.world.fleet
        coming, going = fleet.new(NODES), fleet.nodes[:NODES]
        elsewhere = replace(fleet, api=other)
        run.world.kill_api_server()
        back = time.monotonic() + _AWAY_S
        for node in coming:
            elsewhere.join(node)
        for node in going:
            elsewhere.remove(node)
        fleet.nodes = [*fleet.nodes[NODES:], *coming]
        run.note("the API server is away")
        watch.take(max(0.0, back - time.monotonic()))
        run.note("the API server comes back")
        run.world.start_api_server()
        ready = time.monotonic()
        return {"outage": Known((max(0.0, watch.until_right(_WITHIN_S) - ready),))}
