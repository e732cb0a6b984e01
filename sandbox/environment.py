"""Keeps the project's virtual environment equal to uv.lock: quick if current, repaired otherwise."""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox.toolchain import store
from sandbox.toolchain.command import Command

ROOT = Path(__file__).parent.parent
REQUIREMENT = ROOT / "syncer/uv.txt"

_UV_OLDEST = (0, 13)
_ASK_S = 10.0
_SILENT_AT_MOST_S = 3.5
_STATUS_ALONE = re.compile(r"exit (status|code:) \d+$")
_SEVERAL = re.compile(r"\d+ errors? occurred:$")
_STAMP = ".venv/.node-nlb-sync.json"
_INTERRUPTED = 130  # 128 + SIGINT, as in a shell

_VARIABLES = {"UV_PROJECT_ENVIRONMENT": ".venv", "PIP_USER": "0"}

Say = Callable[[str], None]


class PreparationError(Exception):
    """The environment cannot be created; the message is one line with the cause and the remedy."""


def main() -> int:
    """Prepare the environment of this clone; return the exit status."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        prepare(ROOT, _say)
    except (PreparationError, OSError) as error:
        _say(f"error: {error}")
        return 1
    except KeyboardInterrupt:
        _say("interrupted; the next run continues from here")
        return _INTERRUPTED
    return 0


def prepare(root: Path, say: Say) -> None:
    """Make `.venv` below `root` match its uv.lock and pyproject.toml; returns at once if current.

    Raises PreparationError if uv is missing or fails. An interrupted run leaves no stamp, so the next run
    continues; a damaged environment is created again.
    """
    if _current(root):
        return
    store.root().mkdir(parents=True, exist_ok=True)
    with store.exclusive(
        store.root() / ".bootstrap.lock", lambda s: say(f"waiting for another run, {s:.0f} s")
    ):
        if _current(root):
            return
        program = uv(say)
        if _damaged(root):
            say("virtual environment: damaged, creating a new one")
            _remove(root / ".venv")
        _sync(program, root, say)
        _command(root)
        _Stamp.of(root).write(root)


@dataclass(frozen=True, slots=True)
class _Stamp:
    """The record of a complete run in the environment: a digest of its inputs, its packages."""

    inputs: str
    packages: frozenset[str]

    @classmethod
    def read(cls, root: Path) -> "_Stamp | None":
        try:
            written = json.loads((root / _STAMP).read_text())
            return cls(written["inputs"], frozenset(written["packages"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    @classmethod
    def of(cls, root: Path) -> "_Stamp":
        """Return the stamp of the current environment."""
        digest = hashlib.sha256()
        # pyvenv.cfg contains the interpreter; the version is in the metadata of the installed project.
        for name in ("uv.lock", "pyproject.toml", "syncer/version.py", ".venv/pyvenv.cfg"):
            path = root / name
            digest.update(path.read_bytes() if path.exists() else b"")
        found = (root / ".venv").glob("lib/python*/site-packages/*")
        # Python creates and removes its own caches at any time.
        return cls(digest.hexdigest(), frozenset(path.name for path in found if path.name != "__pycache__"))

    def write(self, root: Path) -> None:
        (root / _STAMP).write_text(json.dumps({"inputs": self.inputs, "packages": sorted(self.packages)}))


def _current(root: Path) -> bool:
    """Whether the inputs are those of the last complete run, and nothing is damaged."""
    last = _Stamp.read(root)
    return last is not None and last.inputs == _Stamp.of(root).inputs and not _damaged(root)


def _damaged(root: Path) -> bool:
    """Whether an existing environment does not run, or lacks a package of the last complete run."""
    if not os.path.lexists(root / ".venv"):
        return False
    last = _Stamp.read(root)
    lost = last.packages - _Stamp.of(root).packages if last else frozenset()
    return bool(lost) or not answer([root / ".venv/bin/python", "-c", "print(1)"])


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def uv(say: Say) -> Path:
    """Return a uv that is new enough; install a missing uv. Raises PreparationError."""
    return _uv() or _install_uv(say)


def _uv() -> Path | None:
    """Return a uv that is new enough: from PATH, or from an earlier run."""
    on_path = shutil.which("uv")
    for path in (Path(on_path) if on_path else None, private_uv()):
        found = re.match(r"uv (\d+)\.(\d+)", answer([path, "--version"])) if path else None
        if path and found and (int(found[1]), int(found[2])) >= _UV_OLDEST:
            return path
    return None


def private_uv() -> Path:
    """Return the path for the project's own uv."""
    return store.root() / _pinned_uv().replace("==", "-") / "bin/uv"


