"""Probes beside bad clients: silent, dripping, and many readers of a large /status."""

import time
from collections.abc import Mapping

from bench.clients import crowd, percentile, probe
from bench.measures import Known
from bench.run import Figures, Run
from sandbox.layout import free_ports

_CROWD = {"idle": 1000, "dripping": 100, "readers": 40}
_EVERY_S = 0.05
_MS = 1000
_HUNDRED = 100


def measure(run: Run) -> Figures:
    """Return the 99th percentile of /healthz on the HTTP port and the probe port, and the answered share."""
    run.settle()
    main, own = free_ports(2)
    changes: Mapping[str, str] = {"NLB_SYNC_PORT": str(main), "NLB_SYNC_PROBE_PORT": str(own)}
    with run.filled(changes):
        if not any(each.status for each in probe(main, "/healthz", 1, _EVERY_S)):
            return {"probes": Known((), "has no such port")}
        run.note("1,140 clients are connecting")
        with crowd(main, **_CROWD):
            time.sleep(1)
            found = [probe(port, "/healthz", run.few(30, 3), _EVERY_S) for port in (main, own)]
    each = [*found[0], *found[1]]
    answered = _HUNDRED * sum(probed.status == 200 for probed in each) / len(each)  # noqa: PLR2004 (OK)
    late = [percentile(probed, 0.99) * _MS for probed in found]
    return {"probes": Known((*(None if figure == float("inf") else figure for figure in late), answered))}
