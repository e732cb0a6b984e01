"""SANDBOX_PLUGINS decides which plugins the engine gets, and what was decided is said."""

import os
import socket
import subprocess
from pathlib import Path

import pytest

from sandbox.engine import plugins
from sandbox.engine.plugins import PluginError
from sandbox.layout import Layout


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(directory=tmp_path / "sandbox")


@pytest.fixture
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "_DOWNLOADS", ("127.0.0.1", 9))  # discard: nobody listens


def _official(directory: Path, name: str) -> Path:
    """A stand-in for a vendor's binary: any executable that is not ours."""
    directory.mkdir(parents=True)
    path = directory / name
    path.write_text("#!/bin/sh\necho official\n")
    path.chmod(0o755)
    return path


def _cached(layout: Layout, name: str) -> list[str]:
    """What the engine would run for plugin `name`."""
    return [
        subprocess.run([path], capture_output=True, text=True, check=False).stdout.strip()
        for path in (layout.pulumi_home / "plugins").glob(f"*{name}*/pulumi-*")
    ]


def test_offline_installs_a_stand_in_of_each_in_the_version_of_its_sdk(layout: Layout) -> None:
    chosen = plugins.install(layout, {"SANDBOX_PLUGINS": "offline"})

    assert [str(each).split()[0] for each in chosen] == ["python", "aws", "kubernetes"]
    assert {each.kind for each in chosen} == {"offline"}
    assert all(os.access(each.path, os.X_OK) and each.version in str(each.path) for each in chosen)


@pytest.mark.usefixtures("_no_network")
def test_auto_takes_the_official_plugin_that_is_installed_and_stand_ins_for_the_rest(
    layout: Layout, tmp_path: Path
) -> None:
    offline = plugins.install(layout, {"SANDBOX_PLUGINS": "offline"})
    aws = next(each for each in offline if each.name == "aws")
    home = tmp_path / "home"
    _official(home / "plugins" / aws.path.parent.name, "pulumi-resource-aws")

    chosen = {
        each.name: each.kind for each in plugins.install(layout, {"PULUMI_HOME": str(home), "PATH": ""})
    }

    assert chosen == {"python": "offline", "aws": "official", "kubernetes": "offline"}
    assert _cached(layout, "aws") == ["official"]


@pytest.mark.usefixtures("_no_network")
def test_a_plugin_on_path_takes_the_place_of_an_earlier_stand_in(layout: Layout, tmp_path: Path) -> None:
    plugins.install(layout, {"SANDBOX_PLUGINS": "offline"})
    path = _official(tmp_path / "bin", "pulumi-resource-kubernetes")

    chosen = plugins.install(layout, {"PATH": str(path.parent), "PULUMI_HOME": str(tmp_path)})

    assert [each.path for each in chosen if each.kind == "official"] == [path]
    assert _cached(layout, "kubernetes") == []


@pytest.mark.usefixtures("_no_network")
def test_official_plugins_that_cannot_be_had_are_one_line_that_names_the_ways_out(
    layout: Layout, tmp_path: Path
) -> None:
    with pytest.raises(PluginError) as refused:
        plugins.install(layout, {"SANDBOX_PLUGINS": "official", "PATH": "", "PULUMI_HOME": str(tmp_path)})

    assert "\n" not in str(refused.value)
    assert "pulumi-resource-aws" in str(refused.value)
    assert "SANDBOX_PLUGINS=offline" in str(refused.value)


def test_stand_ins_that_are_asked_for_come_before_official_ones_on_path(
    layout: Layout, tmp_path: Path
) -> None:
    official = _official(tmp_path / "bin", "pulumi-resource-kubernetes")
    environ = {"SANDBOX_PLUGINS": "offline", "PATH": str(official.parent)}

    chosen = plugins.install(layout, environ)

    assert {each.kind for each in chosen} == {"offline"}
    assert [path.name for path in layout.bin.iterdir()] == ["pulumi-resource-kubernetes"]
    assert plugins.install(layout, {"SANDBOX_PLUGINS": "offline", "PATH": ""})
    assert list(layout.bin.iterdir()) == []


@pytest.mark.usefixtures("_no_network")
def test_the_language_host_beside_an_official_cli_is_taken(layout: Layout, tmp_path: Path) -> None:
    host = _official(tmp_path / "release", "pulumi-language-python")
    environ = {"PATH": "", "PULUMI_HOME": str(tmp_path)}

    chosen = plugins.install(layout, environ, pulumi=tmp_path / "release" / "pulumi")

    assert [each.path for each in chosen if each.kind == "official"] == [host]


def test_providers_that_can_be_downloaded_are_by_pulumi_itself(
    layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulumi = tmp_path / "pulumi"
    pulumi.write_text(
        """#!/bin/sh
[ "$1 $2" = "plugin install" ] || exit 1
directory="$PULUMI_HOME/plugins/$3-$4-$5"
mkdir -p "$directory" && echo "#!/bin/sh\necho official" > "$directory/pulumi-$3-$4"
chmod +x "$directory/pulumi-$3-$4"
"""
    )
    pulumi.chmod(0o755)
    with socket.create_server(("127.0.0.1", 0)) as reachable:
        monkeypatch.setattr(plugins, "_DOWNLOADS", reachable.getsockname())
        chosen = plugins.install(layout, {"PATH": "", "PULUMI_HOME": str(tmp_path)}, pulumi=pulumi)

    assert {each.name: each.kind for each in chosen} == {
        "python": "offline",
        "aws": "official",
        "kubernetes": "official",
    }
    assert _cached(layout, "aws") == ["official"]


def test_an_unknown_choice_names_the_known_ones(layout: Layout) -> None:
    with pytest.raises(PluginError, match="SANDBOX_PLUGINS=vendor: choose one of auto, official, offline"):
        plugins.install(layout, {"SANDBOX_PLUGINS": "vendor"})
