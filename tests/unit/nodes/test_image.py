"""Which Pods the runner takes, and what it starts for a container without a command."""

from pathlib import Path

import pytest

from sandbox.kubelet.image import DOCKERFILE as OWN
from sandbox.kubelet.image import ImageError, Start, is_ours, of_dockerfile, read, repository, words

DOCKERFILE = """\
# syntax=docker/dockerfile:1
FROM python:3.13-slim AS build
ENTRYPOINT ["never"]
RUN uv sync \\
    # a comment inside
    --locked
FROM python:3.13-slim
entrypoint ["python", "-m", \\
  "syncer"]
CMD ["run"]
"""


@pytest.fixture
def dockerfile(tmp_path: Path) -> Path:
    path = tmp_path / "Dockerfile"
    path.write_text(DOCKERFILE)
    return path


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("node-nlb-sync", "node-nlb-sync"),
        ("registry.example:5000/team/node-nlb-sync:1.2", "registry.example:5000/team/node-nlb-sync"),
        ("registry.example/node-nlb-sync@sha256:00", "registry.example/node-nlb-sync"),
        ("registry.example/node-nlb-sync:1@sha256:00", "registry.example/node-nlb-sync"),
    ],
)
def test_tag_and_digest_are_no_part_of_the_repository(image: str, name: str) -> None:
    assert repository(image) == name


@pytest.mark.parametrize(
    ("images", "ours"),
    [
        (["a/node-nlb-sync:1"], True),
        (["a/my-node-nlb-sync"], True),
        (["a/node-nlb-sync:1", "a/sidecar"], False),
        (["a/nginx:node-nlb-sync"], False),
    ],
)
def test_a_pod_is_ours_when_every_image_is(images: list[str], ours: bool) -> None:
    assert is_ours({"spec": {"containers": [{"image": image} for image in images]}}) is ours


def test_the_last_stage_says_entrypoint_and_command() -> None:
    assert read(DOCKERFILE) == Start(("python", "-m", "syncer"), ("run",))


def test_the_syncer_s_own_dockerfile_says_what_starts_it() -> None:
    assert words({}, of_dockerfile(OWN))[:3] == ["python", "-m", "syncer"]


def test_the_shell_form_is_refused() -> None:
    with pytest.raises(ImageError, match="exec form"):
        read("FROM x\nENTRYPOINT python -m syncer")


@pytest.mark.parametrize(
    ("container", "started"),
    [
        ({}, ["python", "-m", "syncer", "run"]),
        ({"args": ["plan"]}, ["python", "-m", "syncer", "plan"]),
        ({"command": ["sleep"]}, ["sleep"]),
        ({"command": ["sleep"], "args": ["9"]}, ["sleep", "9"]),
    ],
)
def test_command_and_args_stand_over_the_image(
    container: dict[str, list[str]], started: list[str], dockerfile: Path
) -> None:
    assert words(container, of_dockerfile(dockerfile)) == started


def test_an_image_that_says_nothing_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    with pytest.raises(ImageError, match="has no command"):
        words({}, of_dockerfile(tmp_path / "Dockerfile"))
