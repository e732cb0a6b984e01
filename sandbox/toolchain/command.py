"""Runs a command and reads its stderr meanwhile; the command ends with its `with` block at the latest."""

import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Self

_TICK_S = 1.0
_STOP_GRACE_S = 5.0


class Command:
    """A running command; the end of its block stops the command and all its child processes.

    After the block, `status` is the exit status, `output` the stdout, `said` the lines of stderr.
    """

    def __init__(self, words: Sequence[str | Path], where: Path, env: Mapping[str, str]) -> None:
        self.output = ""
        self.said: list[str] = []
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._process = subprocess.Popen(
            words,
            cwd=where,
            env={**os.environ, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,  # Ctrl-C reaches only this program, which then stops the command
        )
        readers = (self._read_stdout, self._process.stdout), (self._read_stderr, self._process.stderr)
        self._readers = [threading.Thread(target=read, args=(pipe,), daemon=True) for read, pipe in readers]
        for reader in self._readers:
            reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._stop()
        for reader in self._readers:
            reader.join()

    @property
    def status(self) -> int:
        """The exit status."""
        return self._process.returncode

    def lines(self) -> Iterator[str]:
        """Yield stderr line by line, and an empty line for every second without output."""
        while True:
            try:
                line = self._lines.get(timeout=_TICK_S)
            except queue.Empty:
                yield ""
                continue
            if line is None:
                self._process.wait()
                return
            self.said.append(line)
            yield line

    def _read_stdout(self, pipe: IO[str]) -> None:
        with pipe:
            self.output = pipe.read()

    def _read_stderr(self, pipe: IO[str]) -> None:
        with pipe:
            for line in pipe:
                self._lines.put(line.rstrip())
        self._lines.put(None)

    def _stop(self) -> None:
        """Stop the command and its child processes: they share a process group."""
        for number in (signal.SIGINT, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)
            deadline = time.monotonic() + _STOP_GRACE_S
            while self._process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.02)
