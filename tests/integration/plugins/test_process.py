"""A plugin process leaves when the engine is gone, however it went."""

import os
import subprocess
import sys
import time

import pytest

_LAUNCHER = """\
import subprocess, sys
plugin = subprocess.Popen([sys.executable, "-m", sys.argv[1]], stdout=subprocess.PIPE, text=True)
print(plugin.pid, plugin.stdout.readline().strip(), flush=True)
"""


@pytest.mark.parametrize("module", ["sandbox.plugins.language", "sandbox.plugins.kubernetes"])
def test_a_plugin_prints_its_port_first_and_does_not_outlive_its_parent(module: str) -> None:
    launched = subprocess.run(
        [sys.executable, "-c", _LAUNCHER, module], capture_output=True, text=True, check=True, timeout=30
    )
    pid, port = map(int, launched.stdout.split())

    assert port > 0
    deadline = time.monotonic() + 10
    while _runs(pid):
        assert time.monotonic() < deadline, f"process {pid} outlived its parent"
        time.sleep(0.05)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.strip() not in ("", "Z")
