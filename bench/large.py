"""The rows beyond 1,000 nodes and two groups. The peers have no figures for them."""

from bench.measures import Known, Measure, Part

_TIMES = (Part("median", "ms"), Part("p95", "ms"), Part("CPU of an event", "ms"))
_READY, _TAINT = "a node turns Ready", "leaving taint"


def _event(kind: str, title: str, nodes: int) -> Measure:
    return Measure(
        name=f"{kind}-{nodes}",
        title=f"{nodes:,} nodes, {title}: median / p95 / CPU of an event",
        nodes=nodes,
        parts=_TIMES,
        goal=Known((20, 40, 5)),
    )


def _groups(count: int, cpu: float | None) -> Measure:
    return Measure(
        name=f"groups-{count}",
        title=f"{count} groups: Ready, median / p95; taint, median / p95; CPU of an event",
        nodes=1000,
        groups=count,
        parts=(
            *(Part(f"{kind}, {figure}", "ms") for kind in ("Ready", "taint") for figure in ("median", "p95")),
            Part("CPU of an event", "ms"),
        ),
        goal=Known((None, None, None, None, cpu)),
    )


LARGE: tuple[Measure, ...] = (
    _groups(10, None),
    _groups(50, 50),
    _event("ready", _READY, 5000),
    _event("taint", _TAINT, 5000),
    Measure(
        name="churn",
        title="a node turns Ready while 20 other Nodes a second change: median / p95",
        nodes=5000,
        parts=_TIMES[:2],
        goal=Known((40, 100)),
    ),
)
