"""A chart with two logarithmic axes as SVG, without any library."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

Points = Sequence[tuple[float, float]]

_SVG = "http://www.w3.org/2000/svg"
_WIDTH, _HEIGHT = 640, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 150, 40, 50
_COLOURS = ("#1f6feb", "#b35900", "#5a5a5a", "#1a7f37")
# Colour is never the only indicator: each series has a mark of its own.
_MARKS = (
    '<circle cx="{x}" cy="{y}" r="4"/>',
    '<path d="M{x} {y}m-5 4h10l-5-9z"/>',
    '<path d="M{x} {y}m-4-4h8v8h-8z"/>',
    '<path d="M{x} {y}m0-6l6 6l-6 6l-6-6z"/>',
)


@dataclass(frozen=True, slots=True)
class Axis:
    """Whole decades around the values, and the pixels of the first and the last one."""

    first: int
    last: int
    begins: float
    ends: float

    @classmethod
    def around(cls, values: Sequence[float], begins: float, ends: float) -> "Axis":
        """Return the axis that shows all values, which are above 0."""
        first, last = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
        return cls(first, max(last, first + 1), begins, ends)

    def at(self, value: float) -> float:
        """Return the pixel of a value."""
        share = (math.log10(value) - self.first) / (self.last - self.first)
        return round(self.begins + share * (self.ends - self.begins), 1)

    @property
    def decades(self) -> list[float]:
        """Return the values with a line."""
        return [10.0**power for power in range(self.first, self.last + 1)]


def chart(title: str, across: str, up: str, series: Mapping[str, Points]) -> str:
    """Return the SVG of the series by name; points without a place on a logarithmic axis are left out."""
    shown = {name: sorted(p for p in points if min(p) > 0) for name, points in series.items()}
    shown = {name: points for name, points in shown.items() if points}
    every = [point for points in shown.values() for point in points]
    if not every:
        raise ValueError(f"no figure above 0 for the chart {title!r}")
    x = Axis.around([point[0] for point in every], _LEFT, _WIDTH - _RIGHT)
    y = Axis.around([point[1] for point in every], _HEIGHT - _BOTTOM, _TOP)
    lines = [
        f'<svg xmlns="{_SVG}" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" font-size="12">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>',
        _text(_LEFT, _TOP - 16, title, "start", size=14),
        *_grid(x, y),
        _text((x.begins + x.ends) / 2, _HEIGHT - 12, across, "middle"),
        _text(18, (y.begins + y.ends) / 2, up, "middle"),
    ]
    for number, (name, points) in enumerate(shown.items()):
        lines += _series(number, name, [(x.at(a), y.at(b)) for a, b in points])
    return "\n".join([*lines, "</svg>", ""])


def _grid(x: Axis, y: Axis) -> Iterator[str]:
    for value in x.decades:
        at = x.at(value)
        yield f'<path d="M{at} {y.begins}V{y.ends}" stroke="#d0d0d0"/>'
        yield _text(at, y.begins + 16, f"{value:,g}", "middle")
    for value in y.decades:
        at = y.at(value)
        yield f'<path d="M{x.begins} {at}H{x.ends}" stroke="#d0d0d0"/>'
        yield _text(x.begins - 8, at + 4, f"{value:,g}", "end")


def _series(number: int, name: str, points: Points) -> Iterator[str]:
    colour, mark = _COLOURS[number % len(_COLOURS)], _MARKS[number % len(_MARKS)]
    path = "L".join(f"{a} {b}" for a, b in points)
    yield f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
    key = (_WIDTH - _RIGHT + 20, _TOP + 10 + 20 * number)
    marks = "".join(mark.format(x=a, y=b) for a, b in [*points, key])
    yield f'<g fill="{colour}">{marks}</g>'
    yield _text(key[0] + 12, key[1] + 4, name, "start")


def _text(x: float, y: float, text: str, anchor: str, size: int = 12) -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" font-size="{size}">{escape(text)}</text>'
