"""The virtual environment is made, kept, mended and taken up again by the real uv, without any network."""

import json
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from sandbox import environment
from sandbox.environment import PreparationError, prepare

ROOT = Path(__file__).parents[3]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project without dependencies, its own cache, and uv on PATH."""
    uv = environment._uv()
    assert uv, "`make venv` puts a uv on PATH or into the cache"
    monkeypatch.setenv("PATH", str(uv.parent))
    monkeypatch.setenv("NODE_NLB_SYNC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("UV_OFFLINE", "1")
    project = tmp_path / "project"
    project.mkdir()
    write_wheel(project)
    write_project(project, "0.1.0")
    return project


def write_wheel(project: Path) -> None:
    """A package to depend on, as no index can be asked."""
    with zipfile.ZipFile(project / "small-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("small.py", "")
        wheel.writestr("small-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: small\nVersion: 1.0\n")
        wheel.writestr(
            "small-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr("small-1.0.dist-info/RECORD", "small.py,,\n")


def write_project(project: Path, version: str) -> None:
    (project / "pyproject.toml").write_text(
        f'[project]\nname = "project"\nversion = "{version}"\nrequires-python = ">=3.11"\n'
        'dependencies = ["small"]\n\n[tool.uv.sources]\nsmall = { path = "small-1.0-py3-none-any.whl" }\n'
    )
    subprocess.run(["uv", "lock", "-q", "--python", sys.executable], cwd=project, check=True)


def runs(project: Path) -> bool:
    python = project / ".venv/bin/python"
    return subprocess.run([python, "-c", "import small"], check=False).returncode == 0


def test_an_environment_is_made_and_a_second_run_is_quick_and_silent(root: Path) -> None:
    said: list[str] = []
    prepare(root, said.append)
    assert runs(root)
    assert said == ["virtual environment: uv sync"]

    said.clear()
    began = time.monotonic()
    prepare(root, said.append)
    assert time.monotonic() - began < 1
    assert said == []


def test_a_changed_lock_is_followed(root: Path) -> None:
    prepare(root, print)
    write_project(root, "0.2.0")
    said: list[str] = []
    prepare(root, said.append)
    assert said == ["virtual environment: uv sync"]


@pytest.mark.parametrize("damage", ["no python", "dead python", "lost package", "a file", "empty"])
def test_a_damaged_environment_is_made_anew(damage: str, root: Path) -> None:
    prepare(root, print)
    venv = root / ".venv"
    package = next(venv.glob("lib/python*/site-packages")) / "small.py"
    match damage:
        case "no python":
            (venv / "bin/python").unlink()
        case "dead python":
            (venv / "bin/python").unlink()
            (venv / "bin/python").symlink_to(root / "gone")
        case "lost package":
            package.unlink()
        case "a file":
            shutil.rmtree(venv)
            venv.write_text("no environment")
        case "empty":
            shutil.rmtree(venv)
            venv.mkdir()
    said: list[str] = []
    prepare(root, said.append)
    assert said[0] == "virtual environment: damaged, creating a new one"
    assert runs(root)
    assert package.exists()


def test_a_run_that_was_interrupted_before_its_end_is_taken_up(root: Path) -> None:
    prepare(root, print)
    (root / ".venv/.node-nlb-sync.json").write_text('{"inputs": "')  # cut off while it was written
    said: list[str] = []
    prepare(root, said.append)
    assert said == ["virtual environment: uv sync"]
    assert json.loads((root / ".venv/.node-nlb-sync.json").read_text())["inputs"]


def test_what_somebody_installed_besides_is_no_damage(root: Path) -> None:
    prepare(root, print)
    (next((root / ".venv").glob("lib/python*/site-packages")) / "besides.py").touch()
    said: list[str] = []
    prepare(root, said.append)
    assert said == []


def test_a_lock_that_is_out_of_date_is_one_line(root: Path) -> None:
    wanted = (root / "pyproject.toml").read_text()
    (root / "pyproject.toml").write_text(wanted.replace('["small"]', '["small", "rich"]'))
    with pytest.raises(PreparationError) as caught:
        prepare(root, print)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("`uv sync --locked` cannot create the virtual environment: ")


def test_no_uv_and_no_index_is_one_line_that_names_both_ways_out(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "old/uv"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho uv 0.12.9\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", str(old.parent))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(
        PreparationError, match=r"install uv 0\.13 or newer .* or connect to a Python package index"
    ) as caught:
        prepare(root, print)
    assert "\n" not in str(caught.value)
    assert not (root / ".venv").exists()
    assert sorted(path.name for path in (tmp_path / "cache").iterdir()) == [".bootstrap.lock"]


def test_the_command_needs_no_more_than_the_standard_library() -> None:
    asked = subprocess.run(
        [sys.executable, "-S", "-c", "import sandbox.bootstrap, sandbox.environment; print('read')"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert (asked.stdout, asked.stderr) == ("read\n", "")
