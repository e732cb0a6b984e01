"""Reads pins.toml: the versions of tools, their publishers and their sources."""

import platform
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from sandbox.toolchain.errors import ToolchainError

PINS = Path(__file__).with_name("pins.toml")
WRAPPERS = Path(__file__).with_name("go")

# The publishers' names of a machine by `platform.machine()`.
_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A tool's official build for this platform.

    `checksums_url` is the publisher's checksum file; `sha256` is the digest if pinned. `keep` has shell
    patterns of the archive's kept files; empty for a bare executable.
    """

    url: str
    checksums_url: str
    sha256: str | None
    keep: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """The sources of a tool: a wrapper module's directory, its package, flags for the linker."""

    module: Path
    package: str
    ldflags: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A pinned tool; `ask` are the arguments that print its version.

    A tool `on_request` is prepared only by name.
    """

    name: str
    version: str
    ask: tuple[str, ...]
    release: Release | None
    build: Build
    on_request: bool = False


@dataclass(frozen=True)
class Pins:
    """All pinned tools by name, and the oldest Go (major, minor) that can build the tools."""

    go_minimum: tuple[int, int]
    tools: Mapping[str, Tool]

    @cached_property
    def names(self) -> str:
        """The known tools, for messages."""
        return ", ".join(self.tools)

    @cached_property
    def default(self) -> tuple[str, ...]:
        """The names of the tools for the sandbox."""
        return tuple(name for name, tool in self.tools.items() if not tool.on_request)

    def tool(self, name: str) -> Tool:
        """Return the tool `name`. Raises ToolchainError with the known names."""
        if name not in self.tools:
            raise ToolchainError(f"unknown tool: {name!r}; allowed: {self.names}")
        return self.tools[name]


def this_platform() -> str:
    """Return the publishers' name of this machine, such as `linux-amd64`."""
    machine = platform.machine().lower()
    return f"{platform.system().lower()}-{_ARCHITECTURES.get(machine, machine)}"


def load(where: str | None = None, path: Path = PINS, wrappers: Path = WRAPPERS) -> Pins:
    """Read the pins for the platform `where` (default: this platform)."""
    with path.open("rb") as file:
        document = tomllib.load(file)
    major, minor = document["go"]["minimum"].split(".")
    tables = document["tools"]
    tools = {name: _tool(name, _own(name, tables), where or this_platform(), wrappers) for name in tables}
    return Pins((int(major), int(minor)), tools)


def _own(name: str, tables: dict[str, Any]) -> dict[str, Any]:
    """Return the table of `name`; with `same_as`, the other tool's table with the name replaced."""
    own: dict[str, Any] = tables[name]
    model = own.get("same_as")
    return own if model is None else _renamed(tables[model], model, name)


def _renamed(table: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    def rename(value: Any) -> Any:
        if isinstance(value, dict):
            return _renamed(value, old, new)
        return value.replace(old, new) if isinstance(value, str) else value

    return {key: rename(value) for key, value in table.items()}


def _tool(name: str, table: dict[str, Any], where: str, wrappers: Path) -> Tool:
    version: str = table["version"]
    return Tool(
        name=name,
        version=version,
        ask=tuple(table["ask"]),
        release=_release(table.get("release"), version, where),
        build=_build(table["build"], version, wrappers),
        on_request=table.get("on_request", False),
    )


def _release(table: dict[str, Any] | None, version: str, where: str) -> Release | None:
    if table is None or where not in table["assets"]:
        return None
    asset = table["assets"][where].format(version=version)
    base = table["url"].format(version=version)
    return Release(
        url=f"{base}/{asset}",
        checksums_url=f"{base}/{table['checksums'].format(version=version, asset=asset)}",
        sha256=table.get("sha256", {}).get(where),
        keep=tuple(table.get("keep", ())),
    )


def _build(table: dict[str, Any], version: str, wrappers: Path) -> Build:
    major, minor, *_ = version.split(".")
    stamps = [
        f"-X {variable}={value.format(version=version, major=major, minor=minor)}"
        for variable, value in table.get("version_ldflags", {}).items()
    ]
    # -s -w: no symbol tables, as the official builds; a third smaller and quicker to link.
    return Build(
        module=wrappers / table["module"],
        package=table["package"],
        ldflags=" ".join(["-s -w", *stamps]),
    )
