"""The one place that names the image's Python, and what is said where it cannot be had."""

import re
import sys
from pathlib import Path

import pytest

from sandbox.environment import REQUIREMENT, ROOT, PreparationError
from sandbox.imagepython import __main__ as command
from sandbox.imagepython import debian
from sandbox.imagepython.pin import DOCKERFILE, Pin

DIGEST = f"@sha256:{'0a' * 32}"


@pytest.mark.parametrize(
    ("base", "pin"),
    [
        ("python:3.13-slim-trixie", Pin("3.13", "trixie")),
        (f"python:3.14-slim-forky{DIGEST}", Pin("3.14", "forky")),
    ],
)
def test_b1_the_dockerfile_names_the_images_python(base: str, pin: Pin, tmp_path: Path) -> None:
    dockerfile = tmp_path / "Dockerfile"
    dockerfile.write_text(f"# BASE\nARG BASE={base}\n\nFROM ${{BASE}} AS build\nFROM ${{BASE}}\n")
    assert Pin.read(dockerfile) == pin


@pytest.mark.parametrize("line", ["ARG BASE=python:3.13-slim", "ARG BASE=debian:trixie", "FROM scratch", ""])
def test_b1_a_base_that_names_no_python_is_one_line(line: str, tmp_path: Path) -> None:
    dockerfile = tmp_path / "Dockerfile"
    dockerfile.write_text(f"{line}\n")
    with pytest.raises(
        PreparationError, match=r"^BASE of Dockerfile has no Python version: .*; allowed: [^\n]*$"
    ):
        Pin.read(dockerfile)


def test_b1_every_stage_of_the_image_has_the_python_that_is_tested() -> None:
    assert Pin.read().version
    text = DOCKERFILE.read_text()
    assert re.findall(r"^FROM (?:--platform=\S+ )?(\S+)", text, re.MULTILINE) == ["${BUILD_BASE}", "${BASE}"]
    assert "\nARG BUILD_BASE=${BASE}\n" in text


def test_b1_no_other_file_names_the_images_python() -> None:
    version = Pin.read().version
    for name in ("Makefile", ".ci/run"):
        assert version not in (ROOT / name).read_text()


def test_b1_ci_runs_the_tests_under_the_images_python() -> None:
    assert "\nmake test-image-python\n" in (ROOT / ".ci/run").read_text()
    variables = dict(re.findall(r"^([A-Z_]+) := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE))
    paths = variables["ON_IMAGE_PYTHON"].replace("$(PURE)", variables["PURE"])
    assert {"tests/unit", "tests/simulation", "cluster", "syncer"} <= set(re.split(r"[ ,()]", paths))


def test_b1_a_machine_without_the_python_says_in_one_line_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NODE_NLB_SYNC_CACHE", str(tmp_path))
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(PreparationError) as raised:
        debian.ensure(Pin("3.13", "trixie"), lambda _: None)
    assert str(raised.value) == (
        "Python 3.13, that of the image, is missing: a Debian root needs root rights; "
        "run as root on Debian or Ubuntu after `apt-get install mmdebstrap`, or name an interpreter: "
        "make test-image-python IMAGE_PYTHON=/path/to/python3.13"
    )
    assert not list(tmp_path.iterdir())


def test_b1_an_interpreter_of_another_version_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PreparationError, match=r"is Python 3\.\d+, and the image has Python 3\.99: name an"):
        command._place(Pin("3.99", "sid"), sys.executable, tmp_path, lambda _: None)
    with pytest.raises(PreparationError, match="is no Python, and the image has Python"):
        command._place(Pin("3.99", "sid"), str(tmp_path / "none"), tmp_path, lambda _: None)


def test_b1_an_interpreter_of_the_images_version_needs_no_root(tmp_path: Path) -> None:
    own = Pin(f"{sys.version_info.major}.{sys.version_info.minor}", "sid")
    place = command._place(own, None, tmp_path, lambda _: None)
    assert place.root is None
    assert place.command(["pytest", "-q"]) == ["pytest", "-q"]


def test_s10_the_image_installs_uv_with_hashes_from_the_file_of_the_project() -> None:
    text = DOCKERFILE.read_text().replace("\\\n", " ")
    installs = [words.split() for words in re.findall(r"pip install ([^&]*)", text)]
    assert [words[words.index("-r") + 1] for words in installs] == [
        "/build/uv.txt",
        "/build/requirements.txt",
    ]
    assert all("--require-hashes" in words for words in installs)
    assert DOCKERFILE.with_name("uv.txt") == REQUIREMENT
    assert "COPY uv.txt requirements.txt /build/" in text
    requirements = REQUIREMENT.read_text().replace("\\\n", " ").splitlines()
    pinned = [line for line in requirements if line.strip() and not line.startswith("#")]
    assert [re.sub(r"==[\d.]+( +--hash=sha256:[0-9a-f]{64})+$", "", line) for line in pinned] == ["uv"]
