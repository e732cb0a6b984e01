"""docs/examples/Pulumi.prod.yaml, by the real engine, with the Service of Traefik's Helm chart.

The tests go on from each other in the order of the file: one sandbox, which the last ones take apart.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox import cluster, process, status, supervisor, toolchain, up
from sandbox.cloud.client import ec2_client, elbv2_client
from sandbox.cloud.network import NODE_GROUP_ID, SUBNET_IDS, VPC_ID
from sandbox.cluster import Rest
from sandbox.kubelet import spawn
from sandbox.layout import Layout
from sandbox.nodes import lifecycle
from sandbox.nodes.ingress import PING_ANNOTATION
from sandbox.plugins import choice as plugins
from sandbox.progress import Progress
from tests.waiting import eventually

pytestmark = pytest.mark.toolchain

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "docs/examples/Pulumi.prod.yaml"
SERVICE = "/api/v1/namespaces/traefik/services/traefik"
# What `helm template traefik traefik/traefik --set service.type=NodePort` with
# `--set ports.traefik.expose.default=true` prints of the chart's Service (chart 41.3).
CHART_SERVICE = {
    "metadata": {"name": "traefik", "labels": {"app.kubernetes.io/name": "traefik"}},
    "spec": {
        "type": "NodePort",
        "selector": {
            "app.kubernetes.io/instance": "traefik-traefik",
            "app.kubernetes.io/name": "traefik",
        },
        "ports": [
            {"name": "traefik", "port": 8080, "protocol": "TCP", "targetPort": "traefik"},
            {"name": "web", "port": 80, "protocol": "TCP", "targetPort": "web"},
            {"name": "websecure", "port": 443, "protocol": "TCP", "targetPort": "websecure"},
        ],
    },
}


@dataclass(frozen=True, slots=True)
class Prod:
    """Stack prod in a directory of its own."""

    root: Path
    layout: Layout
    environ: dict[str, str]
    pulumi: Path

    def up(self) -> None:
        stack = yaml.safe_load(EXAMPLE.read_text())
        _fit(stack["config"], self.layout)
        (self.root / "Pulumi.prod.yaml").write_text(yaml.safe_dump(stack))
        done = self.run("up", "--yes", "--skip-preview")
        assert done.returncode == 0, done.stdout

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [str(self.pulumi), *words, "--stack=prod", "--non-interactive", "--color=never"],
            cwd=self.root,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=400,
            check=False,
        )

    def check(self, name: str) -> None:
        """Let the groups' health checks ask the NodePort of another port of the Service."""
        elb = elbv2_client(self.layout.aws_url)
        ports = Rest(self.layout).get(SERVICE)["spec"]["ports"]
        (port,) = [str(each["nodePort"]) for each in ports if each["name"] == name]
        for group in elb.describe_target_groups()["TargetGroups"]:
            elb.modify_target_group(TargetGroupArn=group["TargetGroupArn"], HealthCheckPort=port)

    def health(self) -> dict[str, list[tuple[str, str]]]:
        """(state, reason) of each target of each group."""
        elb = elbv2_client(self.layout.aws_url)
        return {
            group["TargetGroupName"]: [
                (one["TargetHealth"]["State"], one["TargetHealth"].get("Reason", ""))
                for one in elb.describe_target_health(TargetGroupArn=group["TargetGroupArn"])[
                    "TargetHealthDescriptions"
                ]
            ]
            for group in elb.describe_target_groups()["TargetGroups"]
        }

    def every_target_is(self, state: tuple[str, str]) -> bool:
        """Whether both groups hold the four worker nodes of the example's two zones, all in that state."""
        return list(self.health().values()) == [[state] * 4] * 2


def _fit(config: dict[str, Any], layout: Layout) -> None:
    """Put the sandbox's ids and endpoints into the example; nothing else is touched."""
    config["node-nlb-sync:vpcId"] = VPC_ID
    config["node-nlb-sync:nodeSecurityGroupId"] = NODE_GROUP_ID
    ec2 = ec2_client(layout.aws_url)
    for zone, place in config["node-nlb-sync:zones"].items():
        place["subnetId"] = SUBNET_IDS[zone]
        if "allocationId" in place:
            free = [
                one["AllocationId"] for one in ec2.describe_addresses()["Addresses"] if not one.get("Tags")
            ]
            place["allocationId"] = (free or [ec2.allocate_address(Domain="vpc")["AllocationId"]])[0]
    services = ("ec2", "elbv2", "iam", "sts")
    config |= {
        "aws:accessKey": "sandbox",
        "aws:secretKey": "sandbox",
        "aws:endpoints": [dict.fromkeys(services, layout.aws_url)],
        "aws:skipCredentialsValidation": True,
        "aws:skipMetadataApiCheck": True,
        "aws:skipRequestingAccountId": True,
        "kubernetes:context": "sandbox",
    }
    config["node-nlb-sync:syncer"] |= {
        "env": {
            "AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2": layout.aws_url,
            "NLB_SYNC_ADDRESS": "$(POD_IP)",
        },
        "egressPorts": [layout.aws_port, layout.apiserver_port],
    }


