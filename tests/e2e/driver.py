"""A running sandbox as a test speaks to it: by the commands that a person types."""

import asyncio
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from sandbox.layout import Layout
from sandbox.loopback import Address
from sandbox.stack import outputs
from sandbox.status import Group, Status, client, observe
from sandbox.traffic import Record, send

HTTP = 80
ROOT = Path(__file__).resolve().parents[2]


def files_of_the_clone() -> str:
    """The project's configuration, and what git reports of the whole clone."""
    asked = ["git", "status", "--porcelain"]
    status = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    return "\n".join([status, *((ROOT / name).read_text() for name in ("Pulumi.yaml", "Pulumi.dev.yaml"))])


def stack_dev() -> dict[str, Any]:
    """The program's keys in stack dev's configuration, without their namespace."""
    config = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())["config"]
    return {key.removeprefix("node-nlb-sync:"): value for key, value in config.items()}


def write_config(file: Path, **keys: Any) -> None:
    """Write stack dev's configuration with these keys set."""
    stack = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())
    stack["config"] |= {f"node-nlb-sync:{key}": value for key, value in keys.items()}
    file.write_text(yaml.safe_dump(stack))


@dataclass(slots=True)
class Sandbox:
    """The running sandbox, spoken to as a person does: by commands."""

    directory: Path
    environment: dict[str, str]
    said: dict[str, str] = field(default_factory=dict)

    @property
    def layout(self) -> Layout:
        """Its ports and addresses as they are now; the last ones after `make down`."""
        return Layout.load(self.directory)

    def make(self, target: str, timeout: float = 550) -> str:
        """What `make TARGET` prints; the test fails when it fails."""
        return self._run(["make", "--no-print-directory", target], timeout)

    def sandbox(self, *words: str, timeout: float = 120) -> str:
        """What `sandbox WORDS` prints."""
        return self._run([str(ROOT / ".venv/bin/sandbox"), *words], timeout)

    def pulumi(self, *words: str, timeout: float = 550) -> str:
        """What `pulumi WORDS` prints when it is typed in `sandbox shell`."""
        return self.sandbox("shell", "--", "pulumi", *words, timeout=timeout)

    def reconfigure(self, file: Path, **keys: Any) -> None:
        """`pulumi up` with these keys of stack dev set; a second one has nothing to do, nor a refresh.

        `file` is written: the stack's configuration with the keys.
        """
        write_config(file, **keys)
        self.apply(file)
        self.expect_no_changes(file)

    def apply(self, file: Path) -> None:
        """`pulumi up` with a file of configuration."""
        self.pulumi("up", "--yes", "--skip-preview", "--config-file", str(file), "--non-interactive")

    def expect_no_changes(self, file: Path) -> None:
        """A second `pulumi up` would change nothing, and a refresh finds nothing changed."""
        here = ("--config-file", str(file), "--non-interactive")
        self.pulumi("preview", "--refresh", "--expect-no-changes", *here)

    def status(self) -> Status:
        return observe(self.layout, outputs(self.layout))

    def groups(self) -> tuple[Group, ...]:
        return self.status().groups

    def aws(self, service: str) -> Any:
        return client(self.layout, service)

    def states(self, node: str) -> dict[str, str]:
        """The state of a node's target in each group; absent where it is none."""
        return {g.name: t.state for g in self.groups() for t in g.targets if t.node == node}

    def _run(self, command: list[str], timeout: float) -> str:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
        return done.stdout


def entries(sandbox: Sandbox, listener: str) -> list[Address]:
    found = sandbox.status().entries
    return [place for name, place in found.items() if name.endswith(f"/{listener}")]


@contextmanager
def traffic(sandbox: Sandbox) -> Iterator[Record]:
    """Twenty new connections a second to port 80 of each static IP for as long as the block runs."""
    record, stop = Record(), asyncio.Event()
    loop = asyncio.new_event_loop()
    (listener,) = [name for name, port in sandbox.status().listeners.items() if port == HTTP]
    work = send(entries(sandbox, listener), rate=20, seconds=300, record=record, stop=stop)
    thread = threading.Thread(target=loop.run_until_complete, args=(work,))
    thread.start()
    try:
        yield record
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
