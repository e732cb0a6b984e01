"""Whatever AWS or the API server answers, nodes and packet path go on, ask seldom, and log it once."""

import itertools
import re
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from sandbox import process
from sandbox.cloud.client import ec2_client
from sandbox.cloud.network import ensure_network
from sandbox.cluster import Rest
from sandbox.cluster.pki import Pki
from sandbox.layout import Layout, free_ports
from sandbox.loopback import Loopback
from sandbox.nodes import ec2, lifecycle
from sandbox.process import Running
from sandbox.status import observe
from tests.integration.nodes.garbler import NONSENSE, Garbler
from tests.integration.nodes.processes import eventually, start

pytestmark = pytest.mark.toolchain

SERVICES = "/api/v1/namespaces/default/services"
_SECONDS = 3.0
# Two processes that wait 0.5, 1, 2, ... s; boto3 asks three times for a 5xx; three collections are watched.
_REQUESTS = 60
_LINES = 12
_ENTRY = re.compile(r"^\d{4}-\d\d-\d\d ", re.MULTILINE)
_NAMES = (f"nonsense-{number}" for number in itertools.count(1))


@dataclass(frozen=True, slots=True)
class World:
    """A nodes and an nlb process that reach AWS and the API server through garblers; `outside` does not."""

    outside: Layout
    inside: Layout
    aws: Garbler
    api: Garbler
    node_port: int

    def running(self) -> list[Running | None]:
        return [process.find(self.inside, name) for name in ("nodes", "dataplane")]

    def lines(self) -> int:
        """How many entries the logs have; a traceback is part of one."""
        logs = [self.inside.logs / f"{name}.log" for name in ("nodes", "dataplane")]
        return sum(len(_ENTRY.findall(log.read_text())) for log in logs)

    def serves(self, name: str) -> bool:
        """Whether the machine of the node answers its NodePort."""
        (ip,) = [one.ip for one in ec2.instances(ec2_client(self.outside.aws_url)) if one.node == name]
        ip, port = Loopback.of(self.inside).place(ip, self.node_port)
        try:
            with urllib.request.urlopen(f"http://{ip}:{port}/ping", timeout=2) as answer:
                return bool(answer.status == 200)
        except urllib.error.URLError:
            return False

    def joins(self) -> str:
        """Add a node: it is an instance for EC2 and Ready in the cluster only if every loop works."""
        (name,) = lifecycle.add(self.outside, names=[next(_NAMES)])
        eventually(lambda: self.serves(name))
        return name

    def remove_nodes(self) -> None:
        for one in ec2.instances(ec2_client(self.outside.aws_url)):
            ec2.terminate(ec2_client(self.outside.aws_url), one.id)
            Rest(self.outside).delete(f"/api/v1/nodes/{one.node}")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, cluster: Layout) -> Iterator[World]:
    directory = tmp_path_factory.mktemp("nonsense")
    aws_port, aws_front, api_front = free_ports(3)
    outside = _layout(replace(cluster, directory=directory / "outside", aws_port=aws_port), cluster)
    inside = replace(cluster, directory=directory / "in", aws_port=aws_front, apiserver_port=api_front)
    inside = _layout(inside, cluster)
    serving, tls = Pki(cluster.pki).pair("serving"), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(serving.certificate, serving.key)
    aws, api = Garbler(aws_port, port=aws_front), Garbler(cluster.apiserver_port, tls, port=api_front)
    spec = {"type": "NodePort", "ports": [{"name": "http", "port": 80}]}
    made = Rest(outside).create(SERVICES, {"metadata": {"name": "nonsense"}, "spec": spec})
    with aws.serving(), api.serving():
        try:
            start(outside, "cloud")
            eventually(lambda: ensure_network(outside.aws_url, outside.vpc_network))
            start(inside, "nodes")
            start(inside, "dataplane")
            eventually(inside.nodes_socket.exists)
            yield World(outside, inside, aws, api, made["spec"]["ports"][0]["nodePort"])
        finally:
            for name in ("nodes", "dataplane"):
                process.stop(inside, name)
            process.stop(outside, "cloud")
            Rest(outside).delete(f"{SERVICES}/nonsense")


def _layout(layout: Layout, cluster: Layout) -> Layout:
    layout.save()
    layout.pki.symlink_to(cluster.pki, target_is_directory=True)
    return layout


@pytest.fixture
def node(world: World) -> Iterator[str]:
    """A node that joined before anything was garbled."""
    try:
        yield world.joins()
    finally:
        world.aws.answer(None)
        world.api.answer(None)
        world.remove_nodes()


@pytest.mark.parametrize("nonsense", NONSENSE)
@pytest.mark.parametrize("server", ["aws", "api"])
def test_c1_nodes_and_packet_path_survive_every_answer(
    world: World, node: str, server: str, nonsense: str
) -> None:
    garbler = world.aws if server == "aws" else world.api
    before, lines = world.running(), world.lines()

    garbler.answer(nonsense)
    eventually(lambda: garbler.requests)
    time.sleep(_SECONDS)

    assert world.running() == before
    assert None not in before
    assert world.serves(node)
    assert garbler.requests <= _REQUESTS
    assert world.lines() - lines <= _LINES
    if nonsense != "hang":  # `sandbox status` shows what it can; its own time-outs add up to 20 s
        (group,) = observe(world.inside, {"targetGroups": {"http": "arn:http"}}).groups
        assert group.targets == ()
    garbler.answer(None)
    assert world.joins()  # and all of it works again
    assert world.running() == before
