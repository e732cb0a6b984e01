"""The component in another program, as an installed package, with its own providers and with Outputs."""

import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.wheel import build
from syncer.version import VERSION
from tests.integration.infra.conftest import ROOT, DevStack

pytestmark = [pytest.mark.toolchain, pytest.mark.timeout(900)]

# The default AWS provider would use another region, where nothing of the stack's is.
PROGRAM = '''
"""A program that knows its network only as Outputs of another component."""

import json

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as kubernetes
from node_nlb_sync import NodeNlb, NodeNlbArgs

known = json.loads(pulumi.Config().require("network"))


class Cluster(pulumi.ComponentResource):
    """Stands for the component that makes the cluster."""

    def __init__(self, name: str) -> None:
        super().__init__("example:index:Cluster", name)
        self.vpc_id = pulumi.Output.from_input(known["vpcId"])
        self.group = pulumi.Output.from_input(known["nodeSecurityGroupId"])
        subnets = {zone: place["subnetId"] for zone, place in known["zones"].items()}
        self.subnets = pulumi.Output.from_input(subnets)
        self.register_outputs({"vpcId": self.vpc_id})


def of(name: str, value: str) -> pulumi.Input[str]:
    """The value of a provider's setting; known only in `up` where it is to come of another resource."""
    if pulumi.Config().get("later") != name:
        return value
    made = kubernetes.core.v1.Namespace("first")
    return made.metadata.uid.apply(lambda _: value)


cluster = Cluster("cluster")
providers = [
    aws.Provider(
        "aws",
        region=of("aws", "eu-central-1"),
        access_key="sandbox",
        secret_key="sandbox",
        skip_credentials_validation=True,
        skip_metadata_api_check=True,
        skip_requesting_account_id=True,
    ),
    kubernetes.Provider("kubernetes", context=of("kubernetes", "sandbox")),
]
args: NodeNlbArgs = {
    "vpc_id": cluster.vpc_id,
    "node_security_group_id": cluster.group,
    "zones": {zone: {"subnet_id": cluster.subnets[zone]} for zone in known["zones"]},
    "addresses": {"keep": False},
    "ingress": {"create_namespace": True},
    "identity": {"cluster_name": pulumi.Output.from_input("sandbox")},
    "syncer": {"image": pulumi.Output.from_input("node-nlb-sync:dev"), "replicas": 0},
    **json.loads(pulumi.Config().get("more") or "{}"),
}
nlb = NodeNlb("node-nlb", args, pulumi.ResourceOptions(providers=providers))
for name in ("static_ips", "dns_name", "hosted_zone_id", "load_balancer_arn", "security_group_id"):
    pulumi.export(name, getattr(nlb, name))
for name in ("target_groups", "node_ports", "policy", "syncer_target_groups", "listeners", "syncer"):
    pulumi.export(name, getattr(nlb, name))
'''


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree."""
    return build(tmp_path_factory.mktemp("wheel"))


def test_the_wheel_is_named_after_the_product_and_holds_nothing_of_the_sandbox(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        packages = {name.split("/")[0] for name in names}
        metadata, entries = (
            archive.read(next(n for n in archive.namelist() if n.endswith(end))).decode()
            for end in (".dist-info/METADATA", "entry_points.txt")
        )
    assert {name for name in packages if not name.endswith(".dist-info")} == {"node_nlb_sync", "syncer"}
    assert {"syncer/Dockerfile", "syncer/requirements.txt", "syncer/uv.txt"} <= set(
        names
    )  # to build the image
    assert re.findall(r"^([\w-]+) = ", entries, re.MULTILINE) == ["nlb-sync"]
    assert f"\nVersion: {VERSION}\n" in metadata


def test_without_pulumi_the_syncer_works_and_the_component_says_what_to_install(
    wheel: Path, tmp_path: Path
) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    hidden = "import sys; sys.path.insert(0, sys.argv[1]); sys.modules['pulumi'] = None; "
    for program, said in (
        ("import syncer.run; print('syncer')", "syncer"),
        ("import node_nlb_sync", "pip install 'node-nlb-sync[pulumi]'"),
    ):
        done = subprocess.run(
            [sys.executable, "-P", "-c", hidden + program, str(tmp_path)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert said in done.stdout + done.stderr


@pytest.fixture(scope="module")
def consumer(wheel: Path, stack: DevStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevStack]:
    """Another project, whose program imports the installed package."""
    root = tmp_path_factory.mktemp("consumer")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(root / "site")
    project = {
        "name": "node-nlb-sync",
        "main": "program",
        "runtime": {"name": "python", "options": {"toolchain": "uv"}},
    }
    (root / "Pulumi.yaml").write_text(yaml.safe_dump(project))
    (root / "program").mkdir()
    (root / "program/__main__.py").write_text(PROGRAM)
    (root / ".venv").symlink_to(stack.root / ".venv")
    for name in ("uv.lock", "pyproject.toml"):
        (root / name).symlink_to(ROOT / name)
    known = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())["config"]
    network = {key: known[f"node-nlb-sync:{key}"] for key in ("vpcId", "nodeSecurityGroupId", "zones")}
    config = {"config": {"aws:region": "us-east-1", "node-nlb-sync:network": json.dumps(network)}}
    (root / "Pulumi.dev.yaml").write_text(
        yaml.safe_dump(
            {
                **config,
                "encryptionsalt": yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())["encryptionsalt"],
            }
        )
    )
    backend = root / "backend"
    backend.mkdir()
    environ = {**stack.environ, "PYTHONPATH": str(root / "site"), "PULUMI_BACKEND_URL": f"file://{backend}"}
    made = DevStack(root, environ, stack.pulumi)
    made.run("stack", "select", "--create", "dev").ok()
    yield made
    made.destroy()


def resources(stack: DevStack) -> set[tuple[str, str]]:
    """Type and name of each resource of the component in the state."""
    state = json.loads(stack.run("stack", "export", "--stack=dev").ok().text)
    found = [item["urn"].split("::") for item in state["deployment"]["resources"]]
    parts = [(types.rpartition("$")[2], types, name) for _, _, types, name in found]
    return {(kind, name) for kind, types, name in parts if "node-nlb-sync:index:NodeNlb" in types}


def outputs(stack: DevStack) -> dict[str, Any]:
    """The component's outputs in the state."""
    state = json.loads(stack.run("stack", "export", "--stack=dev").ok().text)
    (found,) = [
        item for item in state["deployment"]["resources"] if item["type"] == "node-nlb-sync:index:NodeNlb"
    ]
    return dict(found["outputs"])


