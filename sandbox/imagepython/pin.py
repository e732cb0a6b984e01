"""The image's Python version; its single source is `BASE` in the Dockerfile."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from sandbox.environment import ROOT, PreparationError

DOCKERFILE = ROOT / "syncer/Dockerfile"
_BASE = re.compile(r"^ARG BASE=(\S*)$", re.MULTILINE)
_IMAGE = re.compile(r"python:(3\.\d+)-slim-([a-z]+)(?:@sha256:[0-9a-f]{64})?")


@dataclass(frozen=True, slots=True)
class Pin:
    """A Python version such as 3.13, and the Debian release of the image."""

    version: str
    suite: str

    @classmethod
    def read(cls, dockerfile: Path = DOCKERFILE) -> Self:
        """Return the pin of a Dockerfile. Raises PreparationError for an unknown form of BASE's default."""
        base = _BASE.search(dockerfile.read_text())
        named = base[1] if base else ""
        image = _IMAGE.fullmatch(named)
        if image is None:
            raise PreparationError(
                f"BASE of {dockerfile.name} has no Python version: {named!r}; "
                "allowed: python:3.MINOR-slim-RELEASE, with or without a digest"
            )
        return cls(image[1], image[2])
