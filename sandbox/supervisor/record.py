"""The supervisor's record of ended processes: run/incidents.json, shown by `sandbox status`."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from sandbox.layout import Layout

NAME = "supervisor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """The restarts of an ended process; `lost` if its state was lost and it was not restarted.

    `last` is the time of its last end, ISO 8601 in UTC.
    """

    restarts: int
    last: str
    lost: bool = False


def incidents(layout: Layout) -> dict[str, Incident]:
    """Return the processes that ended since the start of the sandbox, by name."""
    try:
        found = json.loads(_file(layout).read_text())
    except (OSError, ValueError):
        return {}
    return {name: Incident(**one) for name, one in found.items()}


def write(layout: Layout, noted: Mapping[str, Incident]) -> None:
    """Replace the record atomically: `sandbox status` may be reading."""
    path = _file(layout)
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.write_text(json.dumps({name: asdict(one) for name, one in noted.items()}, indent=2) + "\n")
    new.replace(path)


def _file(layout: Layout) -> Path:
    return layout.run / "incidents.json"