def test_a_program_with_outputs_and_providers_gets_what_the_stack_gets(
    consumer: DevStack, stack: DevStack
) -> None:
    consumer.up().ok()
    exported: dict[str, Any] = {
        name: consumer.output(name) for name in ("static_ips", "target_groups", "hosted_zone_id", "policy")
    }
    made = resources(consumer)
    consumer.run("preview", "--refresh", "--expect-no-changes", "--stack=dev").ok()
    consumer.destroy().ok()
    stack.up().ok()
    assert made == resources(stack)
    stack.destroy().ok()
    assert set(exported["static_ips"]) == {"eu-central-1a", "eu-central-1b", "eu-central-1c"}
    assert set(exported["target_groups"]) == {"http", "https"}
    assert exported["hosted_zone_id"]
    assert json.loads(exported["policy"])["Version"] == "2012-10-17"


@pytest.mark.parametrize("provider", ["aws", "kubernetes"])
def test_a_provider_that_is_configured_only_in_up_is_no_error_in_a_preview(
    consumer: DevStack, provider: str
) -> None:
    before = consumer.configure(later=provider)
    previewed = consumer.run("preview", "--stack=dev").ok()
    made = consumer.up()
    consumer.destroy().ok()
    consumer.configure(**before)
    made.ok()
    assert "aws:lb:LoadBalancer" in previewed.text
    assert "kubernetes:apps/v1:Deployment" in previewed.text


