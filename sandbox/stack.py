"""Runs the real Pulumi CLI on stack `dev`, in an environment with the sandbox only."""

import contextlib
import itertools
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.environment import private_uv
from sandbox.errors import SandboxError
from sandbox.layout import Layout
from sandbox.process import started_at

STACK = "dev"
_CANCEL_S = 60.0
_ANSWER_S = 60.0
_CHANGED = re.compile(r"^\s*[-+~]{1,2}\s+(?P<type>\S+:\S+) (?P<name>\S+) (?P<what>created|deleted|updated)\b")

# The CLI's message for a key declared in Pulumi.yaml and missing in the stack, or of another type.
_CONFIGURATION = re.compile(r"validating stack config: (?P<what>.*?configuration \w+ '(?P<key>\w+)'.*)")


class StackError(SandboxError):
    """Pulumi refused or failed; the message contains Pulumi's error."""


@dataclass(frozen=True, slots=True)
class Stack:
    """Stack `dev` of the project at `root`, with the Pulumi CLI at `pulumi`."""

    root: Path
    layout: Layout
    pulumi: Path

    def environment(self) -> dict[str, str]:
        """Return the variables of `sandbox shell`: for `pulumi up`, without a real account or cluster."""
        kept = {
            name: value
            for name, value in os.environ.items()
            # Without bytecode each run compiles the providers' libraries again: 5 s.
            if not name.startswith(("AWS_", "PULUMI_", "KUBE", "VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE"))
        }
        # uv last: the official language plugin uses uv to find the project's Python.
        path = [self.layout.bin, self.pulumi.parent, Path(sys.executable).parent, private_uv().parent]
        return kept | {
            "PATH": os.pathsep.join([*map(str, path), kept.get("PATH", "")]),
            "KUBECONFIG": str(self.layout.kubeconfig),
            # Not in the stack's configuration: the configuration is in git and the same for every sandbox.
            # The official provider reads the variable as the stand-in does (its guide "Custom Service
            # Endpoints").
            "AWS_ENDPOINT_URL": self.layout.aws_url,
            # The administrator of the sandbox's AWS, as in the stack's configuration; the keys protect
            # nothing.
            "AWS_ACCESS_KEY_ID": "sandbox",
            "AWS_SECRET_ACCESS_KEY": "sandbox",
            "PULUMI_BACKEND_URL": f"file://{self.layout.pulumi_backend}",
            "PULUMI_HOME": str(self.layout.pulumi_home),
            # Public on purpose: the passphrase protects only the temporary state of a sandbox.
            "PULUMI_CONFIG_PASSPHRASE": "sandbox",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_STACK": STACK,
        }

    def select(self) -> None:
        """Select the stack, created if missing, for plain `pulumi up`."""
        self.layout.pulumi_backend.mkdir(parents=True, exist_ok=True)
        self._run(["stack", "select", "--create", STACK])

    def up(self, on_change: Callable[[str], None]) -> None:
        """Run `pulumi up`; `on_change` gets a line for each changed resource."""
        self._run(["up", "--yes", "--skip-preview"], on_change)

    def destroy(self, on_change: Callable[[str], None]) -> None:
        """Run `pulumi destroy`, then remove the stack."""
        self._run(["destroy", "--yes", "--skip-preview"], on_change)
        self._run(["stack", "rm", "--yes", "--preserve-config", STACK])

    def dependents(self) -> list[str]:
        """Return the objects that block the stack's deletion from outside (`python -m infra.dependents`)."""
        with contextlib.suppress(subprocess.SubprocessError):
            exported = self._answer([str(self.pulumi), "stack", "export", "--stack", STACK], "")
            told = self._answer([sys.executable, "-m", "infra.dependents"], exported.stdout)
            return told.stdout.splitlines() if told.returncode == 1 else []
        return []

    def _answer(self, command: Sequence[str], given: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            check=False,
            cwd=self.root,
            env=self.environment(),
            input=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            timeout=_ANSWER_S,
        )

    def exists(self) -> bool:
        """Whether the backend has state of the stack."""
        return _state_file(self.layout) is not None

    def _run(self, words: Sequence[str], on_change: Callable[[str], None] | None = None) -> str:
        command = [str(self.pulumi), *words, "--non-interactive", "--color", "never"]
        if words[0] != "stack":
            command += ["--stack", STACK]
        child = subprocess.Popen(
            command,
            cwd=self.root,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert child.stdout  # noqa: S101  (PIPE above)
        said: list[str] = []
        with child.stdout:
            try:
                _follow(child.stdout, said, on_change)
                child.wait()
            except KeyboardInterrupt:
                _let_finish(child)
                self._keep(words, said)
                raise
        self._keep(words, said)
        if child.returncode:
            _refuse_configuration(said)
            raise StackError(
                f"pulumi {' '.join(words)} failed (full output in {self._log}):\n{_diagnostics(said)}"
            )
        return "".join(said)

    @property
    def _log(self) -> Path:
        return self.layout.logs / "pulumi.log"

    def _keep(self, words: Sequence[str], said: Sequence[str]) -> None:
        self.layout.logs.mkdir(parents=True, exist_ok=True)
        with self._log.open("a") as log:
            log.write(f"$ pulumi {' '.join(words)}\n{''.join(said)}\n")


def outputs(layout: Layout) -> dict[str, Any]:
    """Return the stack's outputs, empty if missing; from the state file, which is quicker than the CLI."""
    path = _state_file(layout)
    if path is None:
        return {}
    resources = json.loads(path.read_text())["checkpoint"].get("latest", {}).get("resources", [])
    found: list[dict[str, Any]] = [
        r.get("outputs", {}) for r in resources if r["type"] == "pulumi:pulumi:Stack"
    ]
    return found[0] if found else {}


def interrupted(layout: Layout) -> bool:
    """Whether a run was killed: a lock of an ended process, or a pending operation."""
    path = _state_file(layout)
    latest = json.loads(path.read_text())["checkpoint"].get("latest") or {} if path else {}
    locks = [json.loads(lock.read_text()) for lock in layout.pulumi_backend.glob(".pulumi/locks/**/*.json")]
    return bool(latest.get("pending_operations")) or any(not started_at(lock["pid"]) for lock in locks)


def _follow(output: Iterable[str], said: list[str], on_change: Callable[[str], None] | None) -> None:
    """Keep all lines in `said`, and report changed resources."""
    for line in output:
        said.append(line)
        found = _CHANGED.match(line)
        if found and on_change:
            on_change(f"{found['what']} {found['type'].rpartition(':')[2]} {found['name']}")


def _let_finish(child: subprocess.Popen[str]) -> None:
    """After Ctrl-C, let Pulumi complete started operations and save its state; kill it after 60 s."""
    child.send_signal(signal.SIGINT)
    try:
        child.communicate(timeout=_CANCEL_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()


def _state_file(layout: Layout) -> Path | None:
    return next(layout.pulumi_backend.glob(f".pulumi/stacks/*/{STACK}.json"), None)


def _refuse_configuration(said: Sequence[str]) -> None:
    """Raise StackError with a remedy if the engine refused the stack's configuration."""
    found = _CONFIGURATION.search("".join(said))
    if found:
        raise StackError(
            f"Pulumi.{STACK}.yaml: {found['what']}; set node-nlb-sync:{found['key']} "
            "(allowed values: docs/keys.md)"
        )


def _diagnostics(said: Sequence[str]) -> str:
    """Return the lines under `Diagnostics:` if present, otherwise the last lines."""
    lines = [line.rstrip() for line in said if line.strip()]
    starts = [number for number, line in enumerate(lines) if line.startswith("Diagnostics:")]
    if not starts:
        return "\n".join(lines[-5:])
    # Outputs, resources and duration follow, not indented.
    found = list(itertools.takewhile(lambda line: line.startswith(" "), lines[starts[-1] + 1 :]))
    telling = [line for line in found if "program exited with non-zero exit code" not in line]
    return "\n".join((telling if any("error:" in line for line in telling) else found)[:40])
