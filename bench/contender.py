"""A contender: a command that keeps the target groups, and what its processes cost.

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
_MIB = 1024  # of the kB in which /proc counts


class EndedError(SandboxError):
    """The contender ended by itself; the message is its exit code and what it said last."""


@dataclass(frozen=True, slots=True)
class Contender:
    """`command` is a line for the shell, started in the environment that docs/bench.md describes."""

    name: str
    command: str


# With what its image sets for the allocator (syncer/Dockerfile).
SYNCER = Contender("syncer", f"MALLOC_ARENA_MAX=1 {quote(sys.executable)} -m syncer run")


class Process:
    """A contender that runs, with all processes of its session. `started_at` is monotonic."""

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
        """Raise EndedError if it runs no more."""
        code = self._child.poll()
        if code is not None:
            lines = self.log.read_text(errors="replace").strip().splitlines()
            raise EndedError(f"ended with exit code {code}: {lines[-1] if lines else 'it said nothing'}")

    def memory(self) -> tuple[float, float]:
        """VmRSS now and VmHWM, in MiB, of all its processes together (what they share counts for each)."""
        sizes = [_status(pid) for pid in self._pids()]
        return sum(size.get("VmRSS", 0) for size in sizes) / _MIB, sum(
            size.get("VmHWM", 0) for size in sizes
        ) / _MIB

    def cpu(self) -> float:
        """Seconds of CPU that its processes have used, with their children that have ended."""
        return sum(sum(map(int, _stat(pid)[11:15])) for pid in self._pids()) / _TICKS

    def stop(self) -> None:
        """SIGTERM to its session, SIGKILL after 10 s."""
        for number, grace in ((signal.SIGTERM, _STOP_S), (signal.SIGKILL, _STOP_S)):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._child.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(grace)
            if not list(self._pids()):
                return

    def _pids(self) -> Iterator[int]:
        """The processes of its session, the shell that only waits for them apart."""
        for path in _PROC.iterdir():
            if path.name.isdecimal():
                pid = int(path.name)
                words = _stat(pid)
                mine = len(words) > 3 and int(words[3]) == self._child.pid  # noqa: PLR2004 (session)
                if mine and words[0] != "Z" and not _is_shell(path):
                    yield pid


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the command's name, from the third one; none if it has ended."""
    try:
        return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _status(pid: int) -> dict[str, int]:
    """The sizes of /proc/PID/status, in kB."""
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
