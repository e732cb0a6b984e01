"""Measure every row, or those whose names contain a word, and write docs/changes.md."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from tests.changes import table
from tests.changes.measure import measure, settled
from tests.changes.rows import ROWS
from tests.changes.stand import Stand
from tests.e2e.driver import ROOT, Sandbox

_RUNNING: Final = "CHANGES_SANDBOX"  # the directory of a running sandbox, fresh from `make up`


def main(words: list[str]) -> None:
    """Bring a sandbox up, measure, take it down; each row is written when it is measured."""
    running = os.environ.get(_RUNNING)
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(running) if running else Path(folder) / "sandbox"
        environment = os.environ | {"SANDBOX_DIR": str(directory), "SANDBOX_IMAGE": ""}
        sandbox = Sandbox(directory, environment)
        try:
            if not running:
                sandbox.make("up")
            stand = Stand(sandbox, Path(folder) / "project")
            settled(stand)
            _measure(stand, words)
        finally:
            if not running:
                down = [str(ROOT / ".venv/bin/sandbox"), "down", "--force"]
                subprocess.run(down, cwd=ROOT, env=environment, check=False)


def _measure(stand: Stand, words: list[str]) -> None:
    rows, began = table.written(), time.monotonic()
    for row in ROWS:
        if words and not any(word in row.name for word in words):
            continue
        try:
            outcome, seconds = measure(stand, row)
        except Exception as error:  # noqa: BLE001  (the other rows are measured)
            _say(f"FAILED {row.name}: {type(error).__name__} {str(error)[-6000:]}")
            continue
        _say(f"{row.name}: {' | '.join(outcome.cells)} ({seconds:.0f} s; {outcome.detail})")
        rows[row.name] = outcome.cells
        table.write({each.name: rows[each.name] for each in ROWS if each.name in rows})
    _say(f"{time.monotonic() - began:.0f} s")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
