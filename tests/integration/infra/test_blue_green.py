"""A cluster is replaced behind its load balancer, by the commands of docs/blue-green.md, under traffic.

Two node pools of one API server stand for two clusters. Syncers and data plane are the real processes.
"""

import asyncio
import os
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import yaml

from sandbox import process
from sandbox.cloud.client import elbv2_client
from sandbox.cloud.network import run_node_instance
from sandbox.cluster import Rest
from sandbox.layout import Layout, free_ports
from sandbox.loopback import Address, Loopback
from tests.integration.infra.conftest import ROOT, DevStack
from tests.integration.syncer.household import NODES, Syncer
from tests.waiting import eventually

pytestmark = [pytest.mark.toolchain, pytest.mark.timeout(1500)]

PAGE = (ROOT / "docs/blue-green.md").read_text()
ZONES = ("eu-central-1a", "eu-central-1b", "eu-central-1c")
CONNECTIONS = 20  # a second, over all addresses
REQUESTS = 25  # of each connection: 500 requests a second
POOLS = ("blue", "green")


def commands(heading: str) -> list[str]:
    """The blocks of shell commands below a heading of the page."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"^```sh\n(.*?)^```", section, re.DOTALL | re.MULTILINE)


@dataclass(slots=True)
class Scene:
    """The three stacks, and what a client sees of them."""

    layout: Layout
    api: Rest
    edge: DevStack
    pools: dict[str, DevStack]
    node_names: list[str] = field(default_factory=list)
    arns: dict[str, dict[str, str]] = field(default_factory=dict)

    def page(self, heading: str, number: int = 0) -> str:
        """Run a block of the page in the project's folder, as a user without confirmations."""
        path = os.pathsep.join([str(self.edge.pulumi.parent), os.environ["PATH"]])
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands(heading)[number]],
            cwd=self.edge.root,
            env={**self.edge.environ, "PATH": path, "PULUMI_SKIP_CONFIRMATIONS": "true"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    def groups(self, pool: str) -> dict[str, str]:
        """The target groups of a pool's stack, by listener."""
        if pool not in self.arns:
            self.arns[pool] = self.pools[pool].output("targetGroups")
        return self.arns[pool]

    def attach(self, pool: str, weight: int) -> None:
        attachments = dict(self.edge.configure(attachments=None)["attachments"] or {})
        given = {"weight": weight, "targetGroups": self.groups(pool)}
        self.edge.configure(attachments={**attachments, pool: given})

    def balancer(self) -> dict[str, Any]:
        (found,) = elbv2_client(self.layout.aws_url).describe_load_balancers()["LoadBalancers"]
        return {key: found[key] for key in ("LoadBalancerArn", "DNSName", "AvailabilityZones")}

    def states(self, pool: str) -> Counter[str]:
        """How many targets of a pool's groups are in each state."""
        elb = elbv2_client(self.layout.aws_url)
        return Counter(
            each["TargetHealth"]["State"]
            for arn in self.groups(pool).values()
            for each in elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        )

    def unchanged(self) -> None:
        """A second `up` and a refresh find nothing to do."""
        shown = self.edge.run("preview", "--refresh", "--expect-no-changes", f"--stack={self.edge.name}")
        assert shown.code == 0, shown.text

    @contextmanager
    def serving(self, pool: str) -> Iterator[None]:
        """A pool's nodes, one a zone, with an ingress controller on its NodePorts; and its syncer."""
        ports, loopback = self.pools[pool].output("nodePorts").values(), Loopback.of(self.layout)
        words: list[str] = []
        for zone in ZONES:
            name = f"{pool}-{zone}"
            instance = run_node_instance(self.layout.aws_url, name, zone)
            words += [f"{loopback.reserve(instance.private_ip, port)}={pool}" for port in ports]
            provider = {"providerID": f"aws:///{zone}/{instance.instance_id}"}
            self.api.create(NODES, {"metadata": {"name": name, "labels": {"pool": pool}}, "spec": provider})
            self.node_names.append(name)
            ready = {"conditions": [{"type": "Ready", "status": "True"}]}
            self.api.patch(f"{NODES}/{name}/status", {"status": ready})
        module = "tests.answering"
        nodes = subprocess.Popen([sys.executable, "-m", module, *words], cwd=ROOT, stdout=subprocess.PIPE)
        syncer = Syncer(self.environment(pool), self.layout.directory)
        try:
            assert nodes.stdout is not None
            assert nodes.stdout.readline() == b"listening\n"
            # Registered before any listener forwards to the groups.
            eventually(lambda: self.states(pool) == {"unused": 6}, within=90)
            yield
        finally:
            syncer.end()
            nodes.kill()
            nodes.communicate()

    def environment(self, pool: str) -> dict[str, str]:
        """The environment of the syncer's Pod: its ConfigMap, and what the cluster would add."""
        data = self.api.get(f"/api/v1/namespaces/default/configmaps/nlb-sync-{pool}")["data"]
        (probes,) = free_ports(1)
        return {
            **data,
            "NLB_SYNC_PROBE_PORT": str(probes),
            "NLB_SYNC_NAMESPACE": "default",
            "NLB_SYNC_READ_SECONDS": "5",
            "KUBECONFIG": self.edge.environ["KUBECONFIG"],
            "AWS_ACCESS_KEY_ID": "sandbox",
            "AWS_SECRET_ACCESS_KEY": "sandbox",
            "AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2": self.layout.aws_url,
        }

    @contextmanager
    def traffic(self) -> Iterator["Record"]:
        """Requests to port 80 of the static IPs for as long as the block runs."""
        record, stop, loopback = Record(), asyncio.Event(), Loopback.of(self.layout)
        places = [loopback.place(ip, 80) for ip in self.edge.output("staticIps").values()]
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_until_complete, args=(send(places, record, stop),))
        thread.start()
        try:
            yield record
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join()
            loop.close()


