"""The files of a sandbox, the ports of its servers, and its loopback addresses."""

import json
import os
import random
import shutil
import socket
from contextlib import ExitStack
from dataclasses import dataclass, fields
from ipaddress import IPv4Network
from pathlib import Path
from typing import Final

REGION = "eu-central-1"
ACCOUNT = "123456789012"
HOST = "127.0.0.1"
# The OIDC issuer of the cluster's ServiceAccount tokens, in EKS's form.
ISSUER: Final = f"https://oidc.eks.{REGION}.amazonaws.com/id/5A4D42584F4944434C55535445524944"
# Above the sandboxes' own ports (sandbox.slots), below the NodePorts (30000) and the ephemeral ports of a
# kernel (from 32768 on Linux, 49152 on macOS): a restarted server finds its port free.
FREE_PORTS: Final = range(21_000, 30_000)
# The second octet of the networks of test sandboxes; sandbox.slots assigns the others.
_TEST_BLOCKS: Final = range(2, 64, 2)
_BLOCK: Final = 64
_FILE: Final = "layout.json"
# Kept by `make down`: the lock of the run itself, the ports for the next run, downloaded plugins.
_KEPT: Final = frozenset({"lock", _FILE, "pulumi-home"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A sandbox: its directory, the ports of its servers (0: not chosen yet), its loopback addresses.

    `block` is the second octet of its VPC, 127.`block`.0.0/16; its Elastic IPs are in the next /16.
    """

    directory: Path
    aws_port: int = 0
    etcd_port: int = 0
    etcd_peer_port: int = 0
    apiserver_port: int = 0
    controller_manager_port: int = 0
    scheduler_port: int = 0
    block: int = _BLOCK

    @property
    def aws_url(self) -> str:
        """The common endpoint of all simulated AWS services."""
        return f"http://{HOST}:{self.aws_port}"

    @property
    def apiserver_url(self) -> str:
        """The real kube-apiserver, over TLS with the sandbox's own CA."""
        return f"https://{HOST}:{self.apiserver_port}"

    @property
    def etcd_url(self) -> str:
        """The client URL of etcd; clients need a certificate (`sandbox.cluster.store_context`)."""
        return f"https://{HOST}:{self.etcd_port}"

    @property
    def vpc_network(self) -> IPv4Network:
        """The VPC: nodes, Pods, and the load balancers' private addresses."""
        return IPv4Network(f"127.{self.block}.0.0/16")

    @property
    def elastic_network(self) -> IPv4Network:
        """The network of the Elastic IPs."""
        return IPv4Network(f"127.{self.block + 1}.0.0/16")

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
        """A log file for each process."""
        return self.directory / "logs"

    @property
    def run(self) -> Path:
        """A pid file for each process."""
        return self.directory / "run"

    @property
    def pods(self) -> Path:
        """A directory for each Pod: mounts and container logs."""
        return self.directory / "pods"

    @property
    def image(self) -> Path:
        """The image of the Pods; absent if Pods run as processes."""
        return self.directory / "image.json"

    @property
    def images(self) -> Path:
        """The files of images, a directory for each image."""
        return self.directory / "images"

    @property
    def containers(self) -> Path:
        """The state of the container runtime."""
        return self.directory / "containers"

    @property
    def nodes_socket(self) -> Path:
        """The unix socket between the `sandbox` command and the nodes process."""
        return self.run / "nodes.sock"

    @property
    def loopback_map(self) -> Path:
        """The actual listen addresses of simulated addresses and ports that cannot be bound directly."""
        return self.directory / "loopback.json"

    @property
    def bin(self) -> Path:
        """Executables on PATH for Pulumi: tools and offline plugins."""
        return self.directory / "bin"

    @property
    def plugins(self) -> Path:
        """The engine's plugins, and the reasons for refused plugins."""
        return self.directory / "plugins.json"

    @property
    def pulumi_backend(self) -> Path:
        """The stack's state, in a file:// backend."""
        return self.directory / "pulumi"

    @property
    def pulumi_home(self) -> Path:
        """PULUMI_HOME: the user's own Pulumi is neither read nor changed."""
        return self.directory / "pulumi-home"

    @property
    def present(self) -> bool:
        """Whether a sandbox exists, running or killed; false after `make down`."""
        return self.directory.is_dir() and any(path.name not in _KEPT for path in self.directory.iterdir())

    def ports(self) -> dict[str, int]:
        """All ports by field name."""
        return {name: getattr(self, name) for name in PORTS}

    @classmethod
    def default(cls, root: Path) -> "Layout":
        """Return the sandbox of the project at `root`: SANDBOX_DIR, or `.sandbox` below `root`.

        A directory copied with its clone contains the processes of the original: the copy is emptied.
        """
        directory = Path(os.environ.get("SANDBOX_DIR") or root / ".sandbox").absolute()
        if _is_copy(directory):
            cls(directory=directory).clear()
            (directory / _FILE).unlink()
        return cls.load(directory)

    @classmethod
    def ephemeral(cls, directory: Path) -> "Layout":
        """Return a sandbox for a test: its own directory, currently free ports, random addresses."""
        ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
        return cls(directory=directory.absolute(), block=random.choice(_TEST_BLOCKS), **ports)  # noqa: S311

    def save(self) -> None:
        """Write ports and addresses for the sandbox's processes and for the next run."""
        self.directory.mkdir(parents=True, exist_ok=True)
        content = {"directory": str(self.directory), "block": self.block, **self.ports()}
        written = self.directory / f"{_FILE}.new"
        written.write_text(json.dumps(content, indent=2) + "\n")
        written.replace(self.directory / _FILE)

    @classmethod
    def load(cls, directory: Path) -> "Layout":
        """Load the layout saved in `directory`; without ports if missing or damaged."""
        stored = _read(directory)
        chosen = {name: stored.get(name) for name in PORTS}
        block = stored.get("block", _BLOCK)
        if not all(type(each) is int for each in (*chosen.values(), block)):
            return cls(directory=directory.absolute())
        return cls(directory=directory.absolute(), block=block, **chosen)  # type: ignore[arg-type]

    def clear(self) -> None:
        """Delete all but the lock, the chosen ports and downloaded plugins."""
        for path in self.directory.iterdir():
            if path.name in _KEPT:
                continue
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


PORTS: Final = tuple(field.name for field in fields(Layout) if field.name.endswith("_port"))


def free_ports(count: int) -> list[int]:
    """Return `count` free ports of HOST."""
    found: list[int] = []
    with ExitStack() as held:
        while len(found) < count:
            port = random.choice(FREE_PORTS)  # noqa: S311 - so that concurrent runs choose different ports
            try:
                held.enter_context(socket.create_server((HOST, port)))
            except OSError:
                continue
            found.append(port)
    return found


def _read(directory: Path) -> dict[str, object]:
    try:
        stored = json.loads((directory / _FILE).read_text())
    except (OSError, ValueError):
        return {}
    return stored if isinstance(stored, dict) else {}


def _is_copy(directory: Path) -> bool:
    """Whether the layout in `directory` belongs to another, existing directory."""
    home = _read(directory).get("directory")
    try:
        return isinstance(home, str) and not Path(home).samefile(directory)
    except OSError:
        return False  # the original was moved here
