"""The release workflow: its make targets exist, its actions are pinned, its steps do their work."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from syncer.version import VERSION

ROOT = Path(__file__).resolve().parents[3]
FILE = ROOT / ".github/workflows/release.yml"
JOBS: dict[str, Any] = yaml.safe_load(FILE.read_text())["jobs"]
STEPS: list[dict[str, Any]] = [step for job in JOBS.values() for step in job["steps"]]
NAMED = {step["name"]: step for step in STEPS if "name" in step}


def run(name: str, where: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run a step as the forge does."""
    return subprocess.run(
        ["bash", "-eo", "pipefail", "-c", NAMED[name]["run"]],
        cwd=where,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def targets() -> set[str]:
    """The make targets that the steps run."""
    return {name for step in STEPS for name in re.findall(r"\bmake ([a-z-]+)", step.get("run", ""))}


def test_every_make_target_exists() -> None:
    assert targets() == {"image", "wheel", "chart"}
    existing = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert targets() <= existing


def test_every_action_is_pinned_by_commit_and_names_its_version() -> None:
    lines = re.findall(r"uses: (.+)", FILE.read_text())
    assert len(lines) == sum("uses" in step for step in STEPS)
    assert [line for line in lines if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v[\d.]+", line)] == []


def test_nothing_is_released_before_all_tests_passed() -> None:
    assert JOBS["release"]["needs"] == "check"
    assert JOBS["check"]["steps"][-1]["run"] == ".ci/run"
    assert JOBS["check"]["permissions"] == {"contents": "read"}


@pytest.mark.parametrize(("tag", "code"), [(f"v{VERSION}", 0), (VERSION, 1), ("v9.9.9", 1)])
def test_a_tag_other_than_the_version_is_refused(tmp_path: Path, tag: str, code: int) -> None:
    output = tmp_path / "output"
    done = run("The tag is the version", tmp_path, GITHUB_REF_NAME=tag, GITHUB_OUTPUT=str(output))
    assert done.returncode == code, done.stderr
    if code:
        assert f"tag v{VERSION}" in done.stdout
    else:
        assert output.read_text() == f"version={VERSION}\n"


def test_the_notes_are_the_changelogs_section(tmp_path: Path) -> None:
    page = (ROOT / "CHANGELOG.md").read_text()
    (tmp_path / "CHANGELOG.md").write_text(page)
    assert run("Notes of the release", tmp_path, VERSION=VERSION).returncode == 0
    notes = (tmp_path / "notes.md").read_text()
    assert notes.strip()
    assert f"## {VERSION} - " in page.partition(notes)[0].splitlines()[-1]
    assert not re.search(r"^## ", notes, re.MULTILINE)


def test_a_version_without_notes_is_not_released(tmp_path: Path) -> None:
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\n## Unreleased\n\n- Something\n")
    assert run("Notes of the release", tmp_path, VERSION=VERSION).returncode != 0


def test_the_base_is_that_of_the_dockerfile() -> None:
    (base,) = re.findall(r"^ARG BASE=(.+)$", (ROOT / "syncer/Dockerfile").read_text(), re.MULTILINE)
    assert re.fullmatch(r"[\w./-]+:[\w.-]+", base)
