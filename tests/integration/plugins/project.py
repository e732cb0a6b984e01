"""A Pulumi project in a directory of its own, driven by the real CLI through the offline plugins."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

from sandbox.layout import Layout
from sandbox.plugins import choice as plugins

_RUN_S = 120


@dataclass(frozen=True, slots=True)
class Said:
    """What one run of the CLI ended with and printed."""

    code: int
    text: str

    def ok(self) -> "Said":
        assert self.code == 0, self.text
        return self


@dataclass(frozen=True, slots=True)
class Project:
    """One stack `dev` whose program is `infra/__main__.py`, as in this repository."""

    root: Path
    layout: Layout
    pulumi: Path

    @classmethod
    def make(cls, root: Path, layout: Layout, pulumi: Path) -> "Project":
        project = cls(root, layout, pulumi)
        (root / "infra").mkdir(parents=True)
        (root / "state").mkdir()
        (root / "Pulumi.yaml").write_text(
            dedent(f"""\
                name: scenario
                main: infra
                runtime:
                  name: python
                  options: {{toolchain: pip, virtualenv: {Path(sys.prefix)}}}
                """)
        )
        plugins.install(project._own_layout, {"SANDBOX_PLUGINS": "offline"})
        project.run("stack", "init", "dev").ok()
        return project

    @property
    def _own_layout(self) -> Layout:
        """Plugins below the project's own PULUMI_HOME, the cluster shared with other tests."""
        return Layout(directory=self.root / "sandbox")

    def write(self, program: str) -> None:
        (self.root / "infra" / "__main__.py").write_text(dedent(program))

    def run(self, *words: str) -> Said:
        done = self.start(*words)
        text, _ = done.communicate(timeout=_RUN_S)
        return Said(done.returncode, text)

    def start(self, *words: str) -> "subprocess.Popen[str]":
        environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("PULUMI", "KUBE"))},
            "PULUMI_HOME": str(self._own_layout.pulumi_home),
            "PULUMI_BACKEND_URL": f"file://{self.root / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": "test",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "KUBECONFIG": str(self.layout.kubeconfig),
        }
        return subprocess.Popen(
            [str(self.pulumi), *words, "--non-interactive", "--color=never"],
            cwd=self.root,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def up(self, *flags: str) -> Said:
        return self.run("up", "--yes", "--skip-preview", "--stack=dev", *flags)

    def state_file(self) -> str:
        return (self.root / "state/.pulumi/stacks/scenario/dev.json").read_text()

    def resource(self, name: str) -> dict[str, Any]:
        """The recorded resource whose logical name is `name`."""
        resources = json.loads(self.state_file())["checkpoint"]["latest"]["resources"]
        found: list[dict[str, Any]] = [each for each in resources if each["urn"].endswith(f"::{name}")]
        return found[0]

    def outputs(self) -> dict[str, Any]:
        found: dict[str, Any] = self.resource("scenario-dev").get("outputs", {})
        return found
