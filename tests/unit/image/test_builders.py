"""Which builder is taken, what it is told, and what its errors come out as."""

import argparse
import os
from pathlib import Path

import pytest

from sandbox.environment import PreparationError
from sandbox.image import __main__ as command
from sandbox.image import builders, errors
from sandbox.image.builders import Wanted

BASE = "docker.io/library/python:3.13-slim-trixie"


def program(where: Path, name: str, script: str) -> None:
    """A builder of that name: the real ones need an engine or a network."""
    file = where / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder of PATH with a builder."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}/nowhere")
    return tmp_path / "bin"


def arguments(**changes: str | None) -> argparse.Namespace:
    plain = {
        "push": "",
        "platforms": "linux/amd64",
        "base": None,
        "build_base": None,
        "name": "localhost/a:b",
        "source": "",
    }
    return argparse.Namespace(**{**plain, **changes})


def refused(**changes: str | None) -> str:
    with pytest.raises(PreparationError) as error:
        command.run(arguments(**changes))
    line = str(error.value)
    assert "\n" not in line
    return line


def test_docker_without_an_engine_is_no_builder(places: Path) -> None:
    program(places, "docker", "echo 'Cannot connect to the Docker daemon' >&2; exit 1")
    assert refused() == builders.NONE_HERE
    program(places, "buildah", "exit 0")
    assert builders.find().program == "buildah"
    program(places, "docker", "echo 28.1")
    assert builders.find().program == "docker"


def test_the_build_is_told_bases_platform_and_labels(places: Path) -> None:
    program(places, "buildah", f'echo "$@" >> {places}/said')
    given = arguments(base="example.com/python:3.13", platforms="linux/arm64", source="https://example.com/s")
    assert command.run(given) == "localhost/a:b"
    said = (places / "said").read_text().split()
    assert said[0] == "build"
    assert "--build-arg=BASE=example.com/python:3.13" in said
    assert "--build-arg=BUILD_BASE=example.com/python:3.13" in said
    assert f"--build-arg=VERSION={command.version()}" in said
    assert "--build-arg=SOURCE=https://example.com/s" in said
    assert "--platform=linux/arm64" in said
    assert said[-1].endswith("/syncer")


def test_several_platforms_are_pushed_as_one_image(places: Path) -> None:
    script = f"""echo "$@" >> {places}/said
for word; do case "$word" in --digestfile=*) echo sha256:0 > "${{word#*=}}";; esac; done"""
    program(places, "buildah", script)
    given = arguments(platforms="linux/amd64,linux/arm64", push="example.com:5000/a/b:1.0")
    assert command.run(given) == "example.com:5000/a/b@sha256:0"
    lines = (places / "said").read_text().splitlines()
    assert any(line.startswith("build ") and "--manifest=localhost/a:b" in line for line in lines)
    assert any(line.startswith("manifest push --all") for line in lines)


# Docker 20.10 of Debian: an engine, and no Buildx.
OLD_DOCKER = """case "$1" in
version) echo 20.10;;
buildx) echo "docker: 'buildx' is not a docker command." >&2; exit 1;;
image) echo '["example.com/other@sha256:1","example.com:5000/a/b@sha256:0"]';;
*) echo "$DOCKER_BUILDKIT $@" >> SAID;;
esac"""


def test_docker_without_buildx_builds_and_pushes_one_platform(places: Path) -> None:
    program(places, "docker", OLD_DOCKER.replace("SAID", str(places / "said")))
    assert command.run(arguments(push="example.com:5000/a/b:1.0")) == "example.com:5000/a/b@sha256:0"
    lines = (places / "said").read_text().splitlines()
    assert lines[0].startswith("1 build --tag=localhost/a:b --build-arg=BASE=")
    assert [line.split() for line in lines[1:]] == [
        ["tag", "localhost/a:b", "example.com:5000/a/b:1.0"],
        ["push", "example.com:5000/a/b:1.0"],
    ]
    line = refused(push="example.com/a:1", platforms="linux/amd64,linux/arm64")
    assert line.startswith("several platforms need Docker's Buildx, which is not here: install the package ")


