"""Pods that run from the image: what holds for a process holds for a container, and it is closed in."""

import json
import os
import signal
import subprocess
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox import process
from sandbox.kubelet import spawn, unpacked_image
from sandbox.layout import Layout
from sandbox.up import choose_image
from tests.integration.nodes.processes import eventually, start
from tests.integration.nodes.test_pods import Namespace, container_status, namespace, server, uid

__all__ = ["namespace"]

pytestmark = [pytest.mark.toolchain, pytest.mark.timeout(1200)]

Json = dict[str, Any]

# What a container is, seen from inside.
INSIDE = textwrap.dedent("""
    import json, os, pathlib, sys
    account = "/var/run/secrets/kubernetes.io/serviceaccount/"
    def refused(path):
        try:
            pathlib.Path(path).write_text("x")
        except OSError as error:
            return error.strerror
    status = dict(line.split(":", 1) for line in open("/proc/self/status"))
    json.dump({
        "user": os.getuid(),
        "capabilities": status["CapBnd"].strip(),
        "new privileges": status["NoNewPrivs"].strip() == "0",
        "root": refused("/app/x"),
        "tmp": refused("/tmp/x"),
        "token": refused(account + "token"),
        "space": refused("/space/x"),
        "namespace": open(account + "namespace").read(),
        "hosts": open("/etc/hosts").readline(),
        "syncer": os.path.exists("/app/syncer/version.py"),
    }, sys.stdout)
""")


@pytest.fixture
def contained(image: str, namespace: Namespace) -> Iterator[Namespace]:
    """A namespace whose Pods run from the image."""
    layout = namespace.layout
    said = unpacked_image.choose(layout, image)
    assert said == f"containers of {image}, by runc"
    yield namespace
    unpacked_image.choose(layout, "")


def containers(layout: Layout) -> list[str]:
    done = subprocess.run(
        ["runc", "--root", str(layout.containers), "list", "--quiet"],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


def run_inside(layout: Layout, pod: Json, *words: str) -> str:
    command = next(each for each in spawn.running(layout) if f"{uid(pod)}-main" in each.inside)
    done = subprocess.run(
        [*command.inside, *words], env=dict(command.env), capture_output=True, text=True, check=True
    )
    return done.stdout


def test_a_container_has_what_its_pod_declares_and_no_rights(contained: Namespace) -> None:
    api, path = contained.api, contained.path
    api.create(f"{path}/secrets", {"metadata": {"name": "keys"}, "stringData": {"id": "AKIA"}})
    key = {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "id"}}}
    mounts = [{"name": "space", "mountPath": "/space"}]
    probe = {"exec": {"command": ["python", "-c", "import os; os._exit(os.getuid() != 65532)"]}}
    container = server(
        env=[key], volumeMounts=mounts, readinessProbe={**probe, "periodSeconds": 1, "timeoutSeconds": 5}
    )
    contained.deploy(container, pod={"volumes": [{"name": "space", "emptyDir": {}}]})

    pod = contained.ready_pod()
    assert container_status(pod)["containerID"].startswith("runc://")
    env = eventually(lambda: contained.ask(pod))["env"]
    assert (env["KEY"], env["POD_IP"], env["HOSTNAME"]) == (
        "AKIA",
        pod["status"]["podIP"],
        pod["metadata"]["name"],
    )
    assert env["PATH"].startswith("/app/bin:")
    assert "CONTAINER_SANDBOX_MOUNT_POINT" not in env
    assert json.loads(run_inside(contained.layout, pod, "python", "-c", INSIDE)) == {
        "user": 65532,
        "capabilities": "0" * 16,
        "new privileges": False,
        "root": "Read-only file system",
        "tmp": "Read-only file system",
        "token": "Read-only file system",
        "space": None,
        "namespace": contained.name,
        "hosts": "# Kubernetes-managed hosts file.\n",
        "syncer": True,
    }


def test_a_container_deaf_to_sigterm_is_killed_when_its_grace_is_over(contained: Namespace) -> None:
    contained.deploy(server(env=[{"name": "DEAF", "value": "1"}]), pod={"terminationGracePeriodSeconds": 1})
    pod = contained.ready_pod()
    eventually(lambda: f"{uid(pod)}-main" in containers(contained.layout))

    contained.api.delete(f"{contained.deployments}/app")

    eventually(lambda: f"{uid(pod)}-main" not in containers(contained.layout))


def test_a_container_outlives_no_runner_that_is_killed(contained: Namespace) -> None:
    layout = contained.layout
    contained.deploy()
    pod = contained.ready_pod()
    # A Pod without a readinessProbe is ready before its runtime has created the container.
    first = eventually(lambda: init_of(layout, f"{uid(pod)}-main"))
    running = process.find(layout, "nodes")
    assert running
    os.kill(running.pid, signal.SIGKILL)
    eventually(lambda: not process.started_at(running.pid))
    assert process.started_at(first)

    start(layout, "nodes")

    eventually(lambda: not process.started_at(first))
    again = eventually(lambda: init_of(layout, f"{uid(pod)}-main"))
    assert again != first
    eventually(lambda: contained.ask(contained.ready_pod()))


def init_of(layout: Layout, number: str) -> int:
    words = ["runc", "--root", str(layout.containers), "state", number]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    # runc ends with 1 where there is no such container.
    return int(json.loads(done.stdout)["pid"]) if done.returncode == 0 else 0


def test_pods_that_run_already_are_restarted_from_an_image_that_was_built_later(
    image: str, namespace: Namespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = namespace.layout
    namespace.deploy()
    pod = namespace.ready_pod()
    assert container_status(pod)["containerID"].startswith("process://")
    monkeypatch.setenv(unpacked_image.VARIABLE, image)
    try:
        assert choose_image(layout) == f"containers of {image}, by runc"
        assert process.find(layout, "nodes") is None
        start(layout, "nodes")
        eventually(lambda: f"{uid(pod)}-main" in containers(layout))
        choose_image(layout)  # the same again stops nothing
        assert process.find(layout, "nodes")
    finally:
        monkeypatch.setenv(unpacked_image.VARIABLE, "")
        choose_image(layout)
        assert not list(layout.images.iterdir())
        start(layout, "nodes")


def test_an_image_of_other_files_is_not_run(image: str, tmp_path: Path) -> None:
    layout = Layout.ephemeral(tmp_path)
    assert unpacked_image.choose(layout, image) == f"containers of {image}, by runc"
    (root,) = layout.images.iterdir()
    (root / "app/syncer/version.py").write_text("old")
    said = unpacked_image.choose(layout, image)
    assert said == (f"processes: {image} differs from this clone in syncer/version.py; run `make image`")
    assert unpacked_image.UnpackedImage.read(layout) is None
