"""What the toolchain's tests are made of: a publisher, archives, pins of small tools, kept reports."""

import hashlib
import io
import tarfile
import threading
import zipfile
from dataclasses import dataclass, field, replace
from pathlib import Path

from sandbox.toolchain.pins import Build, Pins, Release, Tool
from sandbox.toolchain.progress import Progress, Step

VERSION = "1.2.3"


@dataclass
class Publisher:
    """A release server; what it answers can be spoilt path by path."""

    url: str
    assets: dict[str, bytes] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    truncated: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)
    closing: threading.Event = field(default_factory=threading.Event)

    def publish(self, name: str, content: bytes) -> None:
        """Serve an asset and its digest in SHA256SUMS, as etcd and Pulumi are published."""
        self.assets[f"/{name}"] = content
        listed = f"{hashlib.sha256(content).hexdigest()}  {name}\n".encode()
        self.assets["/SHA256SUMS"] = self.assets.get("/SHA256SUMS", b"") + listed

    def release(self, name: str, *keep: str) -> Release:
        """The release that `publish` made."""
        return Release(
            url=f"{self.url}/{name}", checksums_url=f"{self.url}/SHA256SUMS", sha256=None, keep=keep
        )


def tarball(**files: bytes) -> bytes:
    """A .tar.gz that holds `files` in a directory, as Pulumi's does."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"pulumi/{name.replace('_', '-')}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def zipped(**files: bytes) -> bytes:
    """A .zip that holds `files` in a directory, as etcd's for macOS does."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(f"etcd-v1.2.3/{name.replace('_', '-')}", content)
    return buffer.getvalue()


def tool_of(program: Path, release: Release | None = None, name: str = "tool") -> Tool:
    """A pinned tool that is published as `release` and built from `program`."""
    ldflags = f"-s -w -X main.version=v{VERSION}"
    return Tool(
        name=name,
        version=VERSION,
        ask=("--version",),
        release=release,
        build=Build(module=program, package="example", ldflags=ldflags),
    )


def pins_of(*tools: Tool) -> Pins:
    """Pins of these tools alone."""
    return Pins((1, 21), {tool.name: tool for tool in tools})


def renamed(tool: Tool, *names: str) -> list[Tool]:
    """The same tool under several names."""
    return [replace(tool, name=name) for name in names]


@dataclass
class Reports:
    """Keeps what was reported."""

    all: list[Progress] = field(default_factory=list)

    def __call__(self, progress: Progress) -> None:
        self.all.append(progress)

    def notes(self, step: Step) -> list[str]:
        """The notes of one step."""
        return [report.note for report in self.all if report.step is step]
