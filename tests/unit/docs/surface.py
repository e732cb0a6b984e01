"""The public surface of the syncer: names that users' dashboards, scripts and manifests depend on.

`python -m tests.unit.docs.surface` records the present surface in surface.json. A removed or renamed entry
needs a line in CHANGELOG.md under Changed or Removed.
"""

import argparse
import asyncio
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from syncer.commands.cli import _parser
from syncer.commands.printing import Exit
from syncer.config.variables import TABLE
from syncer.decide.answers import explained, planned
from syncer.decide.evaluate import RULES
from syncer.model import TargetState, Why
from syncer.telemetry.metrics import _State
from tests.simulation.cluster import node
from tests.simulation.virtual import run_virtually
from tests.simulation.world import World

EVENTS: Final = Path(__file__).parents[3] / "docs/events.md"
RECORD: Final = Path(__file__).with_name("surface.json")


def surface() -> dict[str, Any]:
    """Each kind of name, sorted."""
    metrics, status, plans, verdicts = run_virtually(_simulated())
    return {
        "commands": dict(sorted(_commands(_parser()))),
        "events": sorted(_events(EVENTS.read_text())),
        "exit codes": {each.name: each.value for each in Exit},
        "holds": sorted(why.value for why in Why),
        "metrics": metrics,
        "explain --json": verdicts,
        "plan --json": plans,
        "settings": {row.name: row.default for row in TABLE},
        "status": status,
        "target states": sorted(state.value for state in TargetState),
        "verdict reasons": [rule.code for rule in RULES],
    }


def _events(page: str) -> Iterator[str]:
    """The reasons in the first column of the table; another test compares the page with the code."""
    for cell in re.findall(r"^\| (`[^|]+) \|", page, re.MULTILINE):
        yield from re.findall(r"`(\w+)`", cell)


def _commands(parser: argparse.ArgumentParser) -> Iterator[tuple[str, list[str]]]:
    """Each command with its flags and positional arguments."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, command in action.choices.items():
                shown = [flag for each in command._actions for flag in each.option_strings or [each.dest]]
                yield name, sorted(shown)


async def _simulated() -> tuple[dict[str, list[str]], list[str], list[str], list[str]]:
    """Metrics with their labels, and the JSON paths of the answers, of a world with each kind of entry."""
    world = World()
    replica = world.replica()
    world.join("a", "b", "c")
    await asyncio.sleep(60)
    world.cluster.put(node("d", ""))
    for name in ("a", "b", "c"):
        world.cluster.delete(name)  # no node announces it, so the last target is held
    await asyncio.sleep(5)
    families = {
        family.name: sorted({label for sample in family.samples for label in sample.labels})
        for family in _State(replica.observe(), replica.counters).collect()
    }
    status = sorted(set(_paths(replica.status())))
    plans = [group.plan for group in replica.controller.groups if group.plan]
    verdicts = replica.controller.desired_state.verdicts()
    found = families, status, sorted(set(_paths(planned(plans)))), sorted(set(_paths(explained(verdicts))))
    await replica.stop()
    return found


def _paths(value: Any, path: str = "") -> Iterator[str]:
    """The path of each member of a JSON value; entries of a list share the path with []."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _paths(each, f"{path}.{key}" if path else str(key))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for each in value:
            yield from _paths(each, f"{path}[]")
    else:
        yield path


if __name__ == "__main__":
    RECORD.write_text(json.dumps(surface(), indent=2) + "\n")
    sys.stdout.write(f"{RECORD}\n")
