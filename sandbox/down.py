"""`make down`: `pulumi destroy`, then the processes, then the directory; leftovers are errors."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sandbox import process
from sandbox.errors import SandboxError
from sandbox.layout import Layout
from sandbox.progress import Progress
from sandbox.stack import Stack, interrupted
from sandbox.status import missing
from sandbox.up import only_one, prepare_tools, start_world, stop_all, world_is_up

_SILENCE_S: Final = 20.0


def down(root: Path, progress: Progress, *, force: bool = False) -> None:
    """Stop and remove the sandbox of the project at `root`.

    A stack whose cloud is lost, or whose last run was killed, cannot be destroyed: the stack is deleted with
    its sandbox.

    Raises SandboxError if no sandbox is present, StackError if `pulumi destroy` fails (with `force`, the rest
    continues).
    """
    layout = Layout.default(root)
    if not layout.present:
        raise SandboxError("no sandbox is running here; run `make up`")
    with only_one(layout):
        if world_is_up(layout) and not interrupted(layout):
            tools = prepare_tools(progress)
            _destroy(Stack(root=root, layout=layout, pulumi=tools["pulumi"]), tools, progress, force)
        with progress.step("stopping the sandbox"):
            stop_all(layout)
            left = process.running(layout)
            if left:
                names = ", ".join(f"{each.name} (pid {each.pid})" for each in left)
                raise SandboxError(f"still running after SIGKILL: {names}; kill these processes")
            layout.clear()


@contextmanager
def _watched(stack: Stack, progress: Progress) -> Iterator[None]:
    """Report the users of the stack's resources if the block still runs after 20 s: Pulumi waits silently."""

    def name() -> None:
        for line in stack.dependents():
            progress.say(f"! {line}", style="yellow")

    watch = threading.Timer(_SILENCE_S, name)
    watch.daemon = True
    watch.start()
    try:
        yield
    finally:
        watch.cancel()


def _destroy(stack: Stack, tools: dict[str, Path], progress: Progress, force: bool) -> None:
    if not stack.exists():
        return
    try:
        if missing(stack.layout):  # with killed nodes, the deletion of a namespace's Pods would not end
            start_world(stack.layout, tools, progress)
        with progress.step("pulumi destroy, stack dev") as step, _watched(stack, progress):
            stack.destroy(step.note)
    except SandboxError:
        if not force:
            raise
