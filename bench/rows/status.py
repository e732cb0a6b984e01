"""The answer /status of a large cluster: size, time, and the lag of the syncer's loop meanwhile."""

import http.client
import re
import time
from statistics import median

from bench.measures import Known
from bench.run import Figures, Run
from sandbox.layout import HOST, free_ports

_FETCHES = 10
_WITHIN_S = 30.0
# The metric has the longest step of the last minute: the steps of the start must be out of it.
_REST_S = 65
_LAG = re.compile(rb"^nlb_sync_loop_lag_seconds (\S+)$", re.MULTILINE)
_MEGABYTE, _MS = 1e6, 1000


def measure(run: Run) -> Figures:
    """Return MB, the median time in ms of a fetch, and the longest lag in ms while /status is fetched."""
    run.settle()
    (port,) = free_ports(1)
    with run.filled({"NLB_SYNC_PORT": str(port)}) as watch:
        run.pause(watch, run.few(_REST_S, 2), "coming to rest")
        try:
            before = _lag(port)
            found = [_get(port, "/status") for _ in range(run.few(_FETCHES, 2))]
            run.pause(watch, 1, "/status was fetched")
            lag = _lag(port)
        except (OSError, http.client.HTTPException):
            return dict.fromkeys(run.wanted, Known((), "has no such port"))
    seconds, bodies = zip(*found, strict=True)
    values = (len(bodies[0]) / _MEGABYTE, median(seconds) * _MS, None if lag is None else lag * _MS)
    said = "" if before is None else f"lag before {before * _MS:.0f} ms"
    return dict.fromkeys(run.wanted, Known(values, said))


def _get(port: int, path: str) -> tuple[float, bytes]:
    """Return the seconds of a fetch with a new connection, and the body."""
    began = time.monotonic()
    connection = http.client.HTTPConnection(HOST, port, timeout=_WITHIN_S)
    try:
        connection.request("GET", path)
        body = connection.getresponse().read()
    finally:
        connection.close()
    return time.monotonic() - began, body


def _lag(port: int) -> float | None:
    """Return the metric of the loop's lag in seconds; None for a contender without the metric."""
    found = _LAG.search(_get(port, "/metrics")[1])
    return None if found is None else float(found[1])
