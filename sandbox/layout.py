"""Where a sandbox keeps its files and on which loopback ports its servers listen."""

import json
import os
import random
import socket
from contextlib import ExitStack
from dataclasses import dataclass, fields
from pathlib import Path

REGION = "eu-central-1"
ACCOUNT = "123456789012"
HOST = "127.0.0.1"
# Above the sandbox's own, below the NodePorts (30000) and the ports that a kernel gives to whoever wants
# any (from 32768 on Linux, 49152 on macOS): a server that is stopped for a while finds its port free again.
_TO_CHOOSE_FROM = range(21_000, 30_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """One sandbox: a directory that may be deleted at any time it is down, and the ports of its servers.

    The ports are fixed because the stack configuration of `dev` names the AWS endpoint; they stay clear of
    the well-known ones (6443, 2379, 4566) that other tools on the same machine use.
    """

    directory: Path
    aws_port: int = 14566
    etcd_port: int = 12379
    etcd_peer_port: int = 12380
    apiserver_port: int = 16443
    controller_manager_port: int = 20257
    scheduler_port: int = 20259

    @property
    def aws_url(self) -> str:
        """The one endpoint of every simulated AWS service."""
        return f"http://{HOST}:{self.aws_port}"

    @property
    def apiserver_url(self) -> str:
        """The real kube-apiserver, over TLS with the sandbox's own CA."""
        return f"https://{HOST}:{self.apiserver_port}"

    @property
    def etcd_url(self) -> str:
        """The client URL of etcd."""
        return f"http://{HOST}:{self.etcd_port}"

    @property
    def kubeconfig(self) -> Path:
        """Administrator access to the cluster, context `sandbox`."""
        return self.directory / "kubeconfig"

    @property
    def pki(self) -> Path:
        """The cluster's CA, its certificates and keys."""
        return self.directory / "pki"

    @property
    def logs(self) -> Path:
        """One log file a process."""
        return self.directory / "logs"

    @property
    def run(self) -> Path:
        """One pid file a process."""
        return self.directory / "run"

    @property
    def pods(self) -> Path:
        """One directory a Pod: mounts and container logs."""
        return self.directory / "pods"

    @property
    def nodes_socket(self) -> Path:
        """The unix socket by which the `sandbox` command speaks to the nodes process."""
        return self.run / "nodes.sock"

    @property
    def loopback_map(self) -> Path:
        """Where addresses and ports that cannot be bound as they are really listen."""
        return self.directory / "loopback.json"

    @property
    def bin(self) -> Path:
        """Executables put on PATH for Pulumi: tools and offline plugins."""
        return self.directory / "bin"

    @property
    def pulumi_backend(self) -> Path:
        """The stack's state, by a file:// backend."""
        return self.directory / "pulumi"

    @property
    def pulumi_home(self) -> Path:
        """PULUMI_HOME: nothing of the user's own Pulumi is read or changed."""
        return self.directory / "pulumi-home"

    def ports(self) -> dict[str, int]:
        """Every fixed port by its field's name."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name.endswith("_port")}

    @classmethod
    def default(cls, root: Path) -> "Layout":
        """The sandbox of the project at `root`: SANDBOX_DIR, or `.sandbox` below it."""
        return cls(directory=Path(os.environ.get("SANDBOX_DIR") or root / ".sandbox").absolute())

    @classmethod
    def ephemeral(cls, directory: Path) -> "Layout":
        """A sandbox of a test: its own directory and ports that are free now."""
        names = [f.name for f in fields(cls) if f.name.endswith("_port")]
        ports = dict(zip(names, free_ports(len(names)), strict=True))
        return cls(directory=directory.absolute(), **ports)

    def save(self) -> None:
        """Write the ports beside the sandbox, for its processes (`Layout.load`)."""
        self.directory.mkdir(parents=True, exist_ok=True)
        (self.directory / "layout.json").write_text(json.dumps(self.ports(), indent=2) + "\n")

    @classmethod
    def load(cls, directory: Path) -> "Layout":
        """The layout that `save` wrote in `directory`; the default ports where it wrote none."""
        path = directory / "layout.json"
        ports = json.loads(path.read_text()) if path.exists() else {}
        return cls(directory=directory.absolute(), **ports)


def free_ports(count: int) -> list[int]:
    """That many ports of HOST on which nothing listens now."""
    found: list[int] = []
    with ExitStack() as held:
        while len(found) < count:
            port = random.choice(_TO_CHOOSE_FROM)  # noqa: S311 - so that two who choose at once do not meet
            try:
                held.enter_context(socket.create_server((HOST, port)))
            except OSError:
                continue
            found.append(port)
    return found
