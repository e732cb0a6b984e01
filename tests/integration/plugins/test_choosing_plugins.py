"""SANDBOX_PLUGINS decides which plugins the engine gets, and what was decided is said."""

import os
import socket
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path

import pytest

from sandbox.layout import Layout
from sandbox.plugins import choice as plugins
from sandbox.plugins import plugin_version
from sandbox.plugins.choice import PluginError
from sandbox.process import started_at
from sandbox.toolchain import pins

AWS, KUBERNETES = metadata.version("pulumi-aws"), metadata.version("pulumi-kubernetes")


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(directory=tmp_path / "sandbox")


@pytest.fixture
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "_DOWNLOADS", ("127.0.0.1", 9))  # discard: nobody listens


def _official(directory: Path, name: str, answer: str = "official") -> Path:
    """A stand-in for a vendor's binary that prints `answer`, as a bridged provider prints its version."""
    return _executable(directory, name, f"echo {answer}")


def _executable(directory: Path, name: str, script: str) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def _serving(directory: Path, name: str, module: str, version: str) -> Path:
    """A plugin that knows no --version, serves, and answers GetPluginInfo with `version`."""
    program = f"""
import sys
from importlib import metadata
metadata.version = lambda _: {version!r}
if "--version" in sys.argv:
    sys.exit("flag provided but not defined: -version")
import runpy
sys.argv = ["{name}", "127.0.0.1:9"]
runpy.run_module("{module}", run_name="__main__")
"""
    script = directory / f"{name}.py"
    directory.mkdir(parents=True, exist_ok=True)
    script.write_text(program)
    return _executable(directory, name, f'exec "{sys.executable}" "{script}"' + ' "$@"')


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
def test_a_schema_that_the_engine_kept_of_an_earlier_choice_is_removed(layout: Layout) -> None:
    folder = layout.pulumi_home / "plugins"
    folder.mkdir(parents=True)
    kept, other = folder / f"schema-aws-{AWS}-.json", folder / "schema-random-1.0.0-.json"
    kept.write_text("{}")
    other.write_text("{}")

    plugins.install(layout, {"SANDBOX_PLUGINS": "offline"})

    assert not kept.exists()
    assert other.exists()


@pytest.mark.usefixtures("_no_network")
def test_a_plugin_on_path_takes_the_place_of_an_earlier_stand_in(layout: Layout, tmp_path: Path) -> None:
    plugins.install(layout, {"SANDBOX_PLUGINS": "offline"})
    path = _official(tmp_path / "bin", "pulumi-resource-kubernetes", f"v{KUBERNETES}")

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
    cli = pins.load().tool("pulumi").version
    host = _official(tmp_path / "release", "pulumi-language-python", cli)
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
    with pytest.raises(PluginError, match="SANDBOX_PLUGINS is vendor; allowed: auto, official, offline"):
        plugins.install(layout, {"SANDBOX_PLUGINS": "vendor"})


@pytest.mark.usefixtures("_no_network")
@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo v6.0.0", "it is version 6.0.0"),
        (f"echo {AWS}-alpha.1", f"it is version {AWS}-alpha.1"),
        ("echo official", "version answer is 'official'"),
        ("exit 1", "no answer"),
        ("echo 65535; sleep 60", "GetPluginInfo fails"),
    ],
)
def test_c5_a_plugin_on_path_of_another_version_or_none_is_not_used_and_says_why(
    layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, said: str
) -> None:
    monkeypatch.setattr(plugin_version.ask, "__defaults__", (3.0,))
    path = _executable(tmp_path / "bin", "pulumi-resource-aws", script)

    chosen = plugins.install(layout, {"PATH": str(path.parent), "PULUMI_HOME": str(tmp_path)})

    aws = next(each for each in chosen if each.name == "aws")
    assert (aws.kind, aws.version) == ("offline", AWS)
    assert len(aws.refused) == 1
    for part in (str(path), said, f"{AWS} is wanted"):
        assert part in aws.refused[0]
    assert "\n" not in aws.refused[0]
    # The engine would find the other one first: the stand-in is put before it.
    assert (layout.bin / "pulumi-resource-aws").exists()
    assert plugins.installed(layout) == chosen


@pytest.mark.usefixtures("_no_network")
def test_c5_a_plugin_that_is_silent_is_given_up_and_ended(
    layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugin_version.ask, "__defaults__", (1.0,))
    pid = tmp_path / "pid"
    path = _executable(tmp_path / "bin", "pulumi-resource-aws", f"echo $$ >> {pid}; sleep 600")

    began = time.monotonic()
    chosen = plugins.install(layout, {"PATH": str(path.parent), "PULUMI_HOME": str(tmp_path)})

    assert time.monotonic() - began < 10
    assert [each.refused for each in chosen if each.refused] == [
        (f"{path} is not used: no answer; pulumi-resource-aws {AWS} is wanted",)
    ]
    assert [number for number in pid.read_text().split() if started_at(int(number))] == []


@pytest.mark.usefixtures("_no_network")
@pytest.mark.parametrize(
    ("name", "module", "version"),
    [
        ("pulumi-resource-kubernetes", "sandbox.plugins.kubernetes", KUBERNETES),
        ("pulumi-resource-kubernetes", "sandbox.plugins.kubernetes", "1.2.3"),
        ("pulumi-language-python", "sandbox.plugins.language", metadata.version("pulumi")),
        ("pulumi-language-python", "sandbox.plugins.language", "3.1.0"),
    ],
)
def test_c5_a_plugin_without_a_version_flag_is_asked_as_the_engine_asks(
    layout: Layout, tmp_path: Path, name: str, module: str, version: str
) -> None:
    path = _serving(tmp_path / "bin", name, module, version)

    chosen = plugins.install(layout, {"PATH": str(path.parent), "PULUMI_HOME": str(tmp_path)})

    (asked,) = [each for each in chosen if name.endswith(each.name)]
    if version == asked.version:
        assert (asked.kind, asked.path, asked.refused) == ("official", path, ())
    else:
        refusal = f"{path} is not used: it is version {version}; {asked.version} is wanted"
        assert (asked.kind, asked.refused) == ("offline", (refusal,))


@pytest.mark.usefixtures("_no_network")
def test_c5_the_wanted_version_is_found_behind_another_one(layout: Layout, tmp_path: Path) -> None:
    old = _official(tmp_path / "old", "pulumi-resource-aws", "6.0.0")
    new = _official(tmp_path / "new", "pulumi-resource-aws", AWS)
    path = f"{old.parent}{os.pathsep}{new.parent}"

    chosen = plugins.install(layout, {"PATH": path, "PULUMI_HOME": str(tmp_path)})

    aws = next(each for each in chosen if each.name == "aws")
    assert (aws.kind, aws.path) == ("official", new)
    first = layout.bin / "pulumi-resource-aws"
    assert subprocess.run([first], capture_output=True, text=True, check=True).stdout.strip() == AWS


@pytest.mark.usefixtures("_no_network")
def test_c5_official_plugins_that_are_demanded_name_what_was_refused(layout: Layout, tmp_path: Path) -> None:
    path = _official(tmp_path / "bin", "pulumi-resource-aws", "6.0.0")
    environ = {"SANDBOX_PLUGINS": "official", "PATH": str(path.parent), "PULUMI_HOME": str(tmp_path)}

    with pytest.raises(PluginError) as refused:
        plugins.install(layout, environ)

    assert "\n" not in str(refused.value)
    assert f"{path} is not used: it is version 6.0.0; {AWS} is wanted" in str(refused.value)
