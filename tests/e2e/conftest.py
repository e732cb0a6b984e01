"""A sandbox for each file of end-to-end tests: brought up by `make up`, taken down after the last test."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.driver import ROOT, Sandbox, files_of_the_clone


@pytest.fixture(scope="module")  # an idle sandbox takes a quarter of a core
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    yield from made(tmp_path_factory.mktemp("e2e") / "sandbox")


def made(directory: Path) -> Iterator[Sandbox]:
    """A sandbox in `directory` for the duration of a fixture."""
    environment = os.environ | {"SANDBOX_DIR": str(directory)}
    found = Sandbox(directory, environment)
    found.said["files before"] = files_of_the_clone()
    try:
        found.said["up"] = found.make("up")
        yield found
    finally:
        subprocess.run(
            [str(ROOT / ".venv/bin/sandbox"), "down", "--force"],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            timeout=550,
            check=False,
        )
