"""`python -m sandbox.imagepython COMMAND…`: run it under the image's Python, in an environment as locked."""

import argparse
import os
import re
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sandbox import environment
from sandbox.environment import ROOT, PreparationError, Say
from sandbox.imagepython import debian
from sandbox.imagepython.pin import Pin
from sandbox.toolchain import store

_INTERRUPTED = 130  # 128 + SIGINT, as in a shell
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# The linters run under the project's own Python.
_SYNC = ("sync", "--locked", "--no-install-project", "--no-default-groups",
         "--group=infra", "--group=sandbox", "--group=test")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """The place of a command: an interpreter of this machine, or of a Debian root."""

    name: str
    python: str
    root: Path | None = None
    shared: Mapping[Path, str] = field(default_factory=dict)

    def command(self, words: Sequence[str | Path]) -> list[str | Path]:
        """Return the command that runs `words` there, in the project's directory."""
        return debian.entering(self.root, self.shared, ROOT, words) if self.root else list(words)


def main() -> int:
    """Prepare the environment, then exec the command; return 1 on failure."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.imagepython", description=__doc__)
    parser.add_argument("--python", metavar="PATH", help="an interpreter of the image's version")
    parser.add_argument("words", nargs=argparse.REMAINDER, metavar="COMMAND")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        command, variables = prepare(Pin.read(), arguments.python, arguments.words, _say)
    except (PreparationError, OSError) as error:
        _say(f"error: {error}")
        return 1
    except KeyboardInterrupt:
        _say("interrupted; the next run continues from here")
        return _INTERRUPTED
    # exec leaves no process between the terminal and the command: Ctrl-C reaches only the command.
    return os.execvpe(command[0], [str(word) for word in command], variables)  # noqa: S606


def prepare(
    pin: Pin, python: str | None, words: Sequence[str], say: Say
) -> tuple[list[str | Path], dict[str, str]]:
    """Return the command that runs `words`, and its environment variables.

    Raises PreparationError if neither an interpreter nor a Debian root is available.
    """
    store.root().mkdir(parents=True, exist_ok=True)
    uv = environment.uv(say)
    place = _place(pin, python, uv, say)
    home = store.root() / "image-python" / f"venv-{place.name}"
    variables = _variables(place, home)
    sync = place.command([debian.UV if place.root else uv, *_SYNC, "--python", place.python])
    lock = store.root() / ".image-python.lock"
    with store.exclusive(lock, lambda seconds: say(f"waiting for another run, {seconds:.0f} s")):
        what = f"virtual environment for Python {pin.version}: uv sync"
        refusal = environment.run(sync, what, ROOT, say, variables)
    if refusal:
        raise PreparationError(f"cannot create the virtual environment for Python {pin.version}: {refusal}")
    return place.command([home / "bin" / words[0], *words[1:]] if words else []), variables


def _place(pin: Pin, python: str | None, uv: Path, say: Say) -> Place:
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    if python is None and own == pin.version:
        python = str(getattr(sys, "_base_executable", sys.executable))
    if python is not None:
        if (found := _version(python)) != pin.version:
            raise PreparationError(
                f"{python} is {f'Python {found}' if found else 'no Python'}, and the image has "
                f"Python {pin.version}: name an interpreter of that version"
            )
        return Place(f"python{pin.version}", python)
    root = debian.ensure(pin, say)
    cache = environment.answer([uv, "cache", "dir"]).strip()
    Path(cache).mkdir(parents=True, exist_ok=True)
    shared = {Path(path): path for path in ("/tmp", cache, str(store.root()), str(ROOT))}  # noqa: S108
    return Place(root.name, f"/usr/bin/python{pin.version}", root, {**shared, uv: debian.UV})


def _version(python: str) -> str:
    said = re.match(r"Python (\d+\.\d+)", environment.answer([python, "--version"]))
    return said[1] if said else ""


def _variables(place: Place, home: Path) -> dict[str, str]:
    """Return the variables of this process, adapted to a Debian root."""
    inside = {"HOME": "/root", "PATH": _PATH, "TMPDIR": "/tmp"} if place.root else {}  # noqa: S108
    variables = {**os.environ, **inside}
    variables.pop("VIRTUAL_ENV", None)
    return {
        **variables,
        "NODE_NLB_SYNC_CACHE": str(store.root()),
        "PATH": f"{home / 'bin'}:{variables.get('PATH', _PATH)}",
        "PYTHONPATH": str(ROOT),
        "UV_LINK_MODE": "copy",  # links between mounts are not possible
        "UV_PROJECT_ENVIRONMENT": str(home),
    }


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
