"""Stack dev of this very program, by the real CLI, against a simulated AWS and a real control plane."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
import yaml

from sandbox import process
from sandbox.cloud.network import ensure_network
from sandbox.environment import private_uv
from sandbox.layout import Layout
from sandbox.plugins import choice as plugins
from sandbox.toolchain import ensure

ROOT = Path(__file__).parents[3]
_RUN_S = 240


@dataclass(frozen=True, slots=True)
class Said:
    """What one run of the CLI ended with and printed."""

    code: int
    text: str

    def ok(self) -> "Said":
        assert self.code == 0, self.text
        return self


@dataclass(frozen=True, slots=True)
class DevStack:
    """A copy of the project's configuration in a directory of its own; the program is the repository's."""

    root: Path
    environ: dict[str, str]
    pulumi: Path
    name: str = "dev"

    @property
    def _file(self) -> Path:
        return self.root / f"Pulumi.{self.name}.yaml"

    def configure(self, **values: Any) -> dict[str, Any]:
        """Set keys of the program for the runs that follow; None takes one away. Answers what there was."""
        stack = yaml.safe_load(self._file.read_text())
        before = {key: stack["config"].get(f"node-nlb-sync:{key}") for key in values}
        for key, value in values.items():
            stack["config"].pop(f"node-nlb-sync:{key}", None)
            if value is not None:
                stack["config"][f"node-nlb-sync:{key}"] = value
        self._file.write_text(yaml.safe_dump(stack))
        return before

    def run(self, *words: str) -> Said:
        done = subprocess.run(
            [str(self.pulumi), *words, "--non-interactive", "--color=never"],
            cwd=self.root,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_RUN_S,
            check=False,
        )
        return Said(done.returncode, done.stdout)

    def up(self, *flags: str) -> Said:
        return self.run("up", "--yes", "--skip-preview", f"--stack={self.name}", *flags)

    def destroy(self) -> Said:
        return self.run("destroy", "--yes", "--skip-preview", f"--stack={self.name}")

    def output(self, name: str) -> Any:
        return yaml.safe_load(self.run("stack", "output", name, "--json", f"--stack={self.name}").ok().text)


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Layout]:
    """A cloud with the network that stack dev names."""
    layout = Layout.ephemeral(tmp_path_factory.mktemp("infra"))
    layout.save()
    begun = process.start(layout, "cloud", [sys.executable, "-m", "sandbox.cloud", "--dir", layout.directory])
    try:
        process.wait_until(lambda: _answers(layout.aws_url), begun, layout, 30)
        ensure_network(layout.aws_url, layout.vpc_network)
        yield layout
    finally:
        process.stop(layout, "cloud")


def _answers(url: str) -> bool:
    try:
        with urlopen(f"{url}/_sandbox/ready", timeout=1) as answer:  # noqa: S310 (loopback)
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.fixture(scope="module")
def stack(aws: Layout, control_plane: Layout) -> DevStack:
    """Stack dev with the ports of this test's servers and no replica of the syncer: there are no nodes."""
    root = aws.directory / "project"
    root.mkdir()
    for name in ("infra", ".venv", "uv.lock", "pyproject.toml", "Pulumi.yaml"):
        (root / name).symlink_to(ROOT / name)
    (root / "Pulumi.dev.yaml").write_text((ROOT / "Pulumi.dev.yaml").read_text())
    plugins.install(aws, {"SANDBOX_PLUGINS": "offline"})
    aws.pulumi_backend.mkdir(parents=True)
    environ = {
        **{
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PULUMI", "KUBE", "AWS"))
        },
        "PULUMI_HOME": str(aws.pulumi_home),
        "PULUMI_BACKEND_URL": f"file://{aws.pulumi_backend}",
        "PULUMI_CONFIG_PASSPHRASE": "sandbox",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "KUBECONFIG": str(control_plane.kubeconfig),
        "AWS_ENDPOINT_URL": aws.aws_url,
    }
    made = DevStack(root, environ, ensure(("pulumi",), lambda _: None)["pulumi"])
    made.run("stack", "select", "--create", "dev").ok()
    made.configure(syncer={"image": "node-nlb-sync:dev", "replicas": 0})
    return made


@pytest.fixture(scope="session")
def uv() -> str:
    """The sandbox's own uv, else that on PATH."""
    found = private_uv()
    return str(found) if found.exists() else "uv"


@pytest.fixture(scope="session")
def plugin(uv: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of plugin/ with this tree installed, as a user prepares it."""
    return prepared("plugin", tmp_path_factory.mktemp("component") / "plugin", uv)


def prepared(source: str, folder: Path, uv: str) -> Path:
    """A copy of a folder of this repository with the packages that its pyproject.toml names."""
    shutil.copytree(ROOT / source, folder, ignore=shutil.ignore_patterns(".venv", "uv.lock"))
    metadata = folder / "pyproject.toml"
    metadata.write_text(re.sub(r'path = "[./]+"', f'path = "{ROOT}"', metadata.read_text()))
    made = subprocess.run(
        [uv, "sync", "--python", sys.executable],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    return folder
