"""The bench measures the real syncer with few nodes: its figures are there, and could be true."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.toolchain

NAIVE = Path(__file__).with_name("naive.py")


def bench(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bench", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)


def figures(said: str, contender: str) -> dict[str, Any]:
    return {each["row"]: each["contenders"][contender] for each in json.loads(said)["rows"]}


def test_the_syncers_rows_have_figures_that_can_be_true() -> None:
    rows = ["memory-0", "start-1000", "ready", "delete", "stale", "not-ready", "cpu"]
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
    assert 0 <= found["cpu"]["values"][0] < 60


def test_the_rows_of_large_clusters_and_many_groups_have_figures_that_can_be_true() -> None:
    rows = ["ready-5000", "taint-5000", "groups-10", "churn"]
    done = bench(*rows, "--nodes", "20", "--quick", "--json")
    assert done.returncode == 0, done.stderr
    found = figures(done.stdout, "syncer")
    for row in ("ready-5000", "taint-5000"):
        median, p95, cpu = found[row]["values"]
        assert 0 < median <= p95 < 10_000
        assert 0 <= cpu < 10_000
    *times, cpu = found["groups-10"]["values"]
    assert len(times) == 4
    assert all(0 < each < 20_000 for each in times)
    median, p95 = found["churn"]["values"]
    assert 0 < median <= p95 < 10_000
    assert found["churn"]["said"].startswith("CPU ")


def test_events_at_the_fake_api_server_have_figures_that_can_be_true() -> None:
    rows = ["ready-20000", "taint-20000", "ready-100000", "taint-100000", "taint-limit"]
    done = bench(*rows, "--nodes", "20", "--quick", "--json")
    assert done.returncode == 0, done.stderr
    found = figures(done.stdout, "syncer")
    for row in rows:
        median, p95, cpu = found[row]["values"]
        assert 0 < median <= p95 < 10_000
        assert 0 <= cpu < 10_000


def test_starts_and_status_at_the_fake_api_server_have_figures_that_can_be_true() -> None:
    rows = ["fill-5000", "fill-20000", "limit", "selector", "status-20000"]
    done = bench(*rows, "--nodes", "20", "--quick", "--json")
    assert done.returncode == 0, done.stderr
    found = figures(done.stdout, "syncer")
    for row in ("fill-5000", "fill-20000"):
        cpu, seconds = found[row]["values"]
        assert 0 < cpu < 60
        assert 0 < seconds < 120
    for row in ("limit", "selector"):
        memory, first, cpu = found[row]["values"]
        assert 20 < memory < 500
        assert 0 < first < 60
        assert 0 <= cpu < 60
    size, fetched, lag = found["status-20000"]["values"]
    assert 0.001 < size < 1
    assert 0 < fetched < 10_000
    assert 0 <= lag < 10_000


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


def test_any_command_that_finds_its_world_in_the_environment_is_measured() -> None:
    done = bench(
        "start-1000", "memory-1000", "taint", "--nodes", "6", "--quick", "--json", "--no-syncer",
        "--contender", f"predecessor={sys.executable} {NAIVE}",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = figures(done.stdout, "predecessor")
    assert found["start-1000"]["values"][1] == 12
    assert found["start-1000"]["better_peer"] == "controller"
    assert found["memory-1000"]["values"][0] > 10
    assert found["taint"] == {**found["taint"], "values": [], "met": False}


def test_ctrl_c_prints_what_was_measured_and_leaves_nothing(tmp_path: Path) -> None:
    running = subprocess.Popen(
        [sys.executable, "-m", "bench", "memory-0", "ready", "--nodes", "6", "--quick"],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Whoever starts the tests in the background has SIGINT ignored, and so would the bench.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    )
    assert running.stderr is not None
    for line in running.stderr:
        if "  memory-0: " in line:
            break
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=60)
    assert running.returncode == 130, line + err + out
    assert "memory at 0 nodes" in out
    assert "turns Ready" not in out
    assert "Traceback" not in err
    left = [path.parent.name for path in Path("/proc").glob("[0-9]*/environ") if mentions(path, tmp_path)]
    assert left == []
    assert list(tmp_path.iterdir()) == []


def mentions(environment: Path, directory: Path) -> bool:
    try:
        return str(directory).encode() in environment.read_bytes()
    except OSError:
        return False  # it has ended meanwhile
