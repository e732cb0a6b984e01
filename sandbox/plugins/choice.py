"""Choose the engine's plugins, official or offline, and install the choice for the engine.

Offline plugins are installed below PULUMI_HOME/plugins under the version required by the SDK, like downloaded
plugins: for plugins on PATH the engine would warn ("using ... from $PATH") at every run. The chosen plugin is
also installed in the sandbox's bin, but only where the engine would find another plugin first (on PATH, or
beside the Pulumi CLI).
"""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Final, Literal

from sandbox.errors import SandboxError
from sandbox.layout import Layout
from sandbox.plugins import plugin_version
from sandbox.plugins.plugin_version import NoVersionError
from sandbox.toolchain import pins

VARIABLE: Final = "SANDBOX_PLUGINS"
_MODES: Final = ("auto", "official", "offline")
_DOWNLOADS: Final = ("get.pulumi.com", 443)  # download host of `pulumi plugin install`
_PROBE_S: Final = 5.0
_INSTALL_S: Final = 300.0  # the AWS plugin is 180 MB packed
_MARK: Final = "node-nlb-sync's sandbox"  # part of every script written by this module


class PluginError(SandboxError):
    """The requested plugins are unavailable; the message is a line for people."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """A plugin of the engine, official or offline.

    `refused` are lines about unused executables of the same name.
    """

    name: str
    kind: Literal["official", "offline"]
    version: str
    path: Path
    refused: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.name} {self.version} ({self.kind})"

    def to_json(self) -> dict[str, object]:
        """Return the plugin in the form of `sandbox status --json`."""
        return {
            "name": self.name,
            "kind": self.kind,
            "version": self.version,
            "path": str(self.path),
            "refused": list(self.refused),
        }


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A plugin by the engine's names: `module` is the offline implementation.

    `also` are further allowed versions of the official plugin: a language host is released with the CLI.
    """

    name: str
    role: plugin_version.Role
    version: str
    module: str
    also: frozenset[str] = frozenset()

    @property
    def executable(self) -> str:
        return f"pulumi-{self.role}-{self.name}"

    @property
    def directory(self) -> str:
        return f"{self.role}-{self.name}-v{self.version}"


@dataclass(slots=True)
class _Search:
    """The result of the search for an official plugin."""

    wanted: _Wanted
    path: Path | None = None
    version: str = ""
    refused: list[str] = field(default_factory=list)


def install(
    layout: Layout, environ: Mapping[str, str] = os.environ, pulumi: Path | None = None
) -> list[Plugin]:
    """Make every plugin ready for the sandbox's engine; return the choices.

    SANDBOX_PLUGINS chooses: `official` requires the vendor's plugins, `offline` the stand-ins; `auto` (the
    default) takes the official plugin where installed or downloadable by `pulumi`, separately per plugin.
    Raises PluginError for any other value, or when `official` plugins are unavailable.
    """
    mode = environ.get(VARIABLE) or "auto"
    if mode not in _MODES:
        raise PluginError(f"{VARIABLE} is {mode}; allowed: {', '.join(_MODES)}")
    searches = [_Search(each) for each in _wanted()]
    if mode != "offline":
        _search(searches, layout, environ, pulumi)
        if mode == "official":
            _require(searches)
    chosen = [_choose(search, layout, _findable(search.wanted, environ, pulumi)) for search in searches]
    layout.plugins.parent.mkdir(parents=True, exist_ok=True)
    layout.plugins.write_text(json.dumps([plugin.to_json() for plugin in chosen], indent=2) + "\n")
    return chosen


def installed(layout: Layout) -> list[Plugin]:
    """Return the choices of the last `install`; empty before the first."""
    try:
        found = json.loads(layout.plugins.read_text())
    except (OSError, ValueError):
        return []
    return [
        Plugin(one["name"], one["kind"], one["version"], Path(one["path"]), tuple(one["refused"]))
        for one in found
    ]


def _wanted() -> list[_Wanted]:
    """Return the plugins of the installed SDKs, in the versions required by the SDKs."""
    cli = frozenset({pins.load().tool("pulumi").version})
    return [
        _Wanted("python", "language", version("pulumi"), "sandbox.plugins.language", cli),
        _Wanted("aws", "resource", version("pulumi-aws"), "sandbox.plugins.aws"),
        _Wanted("kubernetes", "resource", version("pulumi-kubernetes"), "sandbox.plugins.kubernetes"),
    ]


def _search(searches: list[_Search], layout: Layout, environ: Mapping[str, str], pulumi: Path | None) -> None:
    """Look for every official plugin on this machine, then download the missing plugins."""
    with ThreadPoolExecutor() as together:
        list(together.map(lambda each: _official(each, layout, environ, pulumi), searches))
        missing = [each for each in searches if each.path is None]
        if missing and _reachable():
            list(together.map(lambda each: _download(each, layout, pulumi), missing))


