"""What the supervisor notes of processes that ended: run/incidents.json, which `sandbox status` shows."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from sandbox.layout import Layout

NAME = "supervisor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """How often a process ended and was started again; `lost` where its state went with it and it was not.

    `last` is when it last ended, ISO 8601 in UTC.
    """

    restarts: int
    last: str
    lost: bool = False


def incidents(layout: Layout) -> dict[str, Incident]:
    """Each process that ended since the sandbox was brought up, by name."""
    try:
        found = json.loads(_file(layout).read_text())
    except (OSError, ValueError):
        return {}
    return {name: Incident(**one) for name, one in found.items()}


def write(layout: Layout, noted: Mapping[str, Incident]) -> None:
    """Replace what is noted, at once: `sandbox status` may be reading."""
    path = _file(layout)
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.write_text(json.dumps({name: asdict(one) for name, one in noted.items()}, indent=2) + "\n")
    new.replace(path)


def _file(layout: Layout) -> Path:
    return layout.run / "incidents.json"
