"""What the container image would say: which Pods are ours to run, and the command that the image starts."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OURS = "node-nlb-sync"
# The variables with the addresses on which the image's program listens, and their defaults.
PORTS = {"NLB_SYNC_PORT": "8080", "NLB_SYNC_PROBE_PORT": ""}
DOCKERFILE = Path(__file__).parents[2] / "syncer" / "Dockerfile"

_INSTRUCTION = re.compile(r"^\s*(?P<word>[A-Za-z]+)\s+(?P<rest>.*)$", re.DOTALL)


class ImageError(Exception):
    """The image's command cannot be known; the message is one line for a container's status."""


@dataclass(frozen=True, slots=True)
class Start:
    """ENTRYPOINT and CMD of an image."""

    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()


def is_ours(pod: dict[str, Any]) -> bool:
    """Whether the image of every container has a repository whose name ends in `node-nlb-sync`."""
    spec = pod["spec"]
    containers = [*spec.get("initContainers", []), *spec["containers"]]
    return all(repository(container["image"]).endswith(OURS) for container in containers)


def repository(image: str) -> str:
    """An image reference without tag and digest."""
    name = image.partition("@")[0]
    registry, slash, last = name.rpartition("/")
    return registry + slash + last.partition(":")[0]


def read(text: str) -> Start:
    """ENTRYPOINT and CMD of the last stage of a Dockerfile. Raises ImageError for the shell form of either.

    The shell form would run `/bin/sh -c` of an image that is not there.
    """
    found: dict[str, tuple[str, ...]] = {}
    for word, rest in _instructions(text):
        if word == "FROM":
            found = {}
        elif word in {"ENTRYPOINT", "CMD"}:
            found[word] = _exec_form(word, rest)
    return Start(found.get("ENTRYPOINT", ()), found.get("CMD", ()))


def of_dockerfile(dockerfile: Path) -> Start:
    """What the image will start that this Dockerfile makes. Raises ImageError."""
    try:
        return read(dockerfile.read_text())
    except OSError as error:
        raise ImageError(
            f"{dockerfile} cannot be read ({error.strerror}): it stands for the image"
        ) from error


def words(container: Mapping[str, Any], start: Start) -> list[str]:
    """What to start for a container: `command` and `args` over ENTRYPOINT and CMD, as Kubernetes has it.

    (kubernetes.io/docs, "Define a Command and Arguments for a Container": a `command` hides the image's CMD
    too.) Raises ImageError where neither says anything.
    """
    command, args = container.get("command"), container.get("args")
    if command:
        return [*command, *(args or ())]
    found = [*start.entrypoint, *(start.cmd if args is None else args)]
    if not found:
        raise ImageError("neither the container nor its image says what to start")
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
