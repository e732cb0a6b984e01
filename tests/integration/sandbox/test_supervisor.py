"""What ends is started again, unless its state is lost or it was stopped; and it is counted."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from sandbox import process, supervisor
from sandbox.layout import Layout
from sandbox.process import Running
from sandbox.show import details
from sandbox.status import observe
from sandbox.supervisor.watch import Watch
from tests.waiting import eventually

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
BRIEF = [sys.executable, "-c", "print('no disk')"]


@pytest.fixture
def layout(tmp_path: Path) -> Iterator[Layout]:
    layout = Layout.ephemeral(tmp_path)
    layout.save()
    yield layout
    process.stop(layout, supervisor.NAME)
    for name in process.wanted(layout):
        process.stop(layout, name, grace_s=0)


@pytest.fixture
def supervised(layout: Layout) -> Layout:
    command = [sys.executable, "-m", "sandbox.supervisor", "--dir", str(layout.directory)]
    process.start(layout, supervisor.NAME, command)
    return layout


def kill(running: Running) -> None:
    os.kill(running.pid, signal.SIGKILL)


def again(layout: Layout, before: Running) -> bool:
    now = process.find(layout, before.name)
    return now is not None and now != before


@pytest.mark.parametrize(
    "name", ["nodes", "dataplane", "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"]
)
def test_c1_a_killed_process_comes_back_as_it_was_started(supervised: Layout, name: str) -> None:
    environment = {"PATH": os.environ["PATH"], "MARK": name}
    started = process.start(supervised, name, SLEEP, environment)

    kill(started)

    eventually(lambda: again(supervised, started), 15)
    back = process.find(supervised, name)
    assert back
    command = Path(f"/proc/{back.pid}/cmdline")
    if command.exists():
        assert command.read_text().split("\0")[:-1] == SLEEP
        assert f"MARK={name}" in Path(f"/proc/{back.pid}/environ").read_text().split("\0")
    eventually(lambda: supervisor.incidents(supervised)[name].restarts == 1, 5)
    status = observe(supervised, {})
    assert status.to_json()["incidents"][name]["restarts"] == 1
    assert f"{name} was restarted once" in details(status)


def test_c1_a_cloud_whose_state_was_memory_is_reported_and_not_started_empty(supervised: Layout) -> None:
    cloud = process.start(supervised, "cloud", SLEEP)
    other = process.start(supervised, "nodes", SLEEP)

    kill(cloud)
    eventually(lambda: "cloud" in supervisor.incidents(supervised), 10)
    kill(other)
    eventually(lambda: again(supervised, other), 10)

    assert process.find(supervised, "cloud") is None
    status = observe(supervised, {})
    assert status.to_json()["incidents"]["cloud"]["lost"] is True
    assert "cloud" in status.missing
    (line,) = [line for line in details(status).splitlines() if line.startswith("cloud ended at ")]
    assert line.endswith("and its state is lost; `make up` creates a fresh sandbox")


def test_c1_what_is_stopped_stays_stopped(supervised: Layout) -> None:
    process.start(supervised, "dataplane", SLEEP)
    other = process.start(supervised, "nodes", SLEEP)

    process.stop(supervised, "dataplane")
    kill(other)
    eventually(lambda: again(supervised, other), 10)

    assert process.find(supervised, "dataplane") is None
    assert "dataplane" not in supervisor.incidents(supervised)


def test_c1_a_process_that_ends_again_and_again_is_waited_for_longer_each_time(layout: Layout) -> None:
    now = 0.0
    watch = Watch(layout, clock=lambda: now)
    process.start(layout, "dataplane", BRIEF)
    starts = []
    while now < 120:
        eventually(lambda: process.find(layout, "dataplane") is None, 10, every=0.02)
        before = supervisor.incidents(layout).get("dataplane")
        watch.look()
        if (after := supervisor.incidents(layout)["dataplane"]) != before and before:
            starts += [now] * (after.restarts - before.restarts)
        now += 0.5
    pauses = [later - sooner for sooner, later in pairwise(starts)]
    assert pauses == sorted(pauses)
    assert 20 <= pauses[-1] <= 35
    assert len(starts) < 12


def test_c1_a_supervisor_that_does_not_run_is_reported_with_the_cure(layout: Layout) -> None:
    process.start(layout, "dataplane", SLEEP)
    status = observe(layout, {})
    assert status.to_json()["supervised"] is False
    assert "supervisor: not running, no process is restarted; run `make up`" in details(status)


def test_c1_a_supervisor_takes_over_what_an_earlier_one_noted(layout: Layout) -> None:
    started = process.start(layout, "dataplane", SLEEP)
    first = Watch(layout, clock=lambda: 0.0)
    kill(started)
    eventually(lambda: process.find(layout, "dataplane") is None, 5)
    first.look()

    after = iter([0.0] * 4 + [100.0] * 8)
    second = Watch(layout, clock=lambda: next(after))
    second.look()
    second.look()

    assert supervisor.incidents(layout)["dataplane"].restarts == 1


def test_c1_the_record_of_a_start_is_its_owners_alone(layout: Layout) -> None:
    process.start(layout, "dataplane", SLEEP, {"SECRET": "x"})
    (record,) = layout.run.glob("dataplane*.json")
    assert record.stat().st_mode & 0o077 == 0
    listed = subprocess.run(["ls", layout.run], capture_output=True, text=True, check=True).stdout.split()
    assert sorted(listed) == ["dataplane.pid", "dataplane.start.json"]
