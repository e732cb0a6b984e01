"""Starts, finds and stops the processes of a sandbox, by pid files."""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.layout import Layout

_STOP_GRACE_S = 10.0
_START = ".start.json"


class ProcessError(SandboxError):
    """A process of the sandbox did not start; the message is one line for users."""


@dataclass(frozen=True, slots=True)
class Running:
    """A running process, identical with the process recorded in its pid file."""

    name: str
    pid: int


def start(
    layout: Layout,
    name: str,
    command: Sequence[str | Path],
    env: Mapping[str, str] | None = None,
    descriptors: Collection[int] = (),
) -> Running:
    """Start `command` detached, its output in logs/NAME.log, and write run/NAME.pid.

    The process inherits `descriptors` under their numbers.

    The process has its own session, so that Ctrl-C in the terminal of `make up` does not reach the process.
    The start command is kept in run/NAME.start.json until `stop`, for `restart`. Raises ProcessError if the
    command cannot run at all.
    """
    layout.logs.mkdir(parents=True, exist_ok=True)
    layout.run.mkdir(parents=True, exist_ok=True)
    with (layout.logs / f"{name}.log").open("ab") as log:
        try:
            child = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=None if env is None else dict(env),
                start_new_session=True,
                pass_fds=descriptors,
            )
        except OSError as error:
            raise ProcessError(
                f"{name} cannot be started ({error.strerror}); delete {command[0]} and repeat the command"
            ) from error
    _pid_file(layout, name).write_text(f"{child.pid} {started_at(child.pid)}\n")
    record = {"command": [str(word) for word in command], "env": None if env is None else dict(env)}
    _start_file(layout, name).touch(mode=0o600)
    _start_file(layout, name).write_text(json.dumps(record))
    child.returncode = 0  # intentionally outlives this interpreter: no ResourceWarning
    return Running(name, child.pid)


def restart(layout: Layout, name: str) -> Running | None:
    """Start a process again with its last command; None if stopped meanwhile.

    Raises ProcessError like `start`.
    """
    try:
        record = json.loads(_start_file(layout, name).read_text())
    except (OSError, ValueError):
        return None
    return start(layout, name, record["command"], record["env"])


def wanted(layout: Layout) -> list[str]:
    """Return the names of started and not stopped processes, whether running or ended."""
    return sorted(path.name.removesuffix(_START) for path in layout.run.glob(f"*{_START}"))


def find(layout: Layout, name: str) -> Running | None:
    """Return process NAME if running; a pid reused by another program does not count."""
    try:
        pid_text, started = _pid_file(layout, name).read_text().split()
    except (OSError, ValueError):
        return None
    pid = int(pid_text)
    _reap(pid)
    now = started_at(pid)
    return Running(name, pid) if now and now == started else None


def running(layout: Layout) -> list[Running]:
    """Return all running processes of the sandbox, by name."""
    names = sorted(path.stem for path in layout.run.glob("*.pid"))
    return [found for name in names if (found := find(layout, name))]


def stop(layout: Layout, name: str, grace_s: float = _STOP_GRACE_S) -> None:
    """Send SIGTERM, then SIGKILL after `grace_s` seconds; remove the pid file after the end."""
    _start_file(layout, name).unlink(missing_ok=True)  # first: the supervisor must not restart the process
    found = find(layout, name)
    if found:
        _signal(found.pid, signal.SIGTERM)
        if not _gone_within(layout, name, grace_s):
            _signal(found.pid, signal.SIGKILL)
            _gone_within(layout, name, grace_s)
    _pid_file(layout, name).unlink(missing_ok=True)


def wait_until(ready: Callable[[], bool], process: Running, layout: Layout, timeout_s: float) -> None:
    """Poll `ready` every 50 ms.

    Raises ProcessError with the last line of the log if the process ends or the time is over.
    """
    deadline = time.monotonic() + timeout_s
    while not ready():
        if find(layout, process.name) is None:
            raise ProcessError(f"{process.name} stopped while starting: {last_line(layout, process.name)}")
        if time.monotonic() > deadline:
            raise ProcessError(
                f"{process.name} was not ready after {timeout_s:.0f} s: {last_line(layout, process.name)}"
            )
        time.sleep(0.05)


def last_line(layout: Layout, name: str) -> str:
    """Return the last line of the process's log, with the path of the log."""
    log = layout.logs / f"{name}.log"
    try:
        lines = log.read_text(errors="replace").strip().splitlines()
    except OSError:
        lines = []
    return f"{lines[-1] if lines else 'its log is empty'} (see {log})"


def _pid_file(layout: Layout, name: str) -> Path:
    return layout.run / f"{name}.pid"


def _start_file(layout: Layout, name: str) -> Path:
    return layout.run / f"{name}{_START}"


def _gone_within(layout: Layout, name: str, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while find(layout, name):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _reap(pid: int) -> None:
    """Collect an ended child process: as a zombie, the child would look alive."""
    with contextlib.suppress(OSError):
        os.waitpid(pid, os.WNOHANG)


def started_at(pid: int) -> str:
    """Return the system's start time of process `pid`; empty if missing.

    Field 22 of /proc/PID/stat on Linux (proc(5)); elsewhere `ps -o lstart`.
    """
    stat = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            words = stat.read_text().rpartition(")")[2].split()
        except OSError:
            return ""
        return "" if words[0] == "Z" else words[19]
    asked = subprocess.run(
        ["ps", "-o", "lstart=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
    )
    return asked.stdout.strip().replace(" ", "_")
