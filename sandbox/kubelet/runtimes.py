"""Runtimes of a Pod's container: a process of this machine, or runc or crun with the image."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from sandbox.image import bundle
from sandbox.image.bundle import Bind
from sandbox.kubelet import image, volumes, webhook
from sandbox.kubelet.environment import ConfigError
from sandbox.kubelet.unpacked_image import UnpackedImage
from sandbox.layout import Layout


@dataclass(frozen=True, slots=True, kw_only=True)
class PodContainer:
    """A container in its Pod: both objects, and the Pod's directory and uid."""

    container: Mapping[str, Any]
    pod: Mapping[str, Any]
    directory: Path

    @property
    def name(self) -> str:
        """The container's name."""
        return str(self.container["name"])

    @property
    def volumes(self) -> Path:
        """The volumes of the Pod, a directory for each."""
        return self.directory / "volumes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """The command to start: words, exact environment, working directory.

    `inside` is the prefix of a command that runs in the container. `remove` is the command that kills and
    removes the container, if a container exists beside the started process.
    """

    words: Sequence[str]
    env: Mapping[str, str]
    directory: Path
    inside: Sequence[str] = ()
    remove: Sequence[str] = ()


class Runtime(Protocol):
    """Prepares containers."""

    @property
    def name(self) -> str:
        """The container kind, for a container's id."""

    def base(self, place: PodContainer) -> Mapping[str, str]:
        """Return the variables of a container before its declared variables."""

    def start(self) -> image.Start:
        """Return the image's command. Raises ImageError."""

    def command(self, place: PodContainer, words: Sequence[str], env: Mapping[str, str]) -> Command:
        """Prepare a container that runs `words` with exactly `env`. Raises ConfigError."""


class ProcessRuntime:
    """Processes of this machine: the package replaces the image, and a directory replaces the root."""

    name: str = "process"

    def base(self, place: PodContainer) -> Mapping[str, str]:
        """Return PATH, and the directory with the mounts."""
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
        return {"PATH": path, "CONTAINER_SANDBOX_MOUNT_POINT": str(self._root(place))}

    def start(self) -> image.Start:
        """Return the Dockerfile's command."""
        return image.of_dockerfile(image.DOCKERFILE)

    def command(self, place: PodContainer, words: Sequence[str], env: Mapping[str, str]) -> Command:
        """Link the mounts below the root; the AWS SDK's variables get the paths below this root."""
        root = self._root(place)
        root.mkdir(parents=True, exist_ok=True)
        volumes.link(root, place.volumes, place.container)
        moved = webhook.moved_files(env, place.container, str(root))
        return Command(words=words, env={**env, **moved}, directory=root)

    def _root(self, place: PodContainer) -> Path:
        return place.directory / "root" / place.name


@dataclass(frozen=True, slots=True)
class OciRuntime:
    """Containers of an unpacked image, with their own mounts and the network of this machine."""

    unpacked: UnpackedImage
    state: Path

    @property
    def name(self) -> str:
        """The runtime's name."""
        return self.unpacked.by

    def base(self, place: PodContainer) -> Mapping[str, str]:
        """Return the image's variables."""
        del place
        return self.unpacked.config.env

    def start(self) -> image.Start:
        """Return the image's command."""
        return image.Start(tuple(self.unpacked.config.entrypoint), tuple(self.unpacked.config.cmd))

    def command(self, place: PodContainer, words: Sequence[str], env: Mapping[str, str]) -> Command:
        """Write the container's bundle."""
        where = place.directory / "bundles" / place.name
        where.mkdir(parents=True, exist_ok=True)
        # The kubelet's own file; programs use the file to detect the host's network.
        hosts = where / "hosts"
        network = " (host network)" if place.pod["spec"].get("hostNetwork") else ""
        hosts.write_text(f"# Kubernetes-managed hosts file{network}.\n127.0.0.1\tlocalhost\n")
        bundle.write(
            where,
            Path(self.unpacked.root),
            words=words,
            variables=env,
            binds=[Bind(source=hosts, destination="/etc/hosts"), *_binds(place)],
            user=_user(place, self.unpacked.config.user),
        )
        runtime = [self.unpacked.runtime, "--root", str(self.state)]
        number = f"{place.pod['metadata']['uid']}-{place.name}"
        return Command(
            words=[*runtime, "run", "--bundle", str(where), number],
            env={"PATH": os.environ.get("PATH", os.defpath)},
            directory=where,
            inside=[*runtime, "exec", number],
            remove=[*runtime, "delete", "--force", number],
        )


def of(layout: Layout) -> Runtime:
    """Return the runtime for new Pods of a sandbox."""
    unpacked = UnpackedImage.read(layout)
    return OciRuntime(unpacked, layout.containers) if unpacked else ProcessRuntime()


def _binds(place: PodContainer) -> list[Bind]:
    writable = {volume["name"] for volume in place.pod["spec"].get("volumes", []) if "emptyDir" in volume}
    return [
        Bind(
            source=place.volumes / mount["name"] / mount.get("subPath", ""),
            destination=mount["mountPath"],
            writable=mount["name"] in writable and not mount.get("readOnly"),
        )
        for mount in place.container.get("volumeMounts", [])
    ]


def _user(place: PodContainer, of_image: str) -> int:
    """Return the uid of the container, its Pod or its image; the kubelet refuses root with runAsNonRoot."""
    contexts = [each.get("securityContext") or {} for each in (place.container, place.pod["spec"])]
    named = next((each["runAsUser"] for each in contexts if "runAsUser" in each), None)
    user = int(named if named is not None else (of_image.partition(":")[0] or "0"))
    strict = next((each["runAsNonRoot"] for each in contexts if "runAsNonRoot" in each), False)
    if strict and user == 0:
        raise ConfigError("container has runAsNonRoot and image will run as root")
    return user
