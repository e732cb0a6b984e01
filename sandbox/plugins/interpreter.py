"""The Python of a Pulumi program and its packages: Pulumi.yaml's `runtime.options`.

The locations are those of the official host (pulumi v3.250.0, sdk/python/toolchain/uv.go, pip.go and
poetry.go). One difference: before every run the official host runs `uv sync --inexact` in a uv environment;
here the environment is used unchanged, because the user has just synced the environment.
"""

import json
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_WITHOUT_PLUGIN: Final = frozenset({"pulumi_policy", "pulumi_esc_sdk"})  # main.go packagesWithoutPlugins
_TOOLCHAINS: Final = ("pip", "poetry", "uv")
_TYPECHECKERS: Final = ("mypy", "pyright")


class OptionError(Exception):
    """`runtime.options` cannot be applied; the message is a line for people."""


@dataclass(frozen=True, slots=True)
class Package:
    """An installed distribution: normalised name (`pulumi_aws`), version, and directory."""

    name: str
    version: str
    location: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """The Python of a program: a virtual environment, or None for the `python3` on PATH."""

    toolchain: str
    virtualenv: Path | None
    typechecker: str = ""

    @property
    def executable(self) -> str:
        """Return the command of the interpreter. Raises OptionError for a missing interpreter."""
        if self.virtualenv is not None:
            if not (self.virtualenv / "pyvenv.cfg").is_file():
                fix = "uv sync --locked" if self.toolchain == "uv" else "pulumi install"
                raise OptionError(f"{str(self.virtualenv)!r} is not a virtual environment: run `{fix}`")
            return str(self.virtualenv / "bin" / "python")
        for name in ("python3", "python"):
            if found := shutil.which(name):
                return found
        raise OptionError("no python3 on PATH: set runtime.options.virtualenv in Pulumi.yaml")

    def environ(self) -> dict[str, str]:
        """Return the environment with the virtual environment activated (toolchain.go ActivateVirtualEnv)."""
        environ = dict(os.environ)
        if self.virtualenv is not None:
            environ.pop("PYTHONHOME", None)
            environ["VIRTUAL_ENV"] = str(self.virtualenv)
            environ["PATH"] = f"{self.virtualenv / 'bin'}{os.pathsep}{environ.get('PATH', '')}"
        return environ

    def packages(self) -> list[Package]:
        """Return every installed distribution, from the names of the metadata directories."""
        found = []
        for site in self._sites():
            for metadata in sorted(site.glob("*.dist-info")):
                name, _, version = metadata.name.removesuffix(".dist-info").partition("-")
                found.append(Package(name.lower().replace("-", "_"), version, site))
        return found

    def _sites(self) -> list[Path]:
        if self.virtualenv is not None:
            return sorted(self.virtualenv.glob("lib/python3*/site-packages"))
        return [Path(entry) for entry in sys.path if entry.endswith(("site-packages", "dist-packages"))]


@dataclass(frozen=True, slots=True)
class Plugin:
    """A resource plugin required by an installed SDK package."""

    name: str
    version: str
    server: str = ""


def resolve(root: Path, program: Path, options: Mapping[str, Any]) -> Interpreter:
    """Return the interpreter of a program in directory `program` of the project in `root`.

    Raises OptionError for an option value that the official host would refuse too.
    """
    toolchain = str(options.get("toolchain") or _detected(program))
    if toolchain not in _TOOLCHAINS:
        raise OptionError(f"runtime.options.toolchain: {toolchain!r} is none of {', '.join(_TOOLCHAINS)}")
    typechecker = str(options.get("typechecker") or "")
    if typechecker and typechecker not in _TYPECHECKERS:
        raise OptionError(
            f"runtime.options.typechecker: {typechecker!r} is none of {', '.join(_TYPECHECKERS)}"
        )
    named = options.get("virtualenv")
    if toolchain == "uv":
        virtualenv: Path | None = _uv_environment(root, program, named)
    elif toolchain == "poetry":
        raise OptionError("runtime.options.toolchain: poetry needs the official host; use uv or pip")
    else:
        virtualenv = root / named if named else None
    return Interpreter(toolchain=toolchain, virtualenv=virtualenv, typechecker=typechecker)


def plugins(packages: list[Package]) -> list[Plugin]:
    """Return the plugins of Pulumi packages, from pulumi-plugin.json, else from name and version."""
    return [plugin for package in packages if (plugin := _plugin(package))]


def _plugin(package: Package) -> Plugin | None:
    path = package.location / package.name / "pulumi-plugin.json"
    described = json.loads(path.read_text()) if path.is_file() else None
    first_party = package.name.startswith("pulumi_") and package.name not in _WITHOUT_PLUGIN
    if (described is None and not first_party) or (described is not None and not described.get("resource")):
        return None
    given = described or {}
    version = given.get("version") or package.version
    return Plugin(
        name=given.get("name") or package.name.removeprefix("pulumi_"),
        version=version if version.startswith("v") else f"v{version}",
        server=given.get("server") or "",
    )


def _detected(program: Path) -> str:
    if _search_up(program, "uv.lock"):
        return "uv"
    return "poetry" if _search_up(program, "poetry.lock") else "pip"


def _uv_environment(root: Path, program: Path, named: str | None) -> Path:
    """Return the option, else .venv beside uv.lock, pyproject.toml or the program (uv.go newUv)."""
    if named:
        return root / named
    beside = _search_up(program, "uv.lock") or _search_up(program, "pyproject.toml") or program
    return beside / ".venv"


def _search_up(start: Path, name: str) -> Path | None:
    return next((folder for folder in (start, *start.parents) if (folder / name).exists()), None)