@pytest.fixture(scope="module")
def prod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prod]:
    layout = Layout.ephemeral(tmp_path_factory.mktemp("prod"))
    try:
        tools = toolchain.ensure()
        plugins.install(layout, {"SANDBOX_PLUGINS": "offline"})
        layout = up.start_cloud(layout, Progress())
        up.start_world(layout, tools, Progress())
        Rest(layout).create("/api/v1/namespaces", {"metadata": {"name": "traefik"}})
        Rest(layout).create(SERVICE.rpartition("/")[0], CHART_SERVICE)
        yield _project(layout, tools["pulumi"])
    finally:
        up.stop_all(layout)


def _project(layout: Layout, pulumi: Path) -> Prod:
    root = layout.directory / "project"
    root.mkdir()
    for name in ("infra", ".venv", "uv.lock", "pyproject.toml", "Pulumi.yaml"):
        (root / name).symlink_to(ROOT / name)
    layout.pulumi_backend.mkdir(parents=True)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PULUMI", "KUBE", "AWS"))}
    environ = kept | {
        "PULUMI_HOME": str(layout.pulumi_home),
        "PULUMI_BACKEND_URL": f"file://{layout.pulumi_backend}",
        "PULUMI_CONFIG_PASSPHRASE": "sandbox",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "KUBECONFIG": str(layout.kubeconfig),
    }
    made = Prod(root, layout, environ, pulumi)
    done = made.run("stack", "init")
    assert done.returncode == 0, done.stdout
    return made


def test_c4_the_example_makes_the_charts_nodes_healthy(prod: Prod) -> None:
    prod.up()
    eventually(lambda: prod.every_target_is(("healthy", "")), 90)


def test_c4_a_health_check_that_the_chart_does_not_answer_fails_as_on_aws(prod: Prod) -> None:
    """`/ping` on `web` is 404 with a default chart, so the stack's default matcher refuses it."""
    prod.check("web")
    mismatch = ("unhealthy", "Target.ResponseCodeMismatch")
    eventually(lambda: prod.every_target_is(mismatch), 90)


def test_c4_the_charts_health_check_route_answers_ping_on_web(prod: Prod) -> None:
    """`ingressRoute.healthcheck` of the chart, as docs/stack.md has it."""
    Rest(prod.layout).patch(SERVICE, {"metadata": {"annotations": {PING_ANNOTATION: "web"}}})
    eventually(lambda: prod.every_target_is(("healthy", "")), 90)


def test_c1_the_sandbox_recovers_from_the_end_of_each_process(prod: Prod) -> None:
    layout = prod.layout
    killed = {name: process.find(layout, name) for name in status.PROCESSES if name != "cloud"}
    for running in killed.values():
        assert running
        os.kill(running.pid, signal.SIGKILL)

    eventually(lambda: not status.missing(layout) and cluster.ready(layout), 120)
    eventually(lambda: len(prod.health()) == 2 and prod.every_target_is(("healthy", "")), 120)
    # All of it works: a new node becomes Ready and a target.
    lifecycle.add(layout, names=["after"], zone="eu-central-1a")
    eventually(lambda: [len(targets) for targets in prod.health().values()] == [5, 5], 120)
    noted = supervisor.incidents(layout)
    assert {name for name, one in noted.items() if one.restarts} == set(killed)


def test_c1_a_simulated_cloud_that_ended_is_lost_until_make_up_begins_anew(prod: Prod) -> None:
    layout = prod.layout
    cloud = process.find(layout, "cloud")
    assert cloud
    os.kill(cloud.pid, signal.SIGKILL)

    eventually(lambda: supervisor.incidents(layout).get("cloud"), 10)
    assert status.observe(layout, {}).missing == ("cloud",)
    assert not up.world_is_up(layout)


def test_c1_stopping_a_supervised_sandbox_leaves_no_process(prod: Prod) -> None:
    up.stop_all(prod.layout)
    time.sleep(2)  # four looks of a supervisor
    assert process.running(prod.layout) == []
    assert process.wanted(prod.layout) == []
    assert list(spawn.running(prod.layout)) == []