def test_the_digest_is_found_where_docker_shortens_its_own_registry(places: Path) -> None:
    answers = OLD_DOCKER.replace("SAID", str(places / "said")).replace("example.com:5000/a/b@", "team/name@")
    program(places, "docker", answers)
    assert command.run(arguments(push="docker.io/team/name:1")) == "docker.io/team/name@sha256:0"
    program(places, "docker", answers.replace("team/name@", "team/another@"))
    assert refused(push="docker.io/team/name:1").startswith("docker pushed docker.io/team/name:1 and reports")


def test_docker_that_needs_buildx_names_its_package(places: Path) -> None:
    script = """case "$1" in
version) echo 28.2;;
build) echo 'ERROR: BuildKit is enabled but the buildx component is missing or broken.' >&2; exit 1;;
*) exit 1;;
esac"""
    program(places, "docker", script)
    assert refused().endswith("install docker-buildx-plugin or docker-buildx")


def test_a_list_takes_the_name_of_an_image_that_was_built_before(places: Path) -> None:
    script = f"""echo "$@" >> {places}/said
for word; do case "$word" in --digestfile=*) echo sha256:0 > "${{word#*=}}";; esac; done"""
    program(places, "buildah", script)
    command.run(arguments(platforms="linux/amd64,linux/arm64,linux/amd64", push="example.com/a/b:1"))
    lines = (places / "said").read_text().splitlines()
    assert lines[:2] == ["manifest rm localhost/a:b", "untag localhost/a:b"]
    assert "--platform=linux/amd64,linux/arm64 " in lines[2]


def test_the_reason_of_a_failed_build_of_several_platforms_is_the_first(places: Path) -> None:
    said = r"Error: 2 errors occurred:\n\t* reading manifest: no such host\n\t* another"
    program(places, "buildah", f"case $1 in build) printf '{said}' >&2; exit 125;; esac")
    line = refused(platforms="linux/amd64,linux/arm64", push="example.com/a/b:1")
    assert "cannot be pulled: reading manifest: no such host" in line


def test_the_reason_of_a_refused_push_is_what_docker_reports_as_its_error(places: Path) -> None:
    script = OLD_DOCKER.replace("SAID", str(places / "said")).replace(
        "*)",
        "push) echo 'The push refers to repository [example.com/a]'; "
        "echo 'Get \"http://example.com/v2/\": dial tcp: connection refused' >&2; exit 1;;\n*)",
    )
    program(places, "docker", script)
    line = refused(push="example.com/a:1")
    assert line.startswith('the registry example.com cannot be reached: Get "http://example.com/v2/"')


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"platforms": "linux/riscv64"}, ("PLATFORMS", "'linux/riscv64'", "linux/amd64, linux/arm64")),
        ({"platforms": "linux/amd64,linux/arm64"}, ("PUSH=REGISTRY/NAME:TAG",)),
        ({"name": "Foo BAR"}, ("NAME", "'Foo BAR'", "such as registry.example.com/")),
        ({"base": "foo bar"}, ("BASE", "'foo bar'", "such as registry.example.com/")),
        ({"source": "https://me:key@example.com/x"}, ("SOURCE", "https://example.com/node-nlb-sync")),
        ({"push": "my image"}, ("PUSH", "'my image'", "for example `make image PUSH=")),
        ({"push": "example.com/a@sha256:0"}, ("PUSH", "allowed: REGISTRY/NAME")),
    ],
)
def test_a_wrong_choice_is_one_line_before_anything_is_built(
    places: Path, changes: dict[str, str], words: tuple[str, ...]
) -> None:
    program(places, "buildah", f"touch {places}/built")
    line = refused(**changes)
    assert [word for word in words if word not in line] == []
    assert not (places / "built").exists()


