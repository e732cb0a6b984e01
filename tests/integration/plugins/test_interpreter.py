"""A program runs in the Python that `runtime.options` names, found where the official host finds it."""

from pathlib import Path

import pytest

from sandbox.plugins.interpreter import OptionError, Plugin, plugins, resolve


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project root with a uv.lock, a program directory and an environment beside the lock."""
    (tmp_path / "infra").mkdir()
    (tmp_path / "uv.lock").touch()
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "pyvenv.cfg").touch()
    return tmp_path


def test_with_uv_it_is_the_environment_beside_the_lock_file(project: Path) -> None:
    for options in ({"toolchain": "uv"}, {}):
        found = resolve(project, project / "infra", options)

        assert found.executable == str(project / ".venv" / "bin" / "python")
        assert found.environ()["VIRTUAL_ENV"] == str(project / ".venv")


def test_a_named_environment_is_relative_to_the_project(project: Path) -> None:
    for toolchain in ("pip", "uv"):
        found = resolve(project, project / "infra", {"toolchain": toolchain, "virtualenv": "venv"})

        assert found.virtualenv == project / "venv"


def test_an_environment_that_is_not_there_is_an_error_that_says_how_to_make_it(project: Path) -> None:
    (project / ".venv" / "pyvenv.cfg").unlink()

    with pytest.raises(OptionError, match="is not a virtual environment: run `uv sync --locked`"):
        _ = resolve(project, project / "infra", {"toolchain": "uv"}).executable


@pytest.mark.parametrize(("option", "value"), [("toolchain", "conda"), ("typechecker", "pytype")])
def test_an_option_that_the_official_host_refuses_is_refused(project: Path, option: str, value: str) -> None:
    with pytest.raises(OptionError, match=f"runtime.options.{option}: '{value}' is none of"):
        resolve(project, project / "infra", {option: value})


def test_the_plugins_of_installed_sdks_are_asked_for_in_their_versions(project: Path) -> None:
    site = project / ".venv/lib/python3.11/site-packages"
    for name in ("pulumi_aws-7.51.1", "pulumi_policy-1.0.0", "pulumi-3.272.0", "requests-2.0.0"):
        (site / f"{name}.dist-info").mkdir(parents=True)
    (site / "vendor_cloud-1.0.0.dist-info").mkdir()
    (site / "vendor_cloud").mkdir()
    described = '{"resource": true, "name": "vendor", "version": "2.0.0", "server": "https://v.example"}'
    (site / "vendor_cloud" / "pulumi-plugin.json").write_text(described)

    found = plugins(resolve(project, project / "infra", {"toolchain": "uv"}).packages())

    assert found == [Plugin("aws", "v7.51.1"), Plugin("vendor", "v2.0.0", "https://v.example")]
