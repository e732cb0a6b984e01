"""`make up`: tools, cloud, cluster, nodes, packet path, the real `pulumi up`, then a wait for health."""

import fcntl
import os
import socket
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox import cluster, process, slots, supervisor, toolchain
from sandbox.cloud.network import ensure_network
from sandbox.errors import SandboxError
from sandbox.image import storage
from sandbox.kubelet import unpacked_image
from sandbox.kubelet.spawn import end_orphans
from sandbox.layout import Layout
from sandbox.nodes import lifecycle
from sandbox.plugins import choice as plugins
from sandbox.progress import Progress, Step
from sandbox.stack import Stack, interrupted, outputs
from sandbox.status import Status, observe

# The process whose loss ends a sandbox: the stack's state describes its memory. All others keep their state
# on disk or have no state (ADR 0015).
_WORLD = ("cloud",)
_STOP_ORDER = (
    supervisor.NAME,
    "nodes",
    "dataplane",
    *reversed(cluster.CONTROLLERS),
    *reversed(cluster.STORE_AND_API),
    "cloud",
)
_READY_WITHIN_S = 60.0  # 3 s on an idle machine; two busy cores took 30 s
_HEALTHY_WITHIN_S = 180.0


def up(root: Path, progress: Progress) -> Status:
    """Start the sandbox of the project at `root`, from any state.

    Raises SandboxError and the one-line errors of the parts; the next call continues.
    """
    layout = Layout.default(root)
    with only_one(layout):
        _clear_remains(layout, progress)
        tools = prepare_tools(progress)
        with progress.step("plugins") as step:
            chosen = plugins.install(layout, pulumi=tools["pulumi"])
            step.note(", ".join(map(str, chosen)))
        for line in (line for plugin in chosen for line in plugin.refused):
            progress.say(f"  {line}", style="yellow")
        layout = start_cloud(layout, progress)
        with progress.step("syncer's Pods") as step:
            step.note(choose_image(layout))
        start_world(layout, tools, progress)
        stack = Stack(root=root, layout=layout, pulumi=tools["pulumi"])
        with progress.step("pulumi up, stack dev") as step:
            stack.select()
            stack.up(_counter(step))
            if not step.far:
                step.note("no change")
        found = outputs(layout)
        with progress.step("waiting until every target is healthy") as step:
            return _wait_until_settled(lambda: observe(layout, found), step)


def prepare_tools(progress: Progress) -> dict[str, Path]:
    """Return the paths of all tools of the sandbox: found, downloaded or built."""
    with progress.step("tools") as step:
        return toolchain.ensure(report=lambda report: step.note(report.line()))


@contextmanager
def only_one(layout: Layout) -> Iterator[None]:
    """Exclude concurrent runs of `make up` and `make down` on a sandbox. Raises SandboxError."""
    try:
        layout.directory.mkdir(parents=True, exist_ok=True)
        opened = (layout.directory / "lock").open("w")
    except OSError as error:
        raise SandboxError(
            f"{layout.directory} cannot be written ({error.strerror}); make it writable, or set SANDBOX_DIR"
        ) from None
    with opened as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise SandboxError(
                f"another `make up` or `make down` is running on {layout.directory}; wait until it ends"
            ) from None
        yield


def stop_all(layout: Layout) -> None:
    """Stop all processes of the sandbox, clients before their servers."""
    for name in _STOP_ORDER:
        process.stop(layout, name)
    end_orphans(layout)  # the containers of a killed nodes process


def world_is_up(layout: Layout) -> bool:
    """Whether the processes run whose data is in the stack's state."""
    return all(process.find(layout, name) for name in _WORLD)


def _clear_remains(layout: Layout, progress: Progress) -> None:
    """Remove all state if a continuation would be wrong.

    A simulated cloud is in memory: after its end, the rest of the sandbox is invalid. A Pulumi killed during
    a run may have created resources that are missing in its state.
    """
    if not layout.present:
        return
    # Without ports, the layout was lost or damaged, and the ports of the processes are unknown.
    if layout.aws_port and world_is_up(layout) and not interrupted(layout):
        return
    with progress.step("removing the remains of a killed run"):
        stop_all(layout)
        layout.clear()


