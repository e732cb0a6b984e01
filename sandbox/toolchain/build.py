"""Builds a tool with Go from the module proxy, through its pinned wrapper module."""

import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox.toolchain.command import Command
from sandbox.toolchain.errors import BuildError, GoUnusableError
from sandbox.toolchain.pins import Build, Tool
from sandbox.toolchain.progress import Step

_FETCHING = "go: downloading "
# The build depends on these variables only: no cgo, no cross-compilation, no workspace around the clone.
_ENVIRONMENT = {"CGO_ENABLED": "0", "GOOS": "", "GOARCH": "", "GOWORK": "off", "GO111MODULE": "on"}


@dataclass(frozen=True, slots=True)
class Built:
    """The progress of a build: `done` of `total` packages or modules; `total` is None if unknown."""

    step: Step
    done: int
    total: int | None
    unit: str


Tick = Callable[[Built], None]


def check_go(minimum: tuple[int, int], module: Path, tick: Tick) -> None:
    """Raise GoUnusableError unless a Go of version `minimum` or newer builds in `module`.

    An older Go from 1.21 on can download a newer Go (GOTOOLCHAIN); the function tries the download.
    """
    wanted = ".".join(map(str, minimum))
    go = shutil.which("go")
    if go is None:
        raise GoUnusableError(f"Go is not on PATH ({wanted} or newer is needed)")
    version = _version([go, "version"], {"GOTOOLCHAIN": "local"}, Path("/"), tick)
    if _number(version) >= minimum or _number(_version([go, "version"], {}, module, tick)) >= minimum:
        return
    raise GoUnusableError(f"{go} is too old: {version or 'unknown version'}, {wanted} or newer is needed")


def build(tool: Tool, output: Path, tick: Tick) -> None:
    """Compile `tool` into the file `output`. Raises BuildError with Go's error.

    Compiled packages stay in Go's build cache, so that an interrupted build continues.
    """
    flags = ["-mod=readonly", "-trimpath", "-buildvcs=false", f"-ldflags={tool.build.ldflags}"]
    stale = _stale_packages(tool.build, flags, tick)
    compiled = 0
    command = ["go", "build", *flags, "-v", f"-o={output}", tool.build.package]
    with Command(command, tool.build.module, _ENVIRONMENT) as run:
        tick(_at(compiled, stale))
        for line in run.lines():
            compiled += bool(line) and not line.startswith(("go: ", "#"))
            tick(_at(compiled, stale))
    _check(run)


def _at(compiled: int, stale: int) -> Built:
    """Return the stage: compiling, then linking once only the program's own, small package is left."""
    if compiled >= stale - 1:
        return Built(Step.LINKING, 0, None, "")
    return Built(Step.COMPILING, compiled, stale, "packages")


def _stale_packages(build: Build, flags: Sequence[str], tick: Tick) -> int:
    """Count the packages missing in Go's build cache; fetch missing modules."""
    fetched = 0
    command = ["go", "list", "-deps", *flags, "-f", "{{if .Stale}}stale{{end}}", build.package]
    with Command(command, build.module, _ENVIRONMENT) as run:
        for line in run.lines():
            fetched += line.startswith(_FETCHING)
            tick(Built(Step.FETCHING_MODULES, fetched, None, "modules"))
    return _check(run).count("stale")


def _version(command: Sequence[str], extra: dict[str, str], where: Path, tick: Tick) -> str:
    """Return Go's version such as `go1.26.8`; empty if unknown, e.g. a newer Go cannot be fetched."""
    with Command(command, where, {**_ENVIRONMENT, **extra}) as run:
        for _ in run.lines():
            tick(Built(Step.FETCHING_MODULES, 0, None, ""))
    found = re.search(r"\bgo\d+\.\d+\S*", run.output)
    return found[0] if found and run.status == 0 else ""


def _number(version: str) -> tuple[int, int]:
    major, minor = re.match(r"go(\d+)\.(\d+)", version).groups() if version else (0, 0)  # type: ignore[union-attr]
    return int(major), int(minor)


def _check(run: Command) -> str:
    """Return the output of an ended command. Raises BuildError with the most useful line of a failure."""
    if run.status != 0:
        errors = [line for line in run.said if ": " in line and not line.startswith(_FETCHING)]
        raise BuildError((errors or run.said or [f"go ended with status {run.status}"])[0])
    return run.output
