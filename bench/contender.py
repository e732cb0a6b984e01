"""A contender: a command that keeps the target groups up to date, and the cost of its processes.

Linux only: costs are read from /proc (proc(5)).
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from sandbox.errors import SandboxError

_PROC = Path("/proc")
_SHELL = Path("/bin/sh")
_STOP_S = 10.0
_TICKS = os.sysconf("SC_CLK_TCK")
_MIB = 1024  # /proc counts in kB


class EndedError(SandboxError):
    """The contender ended by itself; the message is the exit code and the last line of output."""


@dataclass(frozen=True, slots=True)
class Contender:
    """`command` is a line for the shell, started in the environment described in docs/bench.md."""

    name: str
    command: str


# With the allocator setting of the syncer's image (syncer/Dockerfile).
SYNCER = Contender("syncer", f"MALLOC_ARENA_MAX=1 {quote(sys.executable)} -m syncer run")


class Process:
    """A running contender, with all processes of its session. `started_at` is monotonic."""

    def __init__(self, contender: Contender, environment: Mapping[str, str], log: Path) -> None:
        self.log = log
        with log.open("wb") as output:
            self.started_at = time.monotonic()
            self._child = subprocess.Popen(  # noqa: S603 (a contender is a command)
                [_SHELL, "-c", contender.command],
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def check(self) -> None:
        """Raise EndedError if the contender has ended."""
        code = self._child.poll()
        if code is not None:
            lines = self.log.read_text(errors="replace").strip().splitlines()
            raise EndedError(f"ended with exit code {code}: {lines[-1] if lines else 'it said nothing'}")

    def memory(self) -> tuple[float, float]:
        """Return VmRSS and VmHWM in MiB, the sum of all processes (shared memory counts once per process)."""
        sizes = [_status(pid) for pid in self._pids()]
        return sum(size.get("VmRSS", 0) for size in sizes) / _MIB, sum(
            size.get("VmHWM", 0) for size in sizes
        ) / _MIB

    def cpu(self) -> float:
        """Return the CPU seconds of all processes, including ended children."""
        return sum(sum(map(int, _stat(pid)[11:15])) for pid in self._pids()) / _TICKS

    def stop(self) -> None:
        """Send SIGTERM to the session, and SIGKILL after 10 s."""
        for number, grace in ((signal.SIGTERM, _STOP_S), (signal.SIGKILL, _STOP_S)):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._child.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(grace)
            if not list(self._pids()):
                return

    def _pids(self) -> Iterator[int]:
        """Yield the processes of the session without the waiting shell."""
        for path in _PROC.iterdir():
            if path.name.isdecimal():
                pid = int(path.name)
                words = _stat(pid)
                mine = len(words) > 3 and int(words[3]) == self._child.pid  # noqa: PLR2004 (session)
                if mine and words[0] != "Z" and not _is_shell(path):
                    yield pid


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat from the third on; an empty list for an ended process."""
    try:
        return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _status(pid: int) -> dict[str, int]:
    """Return the sizes in /proc/PID/status, in kB."""
    try:
        text = (_PROC / str(pid) / "status").read_text()
    except OSError:
        return {}
    pairs = (line.split(":", 1) for line in text.splitlines() if line.endswith(" kB"))
    return {name: int(value.split()[0]) for name, value in pairs}


def _is_shell(path: Path) -> bool:
    try:
        return (path / "exe").resolve() == _SHELL.resolve()
    except OSError:
        return False
