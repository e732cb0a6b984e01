"""The image of a container: whether the kubelet runs the Pod, and the image's command."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OURS = "node-nlb-sync"
# The variables with the listen addresses of the image's program, and their defaults.
PORTS = {"NLB_SYNC_PORT": "8080", "NLB_SYNC_PROBE_PORT": ""}
DOCKERFILE = Path(__file__).parents[2] / "syncer" / "Dockerfile"

_INSTRUCTION = re.compile(r"^\s*(?P<word>[A-Za-z]+)\s+(?P<rest>.*)$", re.DOTALL)


class ImageError(Exception):
    """The image's command is unknown; the message is one line for a container's status."""


@dataclass(frozen=True, slots=True)
class Start:
    """ENTRYPOINT and CMD of an image."""

    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()


def is_ours(pod: dict[str, Any]) -> bool:
    """Whether the repository names of all containers end in `node-nlb-sync`."""
    spec = pod["spec"]
    containers = [*spec.get("initContainers", []), *spec["containers"]]
    return all(repository(container["image"]).endswith(OURS) for container in containers)


def repository(image: str) -> str:
    """Return an image reference without tag and digest."""
    name = image.partition("@")[0]
    registry, slash, last = name.rpartition("/")
    return registry + slash + last.partition(":")[0]


def read(text: str) -> Start:
    """Read ENTRYPOINT and CMD of a Dockerfile's last stage. Raises ImageError for a shell form.

    The shell form would run `/bin/sh -c` of an image that is not present.
    """
    found: dict[str, tuple[str, ...]] = {}
    for word, rest in _instructions(text):
        if word == "FROM":
            found = {}
        elif word in {"ENTRYPOINT", "CMD"}:
            found[word] = _exec_form(word, rest)
    return Start(found.get("ENTRYPOINT", ()), found.get("CMD", ()))


def of_dockerfile(dockerfile: Path) -> Start:
    """Return the command of the image built from this Dockerfile. Raises ImageError."""
    try:
        return read(dockerfile.read_text())
    except OSError as error:
        raise ImageError(
            f"{dockerfile} cannot be read ({error.strerror}); the sandbox reads it in place of the image"
        ) from error


def words(container: Mapping[str, Any], start: Start) -> list[str]:
    """Return the command of a container: `command` and `args` over ENTRYPOINT and CMD, as in Kubernetes.

    (kubernetes.io/docs, "Define a Command and Arguments for a Container": a `command` also hides the image's
    CMD.) Raises ImageError for an empty command.
    """
    command, args = container.get("command"), container.get("args")
    if command:
        return [*command, *(args or ())]
    found = [*start.entrypoint, *(start.cmd if args is None else args)]
    if not found:
        raise ImageError("the container has no command, and its image has no entrypoint")
    return found


def _instructions(text: str) -> list[tuple[str, str]]:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\[ \t]*\n", " ", "\n".join(lines))
    matches = (_INSTRUCTION.match(line) for line in joined.splitlines())
    return [(match["word"].upper(), match["rest"].strip()) for match in matches if match]


def _exec_form(word: str, rest: str) -> tuple[str, ...]:
    try:
        found = json.loads(rest)
    except ValueError:
        found = None
    if not isinstance(found, list) or not all(isinstance(part, str) for part in found):
        raise ImageError(f'{word} in the Dockerfile must be in exec form, ["program", "argument"]: {rest}')
    return tuple(found)