def _pinned_uv() -> str:
    """Return the pinned requirement, such as `uv==0.13.9`."""
    lines = REQUIREMENT.read_text().splitlines()
    return next(line.split()[0] for line in lines if line.startswith("uv=="))


def _install_uv(say: Say) -> Path:
    """Install the pinned uv with pip below the cache; in a virtual environment or by `pip --target`."""
    pinned, home = _pinned_uv(), private_uv().parent.parent
    install: tuple[str | Path, ...] = (
        "install",
        "--disable-pip-version-check",
        "--only-binary=:all:",
        "-r",
        REQUIREMENT,
    )
    with tempfile.TemporaryDirectory(prefix=".uv-", dir=store.root(), ignore_cleanup_errors=True) as staging:
        place = Path(staging) / "uv"
        ways: tuple[tuple[Sequence[str | Path], ...], ...] = (
            ([sys.executable, "-m", "venv", place], [place / "bin/python", "-m", "pip", *install]),
            # For a Python without ensurepip, such as Debian's without python3-venv.
            ([sys.executable, "-m", "pip", *install, "--target", place],),
        )
        for commands in ways:
            shutil.rmtree(place, ignore_errors=True)
            refusals = [
                run(words, f"{pinned}: installing with pip", Path(staging), say) for words in commands
            ]
            if not any(refusals) and answer([place / "bin/uv", "--version"]):
                shutil.rmtree(home, ignore_errors=True)
                place.replace(home)
                return private_uv()
    why = next(filter(None, refusals), "pip installed no uv that runs")
    raise PreparationError(
        f"uv is not on PATH and pip cannot install {pinned} ({why}); "
        "install uv 0.13 or newer (https://docs.astral.sh/uv/), or connect to a Python package index"
    )


def _sync(program: Path, root: Path, say: Say) -> None:
    words: list[str | Path] = [program, "sync", "--locked"]
    if not (root / ".venv").exists():
        # The running Python, not a Python downloaded by uv.
        words += ["--python", getattr(sys, "_base_executable", sys.executable)]
    refusal = run(words, "virtual environment: uv sync", root, say)
    if refusal:
        raise PreparationError(f"`uv sync --locked` cannot create the virtual environment: {refusal}")


def _command(root: Path) -> None:
    """Create `.venv/bin/sandbox`: the sandbox belongs to this clone, not to an installed package."""
    command = root / ".venv/bin/sandbox"
    command.write_text(f"#!{root}/.venv/bin/python\nfrom sandbox.__main__ import main\n\nmain()\n")
    command.chmod(0o755)


def run(
    words: Sequence[str | Path], what: str, where: Path, say: Say, variables: Mapping[str, str] | None = None
) -> str:
    """Run a command and report the elapsed seconds; return "" on success, otherwise the error line.

    `variables` replace the default, which makes uv use `.venv`.
    """
    began = said_at = time.monotonic()
    downloads, arrived = 0, 0
    say(what)
    try:
        with Command(words, where, variables or _VARIABLES) as command:
            for line in command.lines():
                downloads += line.startswith("Downloading ")
                arrived += line.strip().startswith("Downloaded ")
                if time.monotonic() - said_at > _SILENT_AT_MOST_S:
                    said_at = time.monotonic()
                    amount = f", {arrived} of {downloads} large packages here" if downloads else ""
                    say(f"{what}, {said_at - began:.0f} s{amount}")
    except OSError as error:
        return str(error)
    if command.status == 0:
        return ""
    said, printed = _stripped(command.said), _stripped(command.output.splitlines())
    errors = [line for line in [*said, *printed] if line.lower().startswith("error")]
    # A builder reports only the exit status of a failed command; the command's own error has the reason.
    errors = [line for line in errors if not _STATUS_ALONE.search(line)] or errors
    if errors and _SEVERAL.search(errors[-1]):  # Buildah of several platforms: the reasons follow
        errors = [line.removeprefix("* ") for line in said if line.startswith("* ")][:1] or errors
    reasons = errors or said or printed or [f"{words[0]} ended with status {command.status}"]
    return reasons[-1].removeprefix("error: ")


def _stripped(lines: Sequence[str]) -> list[str]:
    return [line.strip() for line in lines if line.strip()]


def answer(words: Sequence[str | Path]) -> str:
    """Return the output of a command; empty after a failure or 10 s."""
    try:
        asked = subprocess.run(
            words, capture_output=True, text=True, errors="replace", timeout=_ASK_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return asked.stdout if asked.returncode == 0 else ""


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
