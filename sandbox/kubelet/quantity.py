"""Kubernetes quantities (`250m`, `200Mi`) for resourceFieldRef."""

import re
from fractions import Fraction

_FORM = re.compile(r"^(?P<number>[+-]?\d+(\.\d*)?|[+-]?\.\d+)(?P<unit>[numkMGTPE]?|[KMGTPE]i|[eE][+-]?\d+)$")
# k8s.io/apimachinery pkg/api/resource: decimal and binary suffixes.
_UNITS = {
    "": Fraction(1),
    "n": Fraction(1, 10**9),
    "u": Fraction(1, 10**6),
    "m": Fraction(1, 1000),
    **{letter: Fraction(1000**power) for power, letter in enumerate("kMGTPE", start=1)},
    **{f"{letter}i": Fraction(1024**power) for power, letter in enumerate("KMGTPE", start=1)},
}


def parse(text: str) -> Fraction:
    """Return the exact value of a quantity. Raises ValueError."""
    match = _FORM.match(text)
    if not match:
        raise ValueError(f"not a quantity: {text!r}")
    unit = match["unit"]
    factor = Fraction(10) ** int(unit[1:]) if unit[:1] in {"e", "E"} and len(unit) > 1 else _UNITS[unit]
    return Fraction(match["number"]) * factor


def in_units_of(text: str, divisor: str) -> int:
    """Return `text` in units of `divisor`, rounded up, as the kubelet does for a container."""
    return -((-parse(text)) // (parse(divisor) or 1))
