"""The `sandbox` command where a sandbox is down or half dead: one line, at once."""

import os
import subprocess
import sys
from pathlib import Path

from sandbox import process
from sandbox.layout import Layout


def sandbox(layout: Layout, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sandbox", *words],
        env=os.environ | {"SANDBOX_DIR": str(layout.directory)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_command_in_a_half_dead_sandbox_names_what_does_not_run(tmp_path: Path) -> None:
    layout = Layout.ephemeral(tmp_path)
    layout.save()
    for name in ("etcd", "nodes", "nlb"):
        process.start(layout, name, ["sleep", "60"])
    try:
        said = sandbox(layout, "node", "kill", "node-1")
        status = sandbox(layout, "status")
    finally:
        for name in ("etcd", "nodes", "nlb"):
            process.stop(layout, name)
    missing = "cloud, kube-apiserver, kube-controller-manager, kube-scheduler"
    assert said.stderr == f"error: not running: {missing}; `make up` mends it\n"
    assert said.returncode == 1
    assert status.stdout.startswith(f"not running: {missing};")


def test_status_of_a_sandbox_that_is_down_says_so(tmp_path: Path) -> None:
    said = sandbox(Layout(directory=tmp_path), "status")
    assert (said.returncode, said.stdout) == (0, "nothing is up here: `make up` starts a sandbox\n")
    for words in (("node", "add"), ("down",)):
        said = sandbox(Layout(directory=tmp_path), *words)
        assert said.returncode == 1
        assert said.stderr == "error: nothing is up here: `make up` starts a sandbox\n"


def test_a_directory_that_cannot_be_made_is_named_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said = sandbox(Layout(directory=tmp_path / "file"), "up")
    assert said.returncode == 1
    assert said.stderr == (
        f"error: {tmp_path / 'file'} cannot be written (File exists): make it writable, or set SANDBOX_DIR\n"
    )