@dataclass(slots=True)
class Record:
    """Who answered each request, and what failed."""

    served: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


async def send(places: list[Address], record: Record, stop: asyncio.Event) -> None:
    """Open connections at a constant rate until `stop` is set."""
    pending, began, turn = set(), time.monotonic(), 0
    while not stop.is_set():
        task = asyncio.create_task(connection(places[turn % len(places)], record))
        pending.add(task)
        task.add_done_callback(pending.discard)
        turn += 1
        await asyncio.sleep(max(0.0, began + turn / CONNECTIONS - time.monotonic()))
    await asyncio.gather(*pending)


async def connection(place: Address, record: Record) -> None:
    """Send some requests on one connection, spread over a part of a second."""
    try:
        async with asyncio.timeout(10):
            reader, writer = await asyncio.open_connection(*place)
            for _ in range(REQUESTS):
                writer.write(b"GET / HTTP/1.1\r\nHost: edge\r\n\r\n")
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                assert " 200 " in head, head
                record.served.append(head.partition("X-Served-By: ")[2].splitlines()[0])
                await asyncio.sleep(0.02)
            writer.close()
            await writer.wait_closed()
    except (OSError, EOFError, AssertionError) as error:
        record.failures.append(f"{place}: {str(error) or type(error).__name__}")


def share(record: Record, seconds: float = 6) -> float:
    """Green's share of the requests, after the connections of the step before have ended."""
    time.sleep(3)
    before = len(record.served)
    time.sleep(seconds)
    served = Counter(record.served[before:])
    assert served.total() > 100
    return served["green"] / served.total()


@pytest.fixture
def scene(stack: DevStack, aws: Layout, control_plane: Layout) -> Iterator[Scene]:
    api = Rest(control_plane)
    config = yaml.safe_load((stack.root / "Pulumi.dev.yaml").read_text())
    ours = "node-nlb-sync:"
    dev = {key.removeprefix(ours): config["config"].pop(key) for key in [*config["config"]] if ours in key}
    common = {key: dev[key] for key in ("vpcId", "crossZone", "tags")}
    keys: dict[str, dict[str, Any]] = {
        "edge": {**common, "cluster": False, "zones": dev["zones"], "addresses": {"keep": False}}
    }
    for pool in POOLS:
        names = {"name": f"nlb-sync-{pool}", "secretName": f"nlb-sync-{pool}", "namespace": "default"}
        keys[pool] = {
            **common,
            "nodeSecurityGroupId": dev["nodeSecurityGroupId"],
            # Patient, so that a busy machine turns no target unhealthy.
            "healthCheck": {
                "interval": 5,
                "timeout": 5,
                "healthyThreshold": 2,
                "unhealthyThreshold": 10,
            },
            "deregistrationDelay": dev["deregistrationDelay"],
            "identity": dev["identity"],
            "ingress": {"namespace": "default", "name": f"ingress-{pool}"},
            "syncer": {
                "image": "node-nlb-sync:dev",
                "replicas": 0,
                "labelFilter": f"pool={pool}",
                **names,
            },
        }
    stacks = {name: replace(stack, name=name) for name in keys}
    for name, each in stacks.items():
        file = stack.root / f"Pulumi.{name}.yaml"
        file.write_text(yaml.safe_dump(config))
        each.run("stack", "init", name).ok()
        each.configure(**keys[name])
    plane = [sys.executable, "-m", "sandbox.dataplane", "--dir", str(aws.directory)]
    process.start(aws, "dataplane", plane)
    made = Scene(aws, api, stacks["edge"], {pool: stacks[pool] for pool in POOLS})
    try:
        yield made
    finally:
        # The simulated AWS ends with the module; what is in the cluster goes by its stacks.
        elb = elbv2_client(aws.aws_url)
        for found in elb.describe_load_balancers()["LoadBalancers"]:
            elb.delete_load_balancer(LoadBalancerArn=found["LoadBalancerArn"])
        for each in made.pools.values():
            each.destroy()
        process.stop(aws, "dataplane")
        for name in made.node_names:
            api.delete(f"{NODES}/{name}")


def test_a_cluster_is_replaced_without_a_failed_request(scene: Scene) -> None:
    before: dict[str, Any] = {}
    scene.page("Create the edge")
    for pool in POOLS:
        scene.pools[pool].configure(edge={"securityGroupId": scene.edge.output("securityGroupId")})
    scene.page("Create a cluster's stack")
    scene.pools["green"].up().ok()
    with ExitStack() as running:
        running.enter_context(scene.serving("blue"))
        scene.attach("blue", 100)
        scene.page("Attach")
        before = scene.balancer()
        running.enter_context(scene.serving("green"))
        eventually(lambda: scene.states("blue") == {"healthy": 6}, within=90)
        record = running.enter_context(scene.traffic())
        assert share(record) == 0
        scene.attach("green", 0)
        scene.page("Attach")
        eventually(lambda: scene.states("green") == {"healthy": 6}, within=120)
        assert share(record) == 0
        for number, (low, high) in enumerate([(0.03, 0.2), (0.35, 0.65), (1, 1)]):
            scene.page("Shift", number)
            assert low <= share(record) <= high
        scene.page("Detach")
        assert share(record) == 1
        scene.unchanged()
    assert record.failures == []
    assert len(record.served) > 5000
    assert scene.balancer() == before
    left = elbv2_client(scene.layout.aws_url).describe_target_groups()["TargetGroups"]
    assert {each["TargetGroupArn"] for each in left} == set(scene.groups("green").values())
