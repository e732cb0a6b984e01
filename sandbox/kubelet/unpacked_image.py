"""The image for the Pods of a sandbox, and the reason if Pods run as processes."""

import filecmp
import json
import os
import shutil
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Self

from sandbox.environment import ROOT, PreparationError
from sandbox.image import builders, storage
from sandbox.image.storage import Config
from sandbox.layout import Layout

# SANDBOX_IMAGE names another image; with an empty value, Pods run as processes.
VARIABLE: Final = "SANDBOX_IMAGE"
RUNTIMES: Final = ("runc", "crun")
# Files of the build context that are not in the image.
_NOT_SHIPPED: Final = frozenset({"Dockerfile", "Dockerfile.dockerignore", "uv.txt"})


@dataclass(frozen=True, slots=True, kw_only=True)
class UnpackedImage:
    """An image to run from `root` with `runtime`, the path of runc or crun."""

    image: str
    id: str
    runtime: str
    root: str
    config: Config

    @classmethod
    def read(cls, layout: Layout) -> Self | None:
        """Read a sandbox's image; None if its Pods run as processes."""
        try:
            found = json.loads(layout.image.read_text())
            return cls(**{**found, "config": Config(**found["config"])})
        except (OSError, ValueError, KeyError, TypeError):  # absent, or of another version
            return None

    @property
    def by(self) -> str:
        """The runtime's name."""
        return Path(self.runtime).name

    def __str__(self) -> str:
        return f"containers of {self.image}, by {self.by}"


def choose(layout: Layout, name: str) -> str:
    """Run new Pods from the image if possible; return a description of the chosen way."""
    try:
        found = _unpacked(layout, name)
    except (PreparationError, OSError) as why:
        layout.image.unlink(missing_ok=True)
        return f"processes: {why}"
    staged = layout.image.with_suffix(".new")
    staged.write_text(json.dumps(asdict(found)))
    staged.replace(layout.image)
    return str(found)


def prune(layout: Layout) -> None:
    """Remove the files of images that no new Pod can use."""
    current = UnpackedImage.read(layout)
    for directory in layout.images.glob("*"):
        if current is None or directory != Path(current.root):
            shutil.rmtree(directory)


def _unpacked(layout: Layout, name: str) -> UnpackedImage:
    if not name:
        raise PreparationError(f"{VARIABLE} is empty")
    if sys.platform != "linux" or os.geteuid() != 0:
        raise PreparationError("containers need Linux and root rights")
    runtime = next(filter(None, map(shutil.which, RUNTIMES)), None)
    if runtime is None:
        raise PreparationError(f"neither {' nor '.join(RUNTIMES)} is installed")
    program = builders.find().program
    try:
        number, config = storage.inspect(program, name)
    except OSError:
        raise PreparationError(f"missing image: {name}; run `make image`") from None
    (own,) = builders.platforms(None)
    if own != f"linux/{config.architecture}":
        raise PreparationError(f"{name} is for linux/{config.architecture}; run `make image` for {own}")
    root = layout.images / number[:12]
    if not root.exists():
        staged = root.with_suffix(".new")
        shutil.rmtree(staged, ignore_errors=True)
        storage.unpack(program, name, staged)
        staged.replace(root)
    if other := _differs(ROOT / "syncer", root / "app/syncer"):
        raise PreparationError(f"{name} differs from this clone in {other}; run `make image`")
    return UnpackedImage(image=name, id=number, runtime=runtime, root=str(root), config=config)


def _differs(ours: Path, shipped: Path) -> str:
    """Return a file of the package that the image lacks or has with other content; "" if equal."""
    for path in sorted(ours.rglob("*")):
        part = path.relative_to(ours)
        if path.is_dir() or "__pycache__" in part.parts or part.name in _NOT_SHIPPED:
            continue
        there = shipped / part
        if not there.is_file() or not filecmp.cmp(path, there, shallow=False):
            return f"{ours.name}/{part}"
    return ""
