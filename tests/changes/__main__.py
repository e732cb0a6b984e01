"""Measure every row, or those whose names contain a word, and write docs/changes.md."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.changes import table
from tests.changes.measure import measure, settled
from tests.changes.rows import ROWS
from tests.changes.stand import Stand
from tests.e2e.driver import ROOT, Sandbox


def main(words: list[str]) -> None:
    """Bring a sandbox up, measure, take it down; each row is written when it is measured."""
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder) / "sandbox"
        environment = os.environ | {"SANDBOX_DIR": str(directory)}
        sandbox = Sandbox(directory, environment)
        try:
            sandbox.make("up")
            stand = Stand(sandbox, Path(folder) / "Pulumi.dev.yaml")
            settled(stand)
            rows = table.written()
            for row in ROWS:
                if words and not any(word in row.name for word in words):
                    continue
                outcome, seconds = measure(stand, row)
                sys.stdout.write(f"{row.name}: {' | '.join(outcome.cells)} ({seconds:.0f} s)\n")
                sys.stdout.flush()
                rows[row.name] = outcome.cells
                table.write({each.name: rows[each.name] for each in ROWS if each.name in rows})
        finally:
            down = [str(ROOT / ".venv/bin/sandbox"), "down", "--force"]
            subprocess.run(down, cwd=ROOT, env=environment, check=False)


if __name__ == "__main__":
    main(sys.argv[1:])