def _require(searches: list[_Search]) -> None:
    missing = [each for each in searches if each.path is None]
    if missing:
        names = ", ".join(f"{each.wanted.executable} {each.wanted.version}" for each in missing)
        refused = "".join(f"; {line}" for each in missing for line in each.refused)
        raise PluginError(
            f"{VARIABLE}=official, but {names} cannot be had{refused}: connect to {_DOWNLOADS[0]}, put them "
            f"on PATH or in ~/.pulumi/plugins, or set {VARIABLE}=offline"
        )


def _choose(search: _Search, layout: Layout, findable: list[Path]) -> Plugin:
    """Install the result of the search: the official plugin, else the stand-in."""
    wanted = search.wanted
    cached = layout.pulumi_home / "plugins" / wanted.directory / wanted.executable
    # The engine caches schemas by version, and the previous choice may have had another schema.
    for schema in cached.parent.parent.glob(f"schema-{wanted.name}-{wanted.version}-*.json"):
        schema.unlink(missing_ok=True)
    if search.path is None:
        command = f'"{sys.executable}" -m {wanted.module}'
        _write(cached, command)
        plugin = Plugin(wanted.name, "offline", wanted.version, cached, tuple(search.refused))
    else:
        command = f'"{search.path}"'
        if search.path in findable:
            if _is_ours(cached):  # the engine would find the stand-in before the official plugin
                shutil.rmtree(cached.parent)
        elif search.path != cached:
            # Not a link: the engine reads only real directories.
            _write(cached, command)
        plugin = Plugin(wanted.name, "official", search.version, search.path, tuple(search.refused))
    if findable and findable[0] != search.path:
        _write(layout.bin / wanted.executable, command)
    else:
        (layout.bin / wanted.executable).unlink(missing_ok=True)
    return plugin


def _write(path: Path, command: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!/bin/sh\n# Written by {_MARK}.\nexec {command} "$@"\n')
    path.chmod(0o755)


def _findable(wanted: _Wanted, environ: Mapping[str, str], pulumi: Path | None) -> list[Path]:
    """Return the plugins found by the engine itself, in order: on PATH, or (languages) beside the CLI."""
    folders = [folder for folder in environ.get("PATH", "").split(os.pathsep) if folder]
    found = [shutil.which(wanted.executable, path=folder) for folder in folders]
    paths = [Path(path) for path in found if path]
    if pulumi and wanted.role == "language":
        paths.append(pulumi.resolve().parent / wanted.executable)
    return [path for path in dict.fromkeys(paths) if path.is_file() and not _is_ours(path)]


def _official(search: _Search, layout: Layout, environ: Mapping[str, str], pulumi: Path | None) -> None:
    """Look for an official plugin of the wanted version on this machine."""
    wanted = search.wanted
    for path in _findable(wanted, environ, pulumi):
        if _is_wanted(search, path):
            return
    homes = [layout.pulumi_home, Path(environ.get("PULUMI_HOME") or Path.home() / ".pulumi")]
    for home in homes:
        path = home / "plugins" / wanted.directory / wanted.executable
        # `pulumi plugin install` creates such a directory and checks the download; like the engine, trust the
        # version in the directory's name.
        if path.is_file() and not _is_ours(path):
            search.path, search.version = path, wanted.version
            return


def _is_wanted(search: _Search, path: Path) -> bool:
    """Read the executable's version; for another version, record the reason for not using the executable."""
    wanted = search.wanted
    try:
        found = plugin_version.ask(path, wanted.role)
    except NoVersionError as error:
        search.refused.append(f"{path} is not used: {error}; {wanted.executable} {wanted.version} is wanted")
        return False
    if found != wanted.version and found not in wanted.also:
        search.refused.append(f"{path} is not used: it is version {found}; {wanted.version} is wanted")
        return False
    search.path, search.version = path, found
    return True


def _download(search: _Search, layout: Layout, pulumi: Path | None) -> None:
    """Download and check the plugin by `pulumi`; a language plugin comes only with Pulumi's own release."""
    wanted = search.wanted
    if pulumi is None or wanted.role == "language":
        return
    path = layout.pulumi_home / "plugins" / wanted.directory / wanted.executable
    if _is_ours(path):
        shutil.rmtree(path.parent)
    command = [str(pulumi), "plugin", "install", wanted.role, wanted.name, f"v{wanted.version}"]
    environ = {**os.environ, "PULUMI_HOME": str(layout.pulumi_home), "PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        done = subprocess.run(command, env=environ, capture_output=True, timeout=_INSTALL_S, check=False)
    except subprocess.TimeoutExpired:
        return
    if done.returncode == 0 and path.is_file():
        search.path, search.version = path, wanted.version


def _is_ours(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return _MARK.encode() in file.read(200)
    except OSError:
        return False


def _reachable() -> bool:
    try:
        with socket.create_connection(_DOWNLOADS, timeout=_PROBE_S):
            return True
    except OSError:
        return False
