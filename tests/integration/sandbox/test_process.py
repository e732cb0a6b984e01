import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import process
from sandbox.layout import Layout
from sandbox.process import ProcessError
from tests.waiting import eventually

SLEEP = [sys.executable, "-c", "import time; print('here', flush=True); time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-c",
    "from signal import *; import time; signal(SIGTERM, SIG_IGN); print('here', flush=True); time.sleep(60)",
]


@pytest.fixture
def layout(tmp_path: Path) -> Iterator[Layout]:
    layout = Layout(directory=tmp_path)
    yield layout
    for each in process.running(layout):
        process.stop(layout, each.name, grace_s=0)


def said(layout: Layout, name: str) -> bool:
    return "here" in (layout.logs / f"{name}.log").read_text()


def test_a_started_process_is_found_until_it_is_stopped(layout: Layout) -> None:
    started = process.start(layout, "sleeper", SLEEP)
    assert process.find(layout, "sleeper") == started
    assert process.running(layout) == [started]
    process.stop(layout, "sleeper")
    assert process.find(layout, "sleeper") is None
    assert not (layout.run / "sleeper.pid").exists()


def test_a_process_that_ignores_sigterm_is_killed_after_its_grace(layout: Layout) -> None:
    process.start(layout, "stubborn", STUBBORN)
    eventually(lambda: said(layout, "stubborn"), within=10)
    process.stop(layout, "stubborn", grace_s=0.2)
    assert process.find(layout, "stubborn") is None


def test_a_killed_process_is_not_found_although_its_pid_file_is_there(layout: Layout) -> None:
    started = process.start(layout, "sleeper", SLEEP)
    os.kill(started.pid, signal.SIGKILL)
    eventually(lambda: process.find(layout, "sleeper") is None, within=5)
    assert (layout.run / "sleeper.pid").exists()


def test_another_program_that_got_the_pid_is_neither_found_nor_stopped(layout: Layout) -> None:
    layout.run.mkdir(parents=True)
    (layout.run / "gone.pid").write_text(f"{os.getpid()} 1\n")
    assert process.find(layout, "gone") is None
    process.stop(layout, "gone")  # it would end this very test
    assert not (layout.run / "gone.pid").exists()


def test_ctrl_c_in_the_callers_terminal_does_not_reach_a_process(layout: Layout) -> None:
    started = process.start(layout, "sleeper", SLEEP)
    assert os.getsid(started.pid) == started.pid


def test_a_process_that_ends_while_starting_is_an_error_with_its_last_words(layout: Layout) -> None:
    started = process.start(layout, "brief", [sys.executable, "-c", "print('no disk')"])
    with pytest.raises(ProcessError, match=r"^brief stopped while starting: no disk \(see .*brief\.log\)$"):
        process.wait_until(lambda: False, started, layout, timeout_s=10)


def test_a_process_that_is_never_ready_is_an_error_that_says_how_long_it_was_waited_for(
    layout: Layout,
) -> None:
    started = process.start(layout, "sleeper", SLEEP)
    eventually(lambda: said(layout, "sleeper"), within=10)
    with pytest.raises(ProcessError, match=r"^sleeper was not ready after 0 s: here"):
        process.wait_until(lambda: False, started, layout, timeout_s=0.1)


def test_a_program_that_the_system_cannot_run_is_named(layout: Layout, tmp_path: Path) -> None:
    damaged = tmp_path / "etcd"
    damaged.write_bytes(b"\x7fELF and no more")
    damaged.chmod(0o755)
    with pytest.raises(ProcessError, match=rf"^etcd cannot be started \(.+\); delete {damaged} and repeat"):
        process.start(layout, "etcd", [damaged])
