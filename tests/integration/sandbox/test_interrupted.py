"""A killed `pulumi` leaves the lock of a process that is dead."""

import subprocess
import sys
from pathlib import Path

from sandbox.layout import Layout
from sandbox.stack import interrupted
from tests.unit.sandbox.test_stack import saved
from tests.waiting import eventually


def test_a_lock_of_a_process_that_is_dead_is_an_interrupted_run_collected_or_not(tmp_path: Path) -> None:
    killed = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    layout = saved(Layout(directory=tmp_path), {}, lock_of=killed.pid)
    assert not interrupted(layout)
    killed.kill()
    eventually(lambda: interrupted(layout), within=10)  # dead, and left as a zombie
    killed.communicate()
    assert interrupted(layout)
