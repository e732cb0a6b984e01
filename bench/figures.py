"""The rows of the bench's table with the peers' figures, and the rows of bench.large.

The peers are the AWS Load Balancer Controller 3.5 and the predecessor, both in Go. The peers were measured on
another day and on another machine of the same kind: 2 cores, a real API server, nodes of 10 KB, a fake AWS
with a latency of 50 ms, two groups with raised quota.
"""

from bench.large import LARGE
from bench.measures import CONTROLLER, PREDECESSOR, Known, Measure, Part


def _peers(controller: Known, predecessor: Known) -> dict[str, Known]:
    return {CONTROLLER: controller, PREDECESSOR: predecessor}


def _k(*values: float | None, said: str = "") -> Known:
    return Known(values, said)


_SETTLED, _PEAK = Part("settled", "MiB"), Part("peak", "MiB")
_MEDIAN, _P95 = Part("median", "ms"), Part("p95", "ms")
_SECONDS = Part("time", "s")

MEASURES: tuple[Measure, ...] = (
    Measure(
        name="memory-5000",
        title="memory at 5,000 nodes, settled / peak",
        nodes=5000,
        parts=(_SETTLED, _PEAK),
        goal=_k(100, 115),
        peers=_peers(_k(223, 353), _k(25, 32, said="keeps nothing")),
    ),
    Measure(
        name="memory-0",
        title="memory at 0 nodes",
        nodes=0,
        parts=(_SETTLED, _PEAK),
        goal=_k(70, None),
        peers=_peers(_k(59, None), _k(20, None)),
    ),
    Measure(
        name="memory-1000",
        title="memory at 1,000 nodes",
        nodes=1000,
        parts=(_SETTLED, _PEAK),
        goal=_k(85, None),
        peers=_peers(_k(115, None), _k(25, None)),
    ),
    Measure(
        name="start-5000",
        title="process start to 5,000 nodes registered in both groups",
        nodes=5000,
        parts=(_SECONDS, Part("register calls", "calls")),
        goal=_k(10, 50),
        peers=_peers(_k(12.2, 50), _k(532, 10_000)),
    ),
    Measure(
        name="start-1000",
        title="the same for 1,000 nodes",
        nodes=1000,
        parts=(_SECONDS, Part("register calls", "calls")),
        goal=_k(2.5, 12),
        peers=_peers(_k(3.7, 13), _k(105, None, said="never while nodes heartbeat")),
    ),
    Measure(
        name="ready",
        title="a node turns Ready -> both groups' RegisterTargets sent",
        nodes=1000,
        parts=(_MEDIAN, _P95),
        goal=_k(40, 80),
        peers=_peers(_k(165, 254), _k(60, 63)),
    ),
    Measure(
        name="taint",
        title="leaving taint -> both deregistered",
        nodes=1000,
        parts=(_MEDIAN, _P95),
        goal=_k(40, 80),
        peers=_peers(_k(192, 227), _k(said="never")),
    ),
    Measure(
        name="delete",
        title="delete -> both deregistered",
        nodes=1000,
        parts=(_MEDIAN, _P95),
        goal=_k(40, 80),
        peers=_peers(_k(169, 238), _k(57, 59)),
    ),
    Measure(
        name="calls",
        title="AWS calls for each such event (two groups)",
        nodes=1000,
        parts=(Part("writes", "writes"), Part("describes within 10 s", "describes", ratio=False)),
        goal=_k(2, 2),
        peers=_peers(_k(4.5, None, said="in all"), _k(2, 0)),
    ),
    Measure(
        name="replace",
        title="200 of 1,000 nodes replaced at once (over 1.5 s): converged, AWS calls",
        nodes=1000,
        parts=(_SECONDS, Part("calls", "calls")),
        goal=_k(2.2, 24),
        peers=_peers(_k(2.2, 34), _k(43, 800)),
    ),
    Measure(
        name="cpu",
        title="CPU a minute at 16 heartbeats/s, 5,000 nodes; drift repair apart",
        nodes=5000,
        parts=(Part("CPU", "s"), Part("drift repair", "s", ratio=False)),
        goal=_k(0.7, 0.7),
        peers=_peers(_k(0.72, None, said="no drift repair"), _k(0.86, None, said="no drift repair")),
    ),
    Measure(
        name="probes",
        title="/healthz, 1,000 clients idle, 100 dripping, 40 reading /status of 5,000 nodes: p99, p99 on "
        "the probe port, answered",
        nodes=5000,
        parts=(
            Part("p99", "ms", ratio=False),
            Part("p99 on the probe port", "ms", ratio=False),
            Part("answered", "%", ratio=False),
        ),
        goal=_k(100, 100, 100),
        peers=_peers(_k(), _k()),
    ),
    Measure(
        name="drift",
        title="target removed behind its back, back after (longest of 4)",
        nodes=100,
        parts=(_SECONDS,),
        goal=_k(35),
        peers=_peers(_k(said="not in 5 min"), _k(said="never")),
    ),
    Measure(
        name="outage",
        title="API server killed for 5 s, 3 nodes added, 3 deleted meanwhile: right after it is ready",
        nodes=100,
        parts=(_SECONDS,),
        goal=_k(3),
        peers=_peers(_k(8, said="8 to 15 s"), _k(said="exits; the deleted stay for ever")),
    ),
    Measure(
        name="not-running",
        title="1 of 50 new instances not running: the 49 in after, it in after it runs",
        nodes=100,
        parts=(Part("the 49", "s"), Part("the one", "s")),
        goal=_k(said="in the same pass; as soon as it runs"),
        peers=_peers(_k(said="none of the 50 until it runs"), _k(5.4, None, said="it never")),
    ),
    Measure(
        name="stale",
        title="5 stale targets at start: gone, after it is allowed",
        nodes=20,
        parts=(Part("after it is allowed", "s", ratio=False),),
        goal=_k(5),
        peers=_peers(_k(said="gone in 2.6 s, before any new one is healthy"), _k(said="stay")),
    ),
    Measure(
        name="not-ready",
        title="all nodes Ready=False: targets left",
        nodes=20,
        parts=(Part("left", "%", ratio=False),),
        goal=_k(100),
        peers=_peers(_k(0, said="empties both groups"), _k(100)),
    ),
    Measure(
        name="throttle",
        title="30 % of calls throttled for 60 s, 20 nodes join: calls until done",
        nodes=20,
        parts=(Part("calls", "calls"),),
        goal=_k(73),
        peers=_peers(_k(120), _k(73)),
    ),
    Measure(
        name="steady",
        title="steady state: describes a group a minute, other calls",
        nodes=100,
        parts=(Part("describes a group", "a minute", ratio=False), Part("others", "calls", ratio=False)),
        goal=_k(2, 0),
        peers=_peers(_k(), _k()),
    ),
    *LARGE,
)


def measure(name: str) -> Measure:
    """Return the measure of this name. Raises KeyError for an unknown name."""
    return {each.name: each for each in MEASURES}[name]