def test_a_wrong_argument_is_one_line_and_registers_nothing(consumer: DevStack) -> None:
    before = consumer.configure(more=json.dumps({"cross_zone": "yes", "targetQuotas": 1}))
    said = consumer.run("preview", "--stack=dev")
    consumer.configure(**before)
    assert said.code != 0
    wrong = 'node-nlb: crossZone: read "yes"; allowed: true or false; fix: set crossZone to false'
    assert wrong in said.text.replace("\n", " ")
    assert "did you mean targetQuota?" in said.text
    assert "Traceback" not in said.text
    assert "node-nlb-sync:index:NodeNlb" not in said.text


# As a program in any language reaches the component: by its token, through the plugin.
REMOTE = """
import json

import pulumi


known = json.loads(pulumi.Config().require("network"))
known["vpcId"] = pulumi.Output.from_input(known["vpcId"])
more = json.loads(pulumi.Config().get("more") or "{}")
token = "node-nlb-sync:index:NodeNlb"
pulumi.ComponentResource(token, "node-nlb", {**known, **more}, remote=True)
"""


@pytest.fixture(scope="module")
def foreign(stack: DevStack, plugin: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevStack]:
    """A project whose program knows the component by its token alone."""
    root = tmp_path_factory.mktemp("foreign")
    project = {
        "name": "node-nlb-sync",
        "main": "program",
        "runtime": {"name": "python", "options": {"toolchain": "uv"}},
        "plugins": {"providers": [{"name": "node-nlb-sync", "path": str(plugin)}]},
    }
    (root / "Pulumi.yaml").write_text(yaml.safe_dump(project))
    (root / "program").mkdir()
    (root / "program/__main__.py").write_text(REMOTE)
    (root / ".venv").symlink_to(stack.root / ".venv")
    for name in ("uv.lock", "pyproject.toml"):
        (root / name).symlink_to(ROOT / name)
    dev = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())
    keys = ("vpcId", "nodeSecurityGroupId", "zones", "addresses", "ingress", "identity", "healthCheck")
    network = {key: dev["config"][f"node-nlb-sync:{key}"] for key in keys}
    network["syncer"] = {"image": "node-nlb-sync:dev", "replicas": 0}
    providers = {key: value for key, value in dev["config"].items() if not key.startswith("node-nlb-sync:")}
    config = {**providers, "node-nlb-sync:network": json.dumps(network)}
    (root / "Pulumi.dev.yaml").write_text(
        yaml.safe_dump({"encryptionsalt": dev["encryptionsalt"], "config": config})
    )
    (root / "backend").mkdir()
    environ = {**stack.environ, "PULUMI_BACKEND_URL": f"file://{root / 'backend'}"}
    program = DevStack(root, environ, stack.pulumi)
    program.run("stack", "select", "--create", "dev").ok()
    yield program
    program.destroy()


def test_through_the_plugin_it_is_the_same_component(foreign: DevStack, stack: DevStack) -> None:
    foreign.up().ok()
    made, ips = resources(foreign), outputs(foreign)["staticIps"]
    foreign.run("preview", "--refresh", "--expect-no-changes", "--stack=dev").ok()
    foreign.destroy().ok()
    stack.up().ok()
    assert made == resources(stack)
    stack.destroy().ok()
    assert set(ips) == {"eu-central-1a", "eu-central-1b", "eu-central-1c"}


def test_through_the_plugin_each_wrong_argument_is_one_line(foreign: DevStack) -> None:
    file = foreign.root / "Pulumi.dev.yaml"
    right = file.read_text()
    stack = yaml.safe_load(right)
    stack["config"]["node-nlb-sync:more"] = json.dumps({"crossZone": "yes", "targetQuotas": 1})
    file.write_text(yaml.safe_dump(stack))
    said = foreign.run("preview", "--stack=dev")
    file.write_text(right)
    assert said.code != 0
    assert 'crossZone: read "yes"; allowed: true or false' in said.text
    assert "did you mean targetQuota?" in said.text
    assert "Traceback" not in said.text