def start_cloud(stored: Layout, progress: Progress) -> Layout:
    """Start a missing cloud process, on the stored ports or, if in use, on others."""
    with progress.step("cloud") as step:
        layout = stored
        if process.find(stored, "cloud") is None:
            layout, claimed = slots.claim(stored)
            if stored.aws_port not in {0, layout.aws_port}:
                progress.say(
                    f"  another program has port {stored.aws_port} of the last run or one after it: "
                    f"this sandbox now has {layout.aws_port} and those after it"
                )
            layout.save()
            with claimed:
                _start_process(layout, "cloud", claimed)
        _wait_for(layout, "cloud", lambda: _answers(f"{layout.aws_url}/_sandbox/ready"))
        step.note(layout.aws_url)
        ensure_network(layout.aws_url, layout.vpc_network)
    return layout


def choose_image(layout: Layout) -> str:
    """Choose how Pods run and describe the choice. Another choice stops the kubelet and all running Pods."""
    before = unpacked_image.UnpackedImage.read(layout)
    found = unpacked_image.choose(layout, os.environ.get(unpacked_image.VARIABLE, storage.NAME))
    if unpacked_image.UnpackedImage.read(layout) != before:
        process.stop(layout, supervisor.NAME)
        process.stop(layout, "nodes")
        unpacked_image.prune(layout)
    return found


def start_world(layout: Layout, tools: dict[str, Path], progress: Progress) -> None:
    """Start all missing processes except the cloud, and the nodes of a fresh sandbox."""
    process.stop(layout, supervisor.NAME)  # otherwise it could start the same processes concurrently
    with progress.step("cluster") as step:
        cluster.start(layout, tools)
        step.note(layout.apiserver_url)
    with progress.step("nodes and packet path") as step:
        _start_server(layout, "nodes", layout.nodes_socket.exists)
        _start_server(layout, "dataplane", lambda: True)
        step.note(f"{len(lifecycle.seed_nodes(layout))} nodes")
    _start_server(layout, supervisor.NAME, lambda: True)


def _start_server(layout: Layout, name: str, ready: Callable[[], bool]) -> None:
    """Start `python -m sandbox.NAME` if not running, and wait until ready."""
    if process.find(layout, name) is None:
        _start_process(layout, name)
    _wait_for(layout, name, ready)


def _start_process(layout: Layout, name: str, listening: socket.socket | None = None) -> None:
    """Start `python -m sandbox.NAME` without the caller's AWS, proxy or Python settings."""
    kept = {k: v for k, v in os.environ.items() if k in {"PATH", "HOME", "LANG"} or k.startswith("SANDBOX_")}
    command: list[str | Path] = [sys.executable, "-m", f"sandbox.{name}", "--dir", layout.directory]
    if listening is None:
        process.start(layout, name, command, kept)
    else:
        number = listening.fileno()
        process.start(layout, name, [*command, "--socket", str(number)], kept, [number])


def _wait_for(layout: Layout, name: str, ready: Callable[[], bool]) -> None:
    running = process.find(layout, name) or process.Running(name, 0)
    process.wait_until(ready, running, layout, _READY_WITHIN_S)


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=2).close()  # noqa: S310  (loopback)
    except OSError:
        return False
    return True


def _counter(step: Step) -> Callable[[str], None]:
    changes = 0

    def changed(line: str) -> None:
        nonlocal changes
        changes += 1
        step.note(f"{changes} resources, {line}")

    return changed


def _wait_until_settled(look: Callable[[], Status], step: Step) -> Status:
    deadline = time.monotonic() + _HEALTHY_WITHIN_S
    while True:
        status = look()
        groups = [f"{g.name} {g.healthy}/{len(g.targets)}" for g in status.groups]
        step.note(", ".join([*groups, *([] if status.syncer_ready else ["syncer not ready"])]))
        if status.settled:
            return status
        if time.monotonic() > deadline:
            raise SandboxError(
                f"not every target is healthy after {_HEALTHY_WITHIN_S:.0f} s: `sandbox status` shows which, "
                "the syncer's log under .sandbox/pods says why"
            )
        time.sleep(0.5)
