"""`python -m bench.curves FILE… DIR`: draw figures against nodes and groups, from outputs of --json."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.chart import chart

_WRONG = 2
_USAGE = "python -m bench.curves: FILE… DIR; each FILE is an output of `python -m bench --json`\n"


@dataclass(frozen=True, slots=True)
class Curve:
    """A chart: `points` are rows with the place of each on the axis, `part` the figure of the row."""

    file: str
    title: str
    across: str
    unit: str
    part: int
    points: Mapping[str, int]


_EVENTS = {"ready": 1000, "ready-5000": 5000, "ready-20000": 20_000, "ready-100000": 100_000}
CURVES = (
    Curve("reaction", "A node turns Ready, median", "nodes", "ms", 0, _EVENTS),
    Curve(
        "event-nodes",
        "CPU of an event",
        "nodes",
        "ms",
        2,
        {row: nodes for row, nodes in _EVENTS.items() if row != "ready"},
    ),
    Curve("event-groups", "CPU of an event", "groups", "ms", 4, {"groups-10": 10, "groups-50": 50}),
    Curve("fill", "CPU of a start", "nodes", "s", 0, {"fill-5000": 5000, "fill-20000": 20_000}),
    Curve("memory", "Settled memory", "nodes", "MiB", 0, {"memory-1000": 1000, "memory-5000": 5000}),
)


def drawn(rows: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield file name and SVG of each curve with a figure; peers beside where they have figures."""
    by_name = {row["row"]: row for row in rows}
    for curve in CURVES:
        series: dict[str, list[tuple[float, float]]] = {}
        for name, place in curve.points.items():
            row = by_name.get(name, {"peers": {}, "contenders": {}})
            for contender, figures in {**row["peers"], **row["contenders"]}.items():
                if (value := _value(figures, curve.part)) is not None:
                    series.setdefault(contender, []).append((place, value))
        if series:
            yield f"bench-{curve.file}.svg", chart(curve.title, curve.across, curve.unit, series)


def _value(figures: Mapping[str, Any], part: int) -> float | None:
    """Return the figure; None where a row has failed, or a peer has no such figure."""
    values: Sequence[float | None] = figures["values"]
    return values[part] if part < len(values) else None


def main(words: Sequence[str]) -> int:
    """Write the charts; a later file replaces the rows of an earlier one."""
    *files, directory = words or [""]
    if not files or not Path(directory).is_dir():
        sys.stderr.write(_USAGE)
        return _WRONG
    rows = {row["row"]: row for file in files for row in json.loads(Path(file).read_text())["rows"]}
    for name, svg in drawn(list(rows.values())):
        Path(directory, name).write_text(svg)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
