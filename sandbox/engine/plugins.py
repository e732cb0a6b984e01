"""Chooses the engine's plugins, official or offline, and puts them where the engine finds them.

Offline ones are installed below PULUMI_HOME/plugins under the version the SDK asks for, like downloaded ones:
on PATH the engine would warn of each ("using ... from $PATH") at every run.
Only where stand-ins are asked for and an official one would come first (on PATH, or beside the Pulumi CLI)
do they go to the sandbox's bin as well.
"""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final, Literal

from sandbox.errors import SandboxError
from sandbox.layout import Layout

VARIABLE: Final = "SANDBOX_PLUGINS"
_MODES: Final = ("auto", "official", "offline")
_DOWNLOADS: Final = ("get.pulumi.com", 443)  # where `pulumi plugin install` downloads from
_PROBE_S: Final = 5.0
_INSTALL_S: Final = 300.0  # the AWS plugin is 180 MB packed
_MARK: Final = "# offline stand-in of node-nlb-sync's sandbox"


class PluginError(SandboxError):
    """The plugins that were asked for cannot be had; the message is one line for people."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """One plugin of the engine and which of the two it is."""

    name: str
    kind: Literal["official", "offline"]
    version: str
    path: Path

    def __str__(self) -> str:
        return f"{self.name} {self.version} ({self.kind})"


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A plugin by the engine's names: `module` is what runs offline."""

    name: str
    role: Literal["language", "resource"]
    version: str
    module: str

    @property
    def executable(self) -> str:
        return f"pulumi-{self.role}-{self.name}"

    @property
    def directory(self) -> str:
        return f"{self.role}-{self.name}-v{self.version}"


def install(
    layout: Layout, environ: Mapping[str, str] = os.environ, pulumi: Path | None = None
) -> list[Plugin]:
    """Make each plugin ready for the sandbox's engine and say which it is.

    SANDBOX_PLUGINS chooses: `official` wants the vendor's own, `offline` the stand-ins, `auto` (the default)
    the official ones where they are installed or can be downloaded by `pulumi`, plugin by plugin.
    Raises PluginError when SANDBOX_PLUGINS is none of these or `official` ones cannot be had.
    """
    mode = environ.get(VARIABLE) or "auto"
    if mode not in _MODES:
        raise PluginError(f"{VARIABLE}={mode}: choose one of {', '.join(_MODES)}")
    wanted = _wanted()
    if mode == "offline":
        return [
            _offline(each, layout, shadowed=_findable(each, environ, pulumi) is not None) for each in wanted
        ]
    found = {each: _official(each, layout, environ, pulumi) for each in wanted}
    missing = [each for each, path in found.items() if path is None]
    if missing and _reachable():
        with ThreadPoolExecutor() as downloads:
            found |= dict(
                zip(
                    missing, downloads.map(lambda each: _download(each, layout, pulumi), missing), strict=True
                )
            )
        missing = [each for each, path in found.items() if path is None]
    if missing and mode == "official":
        names = ", ".join(f"{each.executable} {each.version}" for each in missing)
        raise PluginError(
            f"{VARIABLE}=official, but {names} cannot be had: connect to {_DOWNLOADS[0]}, put them on PATH "
            f"or in ~/.pulumi/plugins, or set {VARIABLE}=offline"
        )
    return [
        _offline(each, layout) if path is None else Plugin(each.name, "official", each.version, path)
        for each, path in found.items()
    ]


def _wanted() -> list[_Wanted]:
    """The plugins of the installed SDKs, in the versions that these ask the engine for."""
    return [
        _Wanted("python", "language", version("pulumi"), "sandbox.engine.language"),
        _Wanted("aws", "resource", version("pulumi-aws"), "sandbox.engine.aws"),
        _Wanted("kubernetes", "resource", version("pulumi-kubernetes"), "sandbox.engine.kubernetes"),
    ]


def _offline(wanted: _Wanted, layout: Layout, *, shadowed: bool = False) -> Plugin:
    path = layout.pulumi_home / "plugins" / wanted.directory / wanted.executable
    command = f'{_MARK}\nexec "{sys.executable}" -m {wanted.module}'
    _write(path, command)
    if shadowed:
        _write(layout.bin / wanted.executable, command)
    else:
        (layout.bin / wanted.executable).unlink(missing_ok=True)
    return Plugin(wanted.name, "offline", wanted.version, path)


def _write(path: Path, command: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!/bin/sh\n{command} "$@"\n')
    path.chmod(0o755)


def _findable(wanted: _Wanted, environ: Mapping[str, str], pulumi: Path | None) -> Path | None:
    """The official plugin that the engine finds by itself: on PATH, or (languages) beside the CLI."""
    beside = pulumi.resolve().parent / wanted.executable if pulumi and wanted.role == "language" else None
    on_path = shutil.which(wanted.executable, path=environ.get("PATH", ""))
    candidates = [Path(on_path) if on_path else None, beside]
    return next((path for path in candidates if path and path.is_file() and not _is_ours(path)), None)


def _official(
    wanted: _Wanted, layout: Layout, environ: Mapping[str, str], pulumi: Path | None
) -> Path | None:
    """An official plugin that is already on this machine, made known to the sandbox's own plugin cache."""
    if findable := _findable(wanted, environ, pulumi):
        _clear(layout, wanted)
        return findable
    homes = [layout.pulumi_home, Path(environ.get("PULUMI_HOME") or Path.home() / ".pulumi")]
    for home in homes:
        path = home / "plugins" / wanted.directory / wanted.executable
        if path.is_file() and not _is_ours(path):
            if home != layout.pulumi_home:
                # A link would not do: the engine looks at real directories only.
                _write(
                    layout.pulumi_home / "plugins" / wanted.directory / wanted.executable, f'exec "{path}"'
                )
            return path
    return None


def _download(wanted: _Wanted, layout: Layout, pulumi: Path | None) -> Path | None:
    """Let Pulumi download and check the plugin; a language plugin comes only with Pulumi's own release."""
    if pulumi is None or wanted.role == "language":
        return None
    _clear(layout, wanted)
    command = [str(pulumi), "plugin", "install", wanted.role, wanted.name, f"v{wanted.version}"]
    environ = {**os.environ, "PULUMI_HOME": str(layout.pulumi_home), "PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        done = subprocess.run(command, env=environ, capture_output=True, timeout=_INSTALL_S, check=False)
    except subprocess.TimeoutExpired:
        return None
    path = layout.pulumi_home / "plugins" / wanted.directory / wanted.executable
    return path if done.returncode == 0 and path.is_file() else None


def _clear(layout: Layout, wanted: _Wanted) -> None:
    """Take a stand-in out of the sandbox's plugin cache, where it would be found before the official one."""
    (layout.bin / wanted.executable).unlink(missing_ok=True)
    directory = layout.pulumi_home / "plugins" / wanted.directory
    if _is_ours(directory / wanted.executable):
        shutil.rmtree(directory)


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
