"""The figures as a Markdown table for people and as JSON for programs."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.flags import Options
from bench.measures import Known, Measure, better_peer, met, ratios

Found = Mapping[str, Mapping[str, Known]]
"""What was found, by contender and row."""
_NOTHING = "-"
_HUNDRED = 100


@dataclass(frozen=True, slots=True)
class Machine:
    """The measuring machine; `load` is the one-minute load average at construction."""

    cores: int = field(default_factory=lambda: os.cpu_count() or 1)
    load: float = field(default_factory=lambda: os.getloadavg()[0])


def markdown(measures: Sequence[Measure], found: Found) -> str:
    """Return a line per measure; ✓ where every goal is met, ✗ otherwise."""
    contenders = list(found)
    peers = list(measures[0].peers)
    columns = [column for name in contenders for column in (name, f"{name} ÷ better peer")]
    rows = [["measure", "goal", *columns, *(f"{peer} *" for peer in peers)]]
    for row in measures:
        cells = [cell for name in contenders for cell in _cells(row, name, found)]
        recorded = [figure(row, row.peers[peer]) for peer in peers]
        rows.append([row.title, figure(row, row.goal), *cells, *recorded])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [_line(row, widths) for row in rows]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def document(measures: Sequence[Measure], found: Found, options: Options, machine: Machine) -> dict[str, Any]:
    """Return the conditions, and an object per measure: goal, peers; figures, ratios, `met` by contender."""
    rows = [
        {
            "row": each.name,
            "measure": each.title,
            "parts": [{"name": part.name, "unit": part.unit} for part in each.parts],
            "goal": _plain(each.goal),
            "peers": {name: _plain(peer) for name, peer in each.peers.items()},
            "contenders": {
                name: {**_plain(rows[each.name]), **_compared(each, rows[each.name], name, found)}
                for name, rows in found.items()
                if each.name in rows
            },
        }
        for each in measures
    ]
    how = {"nodes": options.nodes, "quick": options.quick, "limited": options.limited}
    return {**how, "cores": machine.cores, "load_before": machine.load, "rows": rows}


def legend(options: Options, machine: Machine) -> list[str]:
    """Return the notes below the table, a line per note."""
    lines = [
        "* measured on another day, on another machine of the same kind.",
        "✓ keeps the goal, ✗ does not; ÷ is the figure here over that of the better peer.",
        f"{machine.cores} cores, with a load of {machine.load:.1f} before the bench began.",
    ]
    if options.nodes is not None:
        lines.append(f"With {options.nodes} nodes in every row, whatever the row says.")
    if options.quick:
        lines.append("With short waits and few events: not to be quoted.")
    if not options.limited:
        lines.append("Without AWS's limit on writes.")
    return lines


def figure(row: Measure, known: Known) -> str:
    """Format a figure: the numbers with their units, and the remark."""
    pairs = list(zip(row.parts, known.values, strict=False))
    units = {part.unit for part, value in pairs if value is not None}
    if len(units) == 1:
        text = " / ".join(_number(value) for _, value in pairs if value is not None) + f" {units.pop()}"
    else:
        text = ", ".join(f"{_number(value)} {part.unit}" for part, value in pairs if value is not None)
    return f"{text} ({known.said})" if text and known.said else text or known.said or _NOTHING


def _cells(row: Measure, name: str, found: Found) -> tuple[str, str]:
    here = found[name].get(row.name)
    if here is None:
        return _NOTHING, _NOTHING
    kept = {True: " ✓", False: " ✗", None: ""}[met(row, here)]
    compared = _compared(row, here, name, found)
    shares = [_NOTHING if share is None else f"{share:.2f}" for share in compared["ratios"]]
    peer = compared["better_peer"]
    told = any(share != _NOTHING for share in shares)
    return figure(row, here) + kept, f"{' / '.join(shares)} ({peer})" if told else _NOTHING


def _compared(row: Measure, here: Known, name: str, found: Found) -> dict[str, Any]:
    """Compare with the better peer; for a peer measured in this run, today's figures count."""
    today = {peer: found[peer][row.name] for peer in row.peers if row.name in found.get(peer, {})}
    best = better_peer({peer: known for peer, known in {**row.peers, **today}.items() if peer != name})
    if best is None:
        return {"better_peer": None, "ratios": [], "met": met(row, here)}
    return {"better_peer": best[0], "ratios": list(ratios(row, here, best[1])), "met": met(row, here)}


def _number(value: float) -> str:
    if value == int(value) or abs(value) >= _HUNDRED:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) < 1 else f"{value:.1f}"


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"


def _plain(known: Known) -> dict[str, Any]:
    return {"values": list(known.values), "said": known.said}
