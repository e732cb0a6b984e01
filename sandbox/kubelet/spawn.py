"""The processes of containers: in their own process groups, and recorded until their end."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from sandbox.kubelet.runtimes import Command
from sandbox.layout import Layout
from sandbox.process import started_at

_REMOVED_WITHIN_S = 20.0


@dataclass(slots=True)
class Spawned:
    """A container's main process and its process group, recorded in a pid file."""

    pid: int
    _process: asyncio.subprocess.Process
    _record: Path
    _remove: Sequence[str]
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def wait(self) -> int:
        """Wait for the end of the main process, end the rest of its group, and return the returncode.

        A container ends with its first process. The pid file is removed last, so that all processes are
        recorded.
        """
        code = await self._process.wait()
        self.signal(signal.SIGKILL)
        if self._remove:
            await asyncio.to_thread(_run, self._remove)
        _place_of(self._record).unlink(missing_ok=True)
        self._record.unlink(missing_ok=True)
        self.ended.set()
        return code

    def signal(self, number: signal.Signals) -> None:
        """Signal all processes of the group; a runtime forwards catchable signals, but not SIGKILL."""
        if number is signal.SIGKILL and self._remove and self._process.returncode is None:
            _begin(self._remove)
        else:
            _signal_group(self.pid, number)


async def spawn(command: Command, log: Path, record: Path) -> Spawned:
    """Start a command and append its output to `log`. Raises OSError."""
    log.parent.mkdir(parents=True, exist_ok=True)
    record.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *command.words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=asyncio.subprocess.STDOUT,
            env=command.env,
            cwd=command.directory,
            start_new_session=True,
        )
    place = _place_of(record)
    place.touch(mode=0o600)  # the file contains keys
    place.write_text(json.dumps(asdict(command), default=str))
    record.write_text(f"{process.pid} {started_at(process.pid)}\n")  # noqa: ASYNC240 (a few bytes)
    return Spawned(process.pid, process, record, command.remove)


def running(layout: Layout) -> Iterator[Command]:
    """Yield the start commands of running containers: `kubectl exec` uses the same settings."""
    for record in sorted(layout.pods.glob("*/*.pid")):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            pid_text, started = record.read_text().split()
            command = _started_by(record)
            if started_at(int(pid_text)) == started:
                yield command


def _started_by(record: Path) -> Command:
    """Return a recorded command. Raises OSError, ValueError or TypeError for a missing or incomplete file."""
    found = json.loads(_place_of(record).read_text())
    return Command(**{**found, "directory": Path(found["directory"])})


def _place_of(record: Path) -> Path:
    return record.with_suffix(".place.json")


def end_orphans(layout: Layout) -> int:
    """Send SIGKILL to all containers left by a killed runner; return their number."""
    ended = 0
    for record in layout.pods.glob("*/*.pid"):
        with contextlib.suppress(OSError, ValueError):
            pid_text, started = record.read_text().split()
            if started_at(int(pid_text)) == started:
                _signal_group(int(pid_text), signal.SIGKILL)
                ended += 1
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            if remove := _started_by(record).remove:
                _run(remove)
        _place_of(record).unlink(missing_ok=True)
        record.unlink(missing_ok=True)
    return ended


def _run(words: Sequence[str]) -> None:
    """Run a command whose container may already be removed."""
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        subprocess.run(words, capture_output=True, timeout=_REMOVED_WITHIN_S, check=False)


def _begin(words: Sequence[str]) -> None:
    """Start a command without waiting: `Spawned.wait` waits for the container's end."""
    threading.Thread(target=_run, args=(words,), daemon=True).start()


def _signal_group(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: EPERM for a group of zombies
        os.killpg(pid, number)
