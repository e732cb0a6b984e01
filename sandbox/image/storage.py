"""The storage of Docker, Podman or Buildah: an image's id, its configuration, its files."""

import contextlib
import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

# The image of `make image` and of the sandbox's Pods.
NAME: Final = "localhost/node-nlb-sync:dev"


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Env, Entrypoint, Cmd, User, Labels and architecture of an image (OCI image specification)."""

    env: Mapping[str, str]
    entrypoint: Sequence[str]
    cmd: Sequence[str]
    user: str
    labels: Mapping[str, str]
    architecture: str

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Self:
        """Parse an image's `config`; any field may be absent or null."""
        pairs = (each.partition("=") for each in found.get("Env") or ())
        return cls(
            env={name: value for name, _, value in pairs},
            entrypoint=list(found.get("Entrypoint") or ()),
            cmd=list(found.get("Cmd") or ()),
            user=found.get("User") or "",
            labels=dict(found.get("Labels") or {}),
            architecture=found.get("architecture") or "",
        )


def inspect(program: str, image: str) -> tuple[str, Config]:
    """Return an image's id and configuration. Raises OSError if the storage of `program` lacks the image."""
    try:
        if program == "buildah":
            found = json.loads(_run(program, "inspect", "--type=image", image))
            of_image = {**found["OCIv1"]["config"], "architecture": found["OCIv1"]["architecture"]}
            return str(found["FromImageID"]), Config.of(of_image)
        (found,) = json.loads(_run(program, "image", "inspect", image))
        of_image = {**found["Config"], "architecture": found["Architecture"]}
        return str(found["Id"]).removeprefix("sha256:"), Config.of(of_image)
    except (ValueError, KeyError, TypeError) as error:
        raise OSError(f"{program} inspect {image}: malformed answer ({error})") from None


@contextlib.contextmanager
def root_of(image: str) -> Iterator[Path]:
    """Mount the file system of an image in Buildah's storage for the block. Raises OSError if missing."""
    container = _run("buildah", "from", "--pull-never", image)
    try:
        yield Path(_run("buildah", "mount", container))
    finally:
        _run("buildah", "umount", container)
        _run("buildah", "rm", container)


def unpack(program: str, image: str, into: Path) -> None:
    """Copy an image's files into a new directory, including owners and modes. Raises OSError."""
    into.mkdir(parents=True)
    if program == "buildah":
        with root_of(image) as root:
            _run("cp", "--archive", f"{root}/.", str(into))
        return
    container = _run(program, "create", image)
    try:
        with subprocess.Popen([program, "export", container], stdout=subprocess.PIPE) as exporting:
            done = subprocess.run(
                ["tar", "--extract", "--numeric-owner", "--directory", str(into)],
                stdin=exporting.stdout,
                capture_output=True,
                text=True,
                check=False,
            )
        if exporting.returncode or done.returncode:
            raise OSError(f"{program} export: {done.stderr.strip() or f'status {exporting.returncode}'}")
    finally:
        _run(program, "rm", container)


def _run(program: str, *words: str) -> str:
    done = subprocess.run([program, *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise OSError(f"{program} {words[0]}: {done.stderr.strip()}")
    return done.stdout.strip()