# As Buildah 1.28 and Buildx 0.24 print them.
BUILDS = [
    ("executor failed running [/bin/sh]: network bridge not found", ("buildah cannot build the image",)),
    (
        "No matching distribution found for uv==0.13.8",
        ("a package cannot be downloaded", "PIP_INDEX_URL and UV_DEFAULT_INDEX"),
    ),
    (
        "Failed to fetch: `https://pypi.org/simple/boto3/`: dial tcp: connection refused",
        ("a package cannot be downloaded", "PIP_INDEX_URL and UV_DEFAULT_INDEX"),
    ),
    (
        (
            'creating build container: pinging container registry registry-1.docker.io: Get "https://…": '
            "dial tcp: lookup registry-1.docker.io: no such host"
        ),
        ("cannot be pulled", "BASE=REGISTRY/IMAGE", "make image BASE=debian"),
    ),
    (
        "failed to solve: python:3.13-slim-trixie: failed to resolve source metadata: not found",
        ("cannot be pulled", "BASE=REGISTRY/IMAGE"),
    ),
    ("reading manifest: unauthorized: authentication required", ("buildah login docker.io",)),
    ("failed to solve: no match for platform in manifest", ("BASE=", "PLATFORMS=")),
    ("error: no build for riscv64: allowed: amd64, arm64", ("cannot build the image", "riscv64")),
]
PUSHES = [
    (
        'pinging container registry example.com: Get "https://example.com/v2/": connection refused',
        ("cannot be reached",),
    ),
    (
        "writing blob: initiating layer upload: unauthorized: authentication required",
        ("buildah login example.com",),
    ),
    ("requested access to the resource is denied", ("buildah login example.com",)),
    ("received unexpected HTTP status: 507 Insufficient Storage", ("cannot push to example.com/a:b", "507")),
]


@pytest.mark.parametrize(("refusal", "words"), BUILDS)
def test_a_build_that_is_refused_says_what_to_do(refusal: str, words: tuple[str, ...]) -> None:
    line = errors.of_build(refusal, program="buildah", base=BASE)
    assert refusal in line
    assert [word for word in words if word not in line] == []


@pytest.mark.parametrize(("refusal", "words"), PUSHES)
def test_a_push_that_is_refused_says_what_to_do(refusal: str, words: tuple[str, ...]) -> None:
    line = errors.of_push(refusal, program="buildah", reference="example.com/a:b")
    assert refusal in line
    assert [word for word in words if word not in line] == []


@pytest.mark.parametrize(
    ("given", "whole"),
    [
        ("python:3.13", "docker.io/library/python:3.13"),
        ("team/python:3.13", "docker.io/team/python:3.13"),
        ("localhost/base:1", "localhost/base:1"),
        ("registry.example.com/base", "registry.example.com/base"),
        ("127.0.0.1:5000/base", "127.0.0.1:5000/base"),
    ],
)
def test_a_name_without_a_registry_is_dockers(given: str, whole: str) -> None:
    assert errors.qualified(given) == whole


def test_what_is_wanted_is_said_once(tmp_path: Path) -> None:
    wanted = Wanted(
        context=tmp_path,
        name="a",
        base="b",
        build_base="c",
        platforms=["p"],
        arguments={"D": "e"},
        secrets=tmp_path,
    )
    words = [word for word in wanted.words() if not word.startswith("--secret")]
    assert words == ["--build-arg=BASE=b", "--build-arg=BUILD_BASE=c", "--build-arg=D=e", "--platform=p"]


def test_a_name_at_docker_hub_is_logged_in_at_docker_hub() -> None:
    line = errors.of_push("denied", program="buildah", reference="alice/x:1")
    assert line.endswith("run `buildah login docker.io`")


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (
            "Failed to fetch: https://me:hunter2-x@pypi.example.com/simple/",
            "https://***@pypi.example.com/simple/",
        ),
        ("PUSH: read 'me:hunter2@r.example.com/x'", "'***@r.example.com/x'"),
        ("r.example.com:5000/a:1@sha256:0", "r.example.com:5000/a:1@sha256:0"),
        ("dial tcp 10.0.0.1:443: i/o timeout", "dial tcp 10.0.0.1:443: i/o timeout"),
    ],
)
def test_s3_no_error_repeats_a_password(said: str, shown: str) -> None:
    assert shown in errors.masked(said)
    assert "hunter2" not in errors.masked(said)
