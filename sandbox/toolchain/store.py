"""The cache of tools for all clones: the places, the write lock, atomic installation."""

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from sandbox.toolchain.pins import Tool

_STAGING = ".staging-"
_TICK_S = 1.0


def root() -> Path:
    """Return `~/.cache/node-nlb-sync`, or NODE_NLB_SYNC_CACHE."""
    return Path(os.environ.get("NODE_NLB_SYNC_CACHE") or "~/.cache/node-nlb-sync").expanduser().absolute()


def home(tool: Tool) -> Path:
    """Return the directory of a tool's version: the tool and its publisher's further files."""
    return root() / "tools" / f"{tool.name}-{tool.version}"


def cached(tool: Tool) -> Path | None:
    """Return the tool's cached executable; None if missing or truncated since the installation.

    An executable without a recorded size (put there by a user) is accepted.
    """
    path = home(tool) / tool.name
    if not (path.is_file() and os.access(path, os.X_OK)):
        return None
    size = _size_file(tool)
    return path if not size.exists() or size.read_text() == str(path.stat().st_size) else None


@contextlib.contextmanager
def writing(waited: Callable[[float], None]) -> Iterator[Path]:
    """Lock the cache for writing; yield an empty staging directory.

    `waited` is called every second while another run has the lock, with the seconds so far. The leftovers of
    a killed run are removed.
    """
    tools = root() / "tools"
    tools.mkdir(parents=True, exist_ok=True)
    with exclusive(tools / ".lock", waited):
        for leftover in tools.glob(f"{_STAGING}*"):
            shutil.rmtree(leftover, ignore_errors=True)
        # Beside the final place: a rename is atomic only within a file system.
        with tempfile.TemporaryDirectory(prefix=_STAGING, dir=tools, ignore_cleanup_errors=True) as staging:
            yield Path(staging)


def install(tool: Tool, files: Path) -> Path:
    """Move the files of the directory `files` to the tool's home, the tool itself last; return its path.

    The presence of the tool thus means a complete installation.
    """
    target = home(tool)
    target.mkdir(parents=True, exist_ok=True)
    executable = files / tool.name
    for path in [*(p for p in files.iterdir() if p != executable), executable]:
        path.chmod(0o755)
        if path == executable:
            _size_file(tool).write_text(str(path.stat().st_size))
        path.replace(target / path.name)
    return target / tool.name


def _size_file(tool: Tool) -> Path:
    return home(tool).with_name(f".{home(tool).name}.size")


@contextlib.contextmanager
def exclusive(lock: Path, waited: Callable[[float], None]) -> Iterator[None]:
    """Lock the file `lock`; the system releases the lock after any end of this process.

    `waited` is called every second while another process has the lock, with the seconds so far.
    """
    began = time.monotonic()
    with lock.open("w") as file:
        while not _locked(file.fileno()):
            waited(time.monotonic() - began)
            time.sleep(_TICK_S)
        yield


def _locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
