"""The environment of contenders: a real store and API server, the fake AWS, and the fleet of nodes."""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

from bench import groups
from bench.api import Api
from bench.cloud import CloudClient
from bench.contender import Contender, Process
from bench.fleet import ZONES, Fleet
from bench.manynodes import LargeFleet, specimen
from sandbox import cluster, process
from sandbox.cluster import commands, kubeconfig, pki
from sandbox.layout import HOST, REGION, Layout, free_ports

INGRESS, SERVICE = "ingress", "ingress"
_SERVICES = f"/api/v1/namespaces/{INGRESS}/services"
_API_SERVER, _FAKE_API_SERVER = "kube-apiserver", "fake-apiserver"
_READY_S = 60.0
# Variables of the caller that must not reach a contender.
_NOT_PASSED_ON = ("AWS_", "NLB_SYNC_", "BENCH_", "KUBE", "PYTHONDONTWRITEBYTECODE")
# AWS's default deregistration delay is 300 s; no row waits for the end of a drain.
# AWS needs 90 s and more to turn a target healthy, which would prolong every row.
_DRAIN_S, HEALTHY_S = 300.0, 3.0


@dataclass(slots=True)
class World:
    """`limited`: whether AWS's limit on writes applies. `ports`: of the Service, with a group for each."""

    layout: Layout
    tools: Mapping[str, Path]
    api: Api
    cloud: CloudClient
    fleet: Fleet
    limited: bool
    kubeconfig: Path
    ports: dict[str, int] = field(default_factory=lambda: groups.ports(groups.FEWEST))
    _runs: Iterator[int] = field(default_factory=lambda: count(1))

    @classmethod
    @contextmanager
    def open(cls, directory: Path, tools: Mapping[str, Path], *, limited: bool) -> Iterator["World"]:
        """Yield a world without Nodes for the duration of the block. `tools` are sandbox.toolchain's."""
        layout = Layout.ephemeral(directory)
        layout.save()
        command = [sys.executable, "-m", "bench.aws", "--port", str(layout.aws_port)]
        try:
            aws = process.start(layout, "aws", command)
            cluster.start(layout, tools, ["etcd"])
            _start_api_server(layout, tools)
            api, cloud = Api(layout), CloudClient(layout.aws_port)
            process.wait_until(cloud.ready, aws, layout, _READY_S)
            world = cls(layout, tools, api, cloud, Fleet(api, cloud), limited, layout.kubeconfig)
            world.furnish()
            with closing(api), closing(cloud):
                yield world
        finally:
            for name in ("aws", _FAKE_API_SERVER, _API_SERVER, "etcd"):
                process.stop(layout, name)

    @contextmanager
    def large(self, pool: int | None) -> Iterator["World"]:
        """Yield this world with the fake API server in front of the real one, for many Nodes."""
        (port,) = free_ports(1)
        layout = replace(self.layout, apiserver_port=port)
        path = self.layout.directory / _FAKE_API_SERVER
        kubeconfig.write(layout, pki.ensure(layout.pki), "admin", path)
        ports = ["--port", str(port), "--real", str(self.layout.apiserver_port)]
        command = [sys.executable, "-m", "bench.apiserver", *ports, "--pki", str(layout.pki)]
        try:
            started = process.start(layout, _FAKE_API_SERVER, command)
            process.wait_until(lambda: cluster.ready(layout, _API_SERVER), started, layout, _READY_S)
            with closing(Api(layout)) as api:
                fleet = LargeFleet(api, self.cloud, specimen=specimen(self.fleet), pool=pool)
                yield replace(self, layout=layout, api=api, fleet=fleet, kubeconfig=path)
        finally:
            process.stop(layout, _FAKE_API_SERVER)

    def furnish(self) -> None:
        """Create the namespace and the Service of the ingress."""
        self._namespace(INGRESS)
        self._create_service()

    @property
    def groups(self) -> dict[str, str]:
        """Return the ARN of each target group, by the name of its port."""
        return groups.arns(self.ports)

    def set_groups(self, count: int) -> None:
        """Have `count` target groups, and a Service with as many ports."""
        if count != len(self.ports):
            self.ports = groups.ports(count)
            self.api.delete(f"{_SERVICES}/{SERVICE}")
            self._create_service()

    def _create_service(self) -> None:
        """Create the ingress Service; contenders may follow its NodePorts."""
        ports = [{"name": name, "port": port} for name, port in self.ports.items()]
        service = {"metadata": {"name": SERVICE}, "spec": {"type": "NodePort", "ports": ports}}
        self.api.create(_SERVICES, service)

    def reset_aws(
        self, targets: Mapping[str, Sequence[tuple[str, int]]] | None = None, strangers: Sequence[str] = ()
    ) -> None:
        """Empty the groups except for `targets` (healthy); `strangers` are running instances without Node."""
        self.cloud.reset(
            {arn: self.ports[name] for name, arn in self.groups.items()},
            {**self.fleet.instances, **dict.fromkeys(strangers, "running")},
            targets=targets or {},
            limited=self.limited,
            healthy_after=HEALTHY_S,
            drain=_DRAIN_S,
        )

    @contextmanager
    def running(self, contender: Contender, changes: Mapping[str, str]) -> Iterator[Process]:
        """Run the contender in a fresh namespace, without traces of an earlier run."""
        name = f"{contender.name}-{next(self._runs)}"
        self._namespace(name)
        environment = {**self.environment(name), **changes}
        started = Process(contender, environment, self.layout.logs / f"{name}.log")
        try:
            yield started
        finally:
            started.stop()

    def environment(self, namespace: str) -> dict[str, str]:
        """Return the environment of a contender, as listed in docs/bench.md."""
        own = {name: text for name, text in os.environ.items() if not name.startswith(_NOT_PASSED_ON)}
        ports = self.node_ports()
        own_port, other_port = free_ports(2)
        followed = ",".join(f"{arn}={INGRESS}/{SERVICE}:{name}" for name, arn in self.groups.items())
        return {
            **own,
            "NO_PROXY": HOST,
            "no_proxy": HOST,
            "KUBECONFIG": str(self.kubeconfig),
            "TMPDIR": str(self.layout.directory),
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "bench",
            "AWS_SECRET_ACCESS_KEY": "bench-secret-key",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2": self.cloud.url,
            "NLB_SYNC_TARGET_GROUPS": followed,
            "NLB_SYNC_TARGETGROUPARNS": ",".join(self.groups.values()),
            "NLB_SYNC_OWNERSHIP": "exclusive",
            "NLB_SYNC_ZONES": ",".join(ZONES),
            "NLB_SYNC_NAMESPACE": namespace,
            "NLB_SYNC_NAME": "nlb-sync",
            "NLB_SYNC_PORT": str(own_port),
            "BENCH_AWS_URL": self.cloud.url,
            "BENCH_APISERVER_URL": self.layout.apiserver_url,
            "BENCH_NAMESPACE": namespace,
            "BENCH_SERVICE": f"{INGRESS}/{SERVICE}",
            "BENCH_PORT": str(other_port),
            **{f"BENCH_TARGET_GROUP_{name.upper()}": arn for name, arn in self.groups.items()},
            **{f"BENCH_NODE_PORT_{name.upper()}": str(port) for name, port in ports.items()},
        }

    def node_ports(self) -> dict[str, int]:
        """Return the NodePort of every port of the Service."""
        service = self.api.get(f"{_SERVICES}/{SERVICE}")
        return {port["name"]: int(port["nodePort"]) for port in service["spec"]["ports"]}

    def targets(self, instances: Sequence[str]) -> dict[str, list[tuple[str, int]]]:
        """Return the instances as targets of every group."""
        ports = self.node_ports()
        return {arn: [(instance, ports[name]) for instance in instances] for name, arn in self.groups.items()}

    def _namespace(self, name: str) -> None:
        self.api.create("/api/v1/namespaces", {"metadata": {"name": name}})

    def kill_api_server(self) -> None:
        """Kill the contenders' API server with SIGKILL."""
        process.stop(self.layout, _API_SERVER, grace_s=0)

    def start_api_server(self) -> None:
        """Start the API server again, and wait until it is ready."""
        _start_api_server(self.layout, self.tools)

    @contextmanager
    def second_api_server(self) -> Iterator[Api]:
        """Run another API server on the same store, for use while the contender's API server is down."""
        other = replace(
            Layout.ephemeral(self.layout.directory / "second"),
            etcd_port=self.layout.etcd_port,
            etcd_peer_port=self.layout.etcd_peer_port,
        )
        (other.directory).mkdir(exist_ok=True)
        if not other.pki.exists():
            other.pki.symlink_to(self.layout.pki, target_is_directory=True)
        try:
            _start_api_server(other, self.tools)
            yield Api(other)
        finally:
            process.stop(other, _API_SERVER)


def _start_api_server(layout: Layout, tools: Mapping[str, Path]) -> None:
    """Start the API server and wait until it is ready.

    Not through sandbox.cluster, whose limit of 256 MiB would cause constant garbage collection with 5,000
    nodes.
    """
    authority = pki.ensure(layout.pki)
    kubeconfig.write(layout, authority, "admin", layout.kubeconfig)
    environment = {"PATH": os.environ.get("PATH", ""), "HOME": str(layout.directory)}
    started = process.start(
        layout, _API_SERVER, commands.command(_API_SERVER, layout, authority, tools), environment
    )
    process.wait_until(lambda: cluster.ready(layout, _API_SERVER), started, layout, _READY_S)
