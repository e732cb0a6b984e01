"""The rows beyond 1,000 nodes and two groups. The peers have no figures for them."""

from bench.measures import SELECTOR, TARGET_LIMIT, Known, Measure, Part

_TIMES = (Part("median", "ms"), Part("p95", "ms"), Part("CPU of an event", "ms"))
_READY, _TAINT = "a node turns Ready", "leaving taint"


# The largest cluster that a real API server on two cores is filled with in minutes.
_REAL = 5000
_TARGETS = 1000


def _event(kind: str, title: str, nodes: int, narrowed: str = "") -> Measure:
    by = {"": "", SELECTOR: ", 1,000 selected", TARGET_LIMIT: ", limit 1,000"}[narrowed]
    return Measure(
        name=f"{kind}-limit" if narrowed == TARGET_LIMIT else f"{kind}-{nodes}",
        title=f"{nodes:,} nodes{by}, {title}: median / p95 / CPU of an event",
        nodes=nodes,
        parts=_TIMES,
        goal=Known((20, 40, 5)),
        targets=_TARGETS if narrowed else None,
        narrowed=narrowed,
        fake=nodes > _REAL,
    )


def _fill(nodes: int, cpu: float) -> Measure:
    return Measure(
        name=f"fill-{nodes}",
        title=f"process start to {nodes:,} nodes registered in both groups: CPU, time",
        nodes=nodes,
        parts=(Part("CPU", "s"), Part("time", "s")),
        goal=Known((cpu, None)),
        fake=nodes > _REAL,
    )


def _narrowed(name: str, title: str, *goal: float) -> Measure:
    return Measure(
        name=name,
        title=f"100,000 nodes, {title}: settled, first register, CPU a minute at 333 heartbeats/s",
        nodes=100_000,
        parts=(Part("settled", "MiB"), Part("first register", "s"), Part("CPU a minute", "s")),
        goal=Known(goal),
        targets=_TARGETS,
        narrowed=name,
        fake=True,
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
    _event("ready", _READY, 20_000),
    _event("taint", _TAINT, 20_000),
    _fill(5000, 0.8),
    _fill(20_000, 2.5),
    Measure(
        name="status-20000",
        title="/status of 20,000 nodes: size, time, lag of the loop meanwhile",
        nodes=20_000,
        parts=(Part("size", "MB"), Part("time", "ms"), Part("lag", "ms")),
        goal=Known((None, None, 50)),
        fake=True,
    ),
    _event("ready", _READY, 100_000, SELECTOR),
    _event("taint", _TAINT, 100_000, SELECTOR),
    _event("taint", _TAINT, 100_000, TARGET_LIMIT),
    _narrowed(TARGET_LIMIT, "limit 1,000", 100, 8, 2.5),
    _narrowed(SELECTOR, "a selector of 1,000", 75, 1.5, 0.4),
)
