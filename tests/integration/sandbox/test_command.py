"""The `sandbox` command where a sandbox is down or half dead: one line, at once."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox import process
from sandbox.kubelet.runtimes import Command
from sandbox.kubelet.spawn import spawn
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
    for name in ("etcd", "nodes", "dataplane"):
        process.start(layout, name, ["sleep", "60"])
    try:
        said = sandbox(layout, "node", "kill", "node-1")
        status = sandbox(layout, "status")
    finally:
        for name in ("etcd", "nodes", "dataplane"):
            process.stop(layout, name)
    missing = "cloud, kube-apiserver, kube-controller-manager, kube-scheduler"
    assert said.stderr == f"error: not running: {missing}; run `make up`\n"
    assert said.returncode == 1
    assert status.stdout.startswith(f"not running: {missing};")


def test_status_of_a_sandbox_that_is_down_says_so(tmp_path: Path) -> None:
    said = sandbox(Layout(directory=tmp_path), "status")
    assert (said.returncode, said.stdout) == (0, "no sandbox is running here; run `make up`\n")
    for words in (("node", "add"), ("down",)):
        said = sandbox(Layout(directory=tmp_path), *words)
        assert said.returncode == 1
        assert said.stderr == "error: no sandbox is running here; run `make up`\n"


def test_a_question_is_asked_in_the_environment_of_the_syncers_pod(tmp_path: Path) -> None:
    layout = Layout.ephemeral(tmp_path)
    layout.save()
    pod = layout.pods / "ingress_nlb-sync_1"
    root = pod / "root"
    root.mkdir(parents=True)

    async def story() -> tuple[subprocess.CompletedProcess[str], subprocess.CompletedProcess[str]]:
        environment = {"PATH": os.environ["PATH"], "NLB_SYNC_TARGET_GROUPS": "nonsense"}
        command = Command(words=["sleep", "60"], env=environment, directory=root)
        container = await spawn(command, pod / "nlb-sync.log", pod / "nlb-sync.pid")
        asked = await asyncio.to_thread(sandbox, layout, "ask", "explain", "--json", "node-1")
        container.signal(signal.SIGKILL)
        await container.wait()
        return asked, await asyncio.to_thread(sandbox, layout, "ask", "status")

    asked, after = asyncio.run(story())
    assert asked.returncode == 2
    assert asked.stderr.startswith("NLB_SYNC_TARGET_GROUPS is 'nonsense'")
    assert after.returncode == 1
    assert after.stderr == "error: no running Pod of the syncer; run `sandbox status`\n"
    assert list(pod.glob("*.json")) == []


def test_a_directory_that_cannot_be_made_is_named_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said = sandbox(Layout(directory=tmp_path / "file"), "up")
    assert said.returncode == 1
    assert said.stderr == (
        f"error: {tmp_path / 'file'} cannot be written (File exists); make it writable, or set SANDBOX_DIR\n"
    )


def present(directory: Path) -> Layout:
    """A sandbox that is up as far as `sandbox shell` needs it."""
    layout = Layout.ephemeral(directory)
    layout.save()
    layout.run.mkdir()
    return layout


@pytest.mark.toolchain
def test_n3_one_quoted_word_is_a_command_line_as_for_bash_c(tmp_path: Path) -> None:
    layout = present(tmp_path)
    for words in (["echo $PULUMI_STACK | tr a-z A-Z"], ["--", "echo $PULUMI_STACK | tr a-z A-Z"]):
        said = sandbox(layout, "shell", *words)
        assert (said.returncode, said.stdout, said.stderr) == (0, "DEV\n", "")
    assert sandbox(layout, "shell", "pulumi version").stdout.startswith("v3.")
    assert sandbox(layout, "shell", "true && exit 7").returncode == 7
    assert sandbox(layout, "shell", "if [[ a == a ]]; then echo 'two  words'; fi").stdout == "two  words\n"
    assert sandbox(layout, "shell", "").returncode == 0
    said = sandbox(layout, "shell", "no-such-program --flag")
    assert said.returncode == 127
    assert "no-such-program" in said.stderr


@pytest.mark.toolchain
def test_n3_several_words_are_a_program_and_its_arguments_untouched(tmp_path: Path) -> None:
    layout = present(tmp_path)
    words = ["a b", "$HOME", "*", "--help", "--debug", "-x", "--"]
    for before in ([], ["--"]):
        said = sandbox(layout, "shell", *before, "printf", "%s|", *words)
        assert (said.returncode, said.stdout) == (0, "a b|$HOME|*|--help|--debug|-x|--|")
    said = sandbox(layout, "shell", "no-such-program", "--flag")
    assert said.returncode == 127
    assert said.stderr == (
        "error: cannot run the command: no-such-program (No such file or directory); check its name\n"
    )
    said = sandbox(layout, "shell", "/", "argument")
    assert said.returncode == 126
    assert said.stderr == "error: cannot run the command: / (Permission denied); check its name\n"


@pytest.mark.toolchain
def test_n2_the_shell_knows_where_this_sandboxs_aws_and_cluster_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = present(tmp_path)
    monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", "http://127.0.0.1:1")
    said = sandbox(layout, "shell", "echo $AWS_ENDPOINT_URL $AWS_ENDPOINT_URL_EC2 $KUBECONFIG")
    assert said.stdout == f"{layout.aws_url} {layout.kubeconfig}\n"


def test_n1_a_sandbox_that_is_down_has_ports_and_is_still_down(tmp_path: Path) -> None:
    layout = present(tmp_path)
    layout.clear()
    assert (tmp_path / "layout.json").exists()
    for words in (("down",), ("node", "add"), ("shell", "true")):
        said = sandbox(layout, *words)
        assert said.returncode == 1
        assert said.stderr == "error: no sandbox is running here; run `make up`\n"
