"""The bench measures the real syncer with few nodes: its figures are there, and could be true."""

import json
import subprocess
import sys
from typing import Any

import pytest

pytestmark = pytest.mark.toolchain


def bench(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bench", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)


def figures(said: str, contender: str) -> dict[str, Any]:
    return {each["row"]: each["contenders"][contender] for each in json.loads(said)}


def test_the_syncers_rows_have_figures_that_can_be_true() -> None:
    rows = ["memory-0", "start-1000", "ready", "delete", "stale", "not-ready"]
    done = bench(*rows, "--nodes", "10", "--quick", "--json")
    assert done.returncode == 0, done.stderr
    found = figures(done.stdout, "syncer")
    settled, peak = found["memory-0"]["values"]
    assert 20 < settled <= peak < 500
    seconds, calls = found["start-1000"]["values"]
    assert 0 < seconds < 120
    assert calls == 2
    for kind in ("ready", "delete"):
        median, p95 = found[kind]["values"]
        assert 0 < median <= p95 < 10_000
    assert found["ready"]["better_peer"] == "predecessor"
    assert 0 <= found["stale"]["values"][0] < 60
    assert found["not-ready"]["values"] == [100]


def test_a_contender_that_ends_is_told_with_what_it_said_and_spoils_nothing() -> None:
    done = bench(
        "start-1000", "--nodes", "2", "--quick", "--json", "--no-syncer",
        "--contender", "lazy=echo no config found in $BENCH_NAMESPACE; exit 3",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    row = figures(done.stdout, "lazy")["start-1000"]
    assert row["values"] == []
    assert row["said"].startswith("ended with exit code 3: no config found in lazy-")
    assert "Traceback" not in done.stderr
