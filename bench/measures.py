"""The form of a row: parts, goal and peers, and the comparison of a measured figure with both."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

CONTROLLER, PREDECESSOR = "controller", "predecessor"
TARGET_LIMIT, SELECTOR = "limit", "selector"


@dataclass(frozen=True, slots=True)
class Known:
    """Figures, one per part of the measure (None: no figure), and a remark."""

    values: tuple[float | None, ...] = ()
    said: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One figure of a measure. `ratio`: smaller is better, and the figure is comparable with the peers'."""

    name: str
    unit: str
    ratio: bool = True


def _no_figures() -> dict[str, Known]:
    return {CONTROLLER: Known(), PREDECESSOR: Known()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A row of the table. `nodes` is the number of nodes of the cluster.

    `groups` is the number of target groups. `targets` is the number of nodes that become targets, None for
    all; `narrowed` is the setting that excludes the others, TARGET_LIMIT or SELECTOR. `fake` rows have the
    API server of `bench.apiserver`.
    """

    name: str
    title: str
    nodes: int
    parts: tuple[Part, ...]
    goal: Known
    peers: Mapping[str, Known] = field(default_factory=_no_figures)
    groups: int = 2
    targets: int | None = None
    narrowed: str = ""
    fake: bool = False


def better_peer(peers: Mapping[str, Known]) -> tuple[str, Known] | None:
    """Return the peer with the smaller first figure, or None where no peer has a figure."""
    known = [(name, peer) for name, peer in peers.items() if peer.values and peer.values[0] is not None]
    return min(known, key=lambda each: each[1].values[0] or 0.0, default=None)


def ratios(row: Measure, here: Known, peer: Known) -> tuple[float | None, ...]:
    """Divide the figures here by the peer's, for parts with two comparable figures."""
    pairs = zip(row.parts, _padded(here.values, row), _padded(peer.values, row), strict=True)
    return tuple(
        mine / theirs if part.ratio and mine is not None and theirs else None for part, mine, theirs in pairs
    )


def met(row: Measure, here: Known) -> bool | None:
    """Return whether every figure meets its goal; None where there is no goal."""
    pairs = zip(row.parts, _padded(here.values, row), _padded(row.goal.values, row), strict=True)
    kept = [
        mine is not None and (mine >= goal if part.unit == "%" else mine <= goal)
        for part, mine, goal in pairs
        if goal is not None
    ]
    return all(kept) if kept else None


def _padded(values: Sequence[float | None], row: Measure) -> list[float | None]:
    return [*values, *[None] * (len(row.parts) - len(values))]
