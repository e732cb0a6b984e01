"""Docker, Podman and Buildah: their commands to build and push an image."""

import json
import os
import platform
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sandbox import environment
from sandbox.environment import PreparationError, Say
from sandbox.image import errors, secrets

_MACHINES: Final = {
    "x86_64": "linux/amd64",
    "amd64": "linux/amd64",
    "aarch64": "linux/arm64",
    "arm64": "linux/arm64",
}
PLATFORMS: Final = ("linux/amd64", "linux/arm64")
NONE_HERE: Final = (
    "no builder: neither Docker (with its engine running), nor Podman, nor Buildah is here; "
    "install one, for example by `apt-get install buildah`"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A build: the context, the name, the bases, the platforms, the labels, a folder for secrets."""

    context: Path
    name: str
    base: str
    build_base: str
    platforms: Sequence[str]
    arguments: Mapping[str, str]
    secrets: Path

    def words(self) -> Iterator[str]:
        """Return the options common to all builders."""
        given = {"BASE": self.base, "BUILD_BASE": self.build_base, **self.arguments}
        yield from (f"--build-arg={key}={value}" for key, value in given.items())
        yield f"--platform={','.join(self.platforms)}"
        yield from secrets.flags(self.secrets, os.environ)


class Buildah:
    """Buildah, and Podman, which has the same options."""

    def __init__(self, program: str = "buildah") -> None:
        self.program = program
        # No container engine is needed: the Dockerfile is trusted, this project's own.
        self.variables = {"BUILDAH_ISOLATION": os.environ.get("BUILDAH_ISOLATION", "chroot")}

    def build(self, wanted: Wanted, say: Say, *more: str) -> None:
        """Build into the local storage; `more` are options of Buildah. Raises PreparationError."""
        several = len(wanted.platforms) > 1
        if several:  # an old manifest list would keep its images, and an image cannot have a list's name
            self._quietly("manifest", "rm", wanted.name)
            self._quietly("untag", wanted.name)
        named = f"--manifest={wanted.name}" if several else f"--tag={wanted.name}"
        # Buildah before 1.30 needs the platform of the build as an argument.
        (own,) = platforms(None)
        here = [f"--build-arg=BUILDPLATFORM={own}", f"--build-arg=BUILDARCH={own.partition('/')[2]}"]
        words = [self.program, "build", "--layers", named, *more, *here, *wanted.words(), str(wanted.context)]
        if refusal := environment.run(words, f"{self.program} build", wanted.context, say, self.variables):
            raise PreparationError(errors.of_build(refusal, program=self.program, base=wanted.base))

    def push(self, wanted: Wanted, reference: str, say: Say) -> str:
        """Push under `reference` and return the digest. Raises PreparationError."""
        verb = ["manifest", "push", "--all"] if len(wanted.platforms) > 1 else ["push"]
        with tempfile.TemporaryDirectory() as place:
            file = Path(place) / "digest"
            words = [self.program, *verb, f"--digestfile={file}", wanted.name, f"docker://{reference}"]
            if refusal := environment.run(words, f"{self.program} push", Path(place), say, self.variables):
                raise PreparationError(errors.of_push(refusal, program=self.program, reference=reference))
            return file.read_text().strip()

    def load(self, archive: Path, name: str, say: Say) -> None:
        """Create a single-layer image from a tar of a root. Raises PreparationError."""
        file = archive.with_name("Dockerfile")
        file.write_text(f"FROM scratch\nADD {archive.name} /\n")
        words = [self.program, "build", f"--tag={name}", f"--file={file}", str(archive.parent)]
        if refusal := environment.run(words, f"{self.program}: {name}", archive.parent, say, self.variables):
            raise PreparationError(f"{self.program} cannot create {name}: {refusal}")

    def has(self, name: str) -> bool:
        """Whether the local storage has an image of this name."""
        return bool(environment.answer([self.program, "images", "--quiet", name]).strip())

    def _quietly(self, *words: str) -> None:
        environment.answer([self.program, *words])


class Docker:
    """Docker, with Buildx if installed: Debian's and Ubuntu's docker.io comes without Buildx."""

    program = "docker"

    def build(self, wanted: Wanted, say: Say) -> None:
        """Build into the engine's storage: a single platform for a name. Raises PreparationError."""
        if len(wanted.platforms) > 1:
            return  # built by the push: the engine's storage may refuse several platforms under one name
        options = ["--load"] if self._has_buildx() else []
        self._run(wanted, [*options, f"--tag={wanted.name}"], say, None)

    def push(self, wanted: Wanted, reference: str, say: Say) -> str:
        """Push under `reference` and return the digest. Raises PreparationError."""
        if not self._has_buildx():
            return self._push_built(wanted, reference, say)
        with tempfile.TemporaryDirectory() as place:
            file = Path(place) / "metadata.json"
            words = ["--push", "--provenance=false", f"--tag={reference}", f"--metadata-file={file}"]
            self._run(wanted, words, say, reference)
            return str(json.loads(file.read_text())["containerimage.digest"])

    def load(self, archive: Path, name: str, say: Say) -> None:
        """Create a single-layer image from a tar of a root. Raises PreparationError."""
        words = [self.program, "import", str(archive), name]
        if refusal := environment.run(words, f"{self.program}: {name}", archive.parent, say, os.environ):
            raise PreparationError(f"{self.program} cannot create {name}: {refusal}")

    def has(self, name: str) -> bool:
        """Whether the engine has an image of this name."""
        return bool(environment.answer([self.program, "images", "--quiet", name]).strip())

    def _run(self, wanted: Wanted, words: Sequence[str], say: Say, reference: str | None) -> None:
        verb = ["buildx", "build"] if self._has_buildx() else ["build"]
        every = [self.program, *verb, *words, *wanted.words(), str(wanted.context)]
        variables = {**os.environ, "DOCKER_BUILDKIT": "1"}  # the older builder does not support secrets
        refusal = environment.run(every, f"docker {' '.join(verb)}", wanted.context, say, variables)
        if refusal and reference and "push" in refusal:
            raise PreparationError(errors.of_push(refusal, program=self.program, reference=reference))
        if refusal:
            raise PreparationError(errors.of_build(refusal, program=self.program, base=wanted.base))

    def _push_built(self, wanted: Wanted, reference: str, say: Say) -> str:
        """Push the stored image of the build's name."""
        if len(wanted.platforms) > 1:
            raise PreparationError(
                "several platforms need Docker's Buildx, which is not here: install the package "
                "docker-buildx-plugin or docker-buildx, or name one platform by PLATFORMS="
            )
        with tempfile.TemporaryDirectory() as place:
            for verb in (["tag", wanted.name, reference], ["push", reference]):
                words = [self.program, *verb]
                if refusal := environment.run(words, f"docker {verb[0]}", Path(place), say, os.environ):
                    raise PreparationError(errors.of_push(refusal, program=self.program, reference=reference))
        listed = environment.answer(
            [self.program, "image", "inspect", "--format={{json .RepoDigests}}", reference]
        )
        own = errors.qualified(errors.without_tag(reference))
        for each in json.loads(listed or "[]"):
            name, _, digest = str(each).partition("@")
            if errors.qualified(name) == own:
                return digest
        raise PreparationError(
            f"docker pushed {reference} and reports no digest; "
            f"print the digest with `docker buildx imagetools inspect {reference}`"
        )

    def _has_buildx(self) -> bool:
        return bool(environment.answer([self.program, "buildx", "version"]).strip())


Builder = Buildah | Docker


def find() -> Builder:
    """Return the builder of this machine. Raises PreparationError if missing."""
    if environment.answer(["docker", "version", "--format={{.Server.Version}}"]).strip():
        return Docker()
    for program in ("podman", "buildah"):
        if shutil.which(program):
            return Buildah(program)
    raise PreparationError(NONE_HERE)


def platforms(text: str | None) -> list[str]:
    """Return the platforms of a comma-separated list, by default this machine's. Raises PreparationError."""
    if not text:
        own = _MACHINES.get(platform.machine().lower())
        if own is None:
            raise PreparationError(
                f"no image for {platform.machine()}: allowed: {', '.join(PLATFORMS)}; name one by PLATFORMS="
            )
        return [own]
    found = list(dict.fromkeys(part.strip() for part in text.split(",")))
    for each in found:
        if each not in PLATFORMS:
            raise PreparationError(
                f"PLATFORMS: read {each!r}; allowed: {', '.join(PLATFORMS)}; "
                f"for example `make image PLATFORMS={','.join(PLATFORMS)} PUSH=REGISTRY/NAME:TAG`"
            )
    return found
