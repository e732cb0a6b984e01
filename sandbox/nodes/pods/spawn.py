"""Local processes that stand for containers: each in a group of its own, and on record until it has ended."""

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.layout import Layout
from sandbox.process import started_at


@dataclass(slots=True)
class Spawned:
    """A container's main process and its process group, recorded in a pid file."""

    pid: int
    _process: asyncio.subprocess.Process
    _record: Path
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def wait(self) -> int:
        """Wait for the end of the main process and end what is left of its group; its returncode.

        A container ends with its first process. The pid file goes last, so that nothing is ever unrecorded.
        """
        code = await self._process.wait()
        self.signal(signal.SIGKILL)
        _place_of(self._record).unlink(missing_ok=True)
        self._record.unlink(missing_ok=True)
        self.ended.set()
        return code

    def signal(self, number: signal.Signals) -> None:
        """Signal every process of the group."""
        _signal_group(self.pid, number)


async def spawn(
    argv: Sequence[str], env: Mapping[str, str], directory: Path, log: Path, record: Path
) -> Spawned:
    """Start `argv` in `directory` with exactly `env`, its output appended to `log`. Raises OSError."""
    log.parent.mkdir(parents=True, exist_ok=True)
    record.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=asyncio.subprocess.STDOUT,
            env=env,
            cwd=directory,
            start_new_session=True,
        )
    place = _place_of(record)
    place.touch(mode=0o600)  # keys are in it
    place.write_text(json.dumps({"environment": dict(env), "directory": str(directory)}))
    record.write_text(f"{process.pid} {started_at(process.pid)}\n")  # noqa: ASYNC240 (a few bytes)
    return Spawned(process.pid, process, record)


def running_places(layout: Layout) -> Iterator[tuple[Path, dict[str, str]]]:
    """Directory and environment of each container that runs: where `kubectl exec` would start a command."""
    for record in sorted(layout.pods.glob("*/*.pid")):
        with contextlib.suppress(OSError, ValueError, KeyError):
            pid_text, started = record.read_text().split()
            place = json.loads(_place_of(record).read_text())
            if started_at(int(pid_text)) == started:
                yield Path(place["directory"]), place["environment"]


def _place_of(record: Path) -> Path:
    return record.with_suffix(".place.json")


def end_orphans(layout: Layout) -> int:
    """SIGKILL every container that a runner left behind when it was killed itself; how many there were."""
    ended = 0
    for record in layout.pods.glob("*/*.pid"):
        with contextlib.suppress(OSError, ValueError):
            pid_text, started = record.read_text().split()
            if started_at(int(pid_text)) == started:
                _signal_group(int(pid_text), signal.SIGKILL)
                ended += 1
        _place_of(record).unlink(missing_ok=True)
        record.unlink(missing_ok=True)
    return ended


def _signal_group(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: EPERM for a group of zombies
        os.killpg(pid, number)
