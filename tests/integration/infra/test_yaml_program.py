"""examples/eks-yaml/Pulumi.yaml, by the real engine and Pulumi's own YAML host, through plugin/."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.toolchain import ensure
from tests.integration.infra.conftest import ROOT, DevStack, Said

# A build of the YAML host takes minutes the first time.
pytestmark = [pytest.mark.toolchain, pytest.mark.timeout(900)]

EXAMPLE = ROOT / "examples/eks-yaml/Pulumi.yaml"
# The Python program of the same arguments, in which the component runs in process.
PYTHON = """
import json

import pulumi
import pulumi_aws as aws

from infra.nodenlb import NodeNlb

given = json.loads(pulumi.Config().require("given"))
pool = given["nodes"]
nodes = aws.ec2.SecurityGroup("nodes", description=pool["description"], vpc_id=pool["vpcId"])
NodeNlb("node-nlb", {**given["nlb"], "nodeSecurityGroupIds": [nodes.id]})
"""

Preview = Callable[[dict[str, Any]], Said]


@pytest.fixture(scope="module")
def example(plugin: Path) -> dict[str, Any]:
    """The example with the ids of the sandbox."""
    known = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())["config"]
    zones = known["node-nlb-sync:zones"]
    text = EXAMPLE.read_text().replace("vpc-0123456789abcdef0", known["node-nlb-sync:vpcId"])
    for index, zone in enumerate(("eu-central-1a", "eu-central-1b")):
        text = text.replace(f"subnet-0123456789abcdef{index}", zones[zone]["subnetId"])
    program: dict[str, Any] = yaml.safe_load(text)
    assert (EXAMPLE.parent / program["plugins"]["providers"][0]["path"]).resolve() == ROOT / "plugin"
    program["plugins"]["providers"][0]["path"] = str(plugin)
    arguments(program)["identity"] = {"clusterName": "sandbox"}
    return program


def arguments(program: dict[str, Any]) -> dict[str, Any]:
    """The component's arguments in a program in YAML."""
    found: dict[str, Any] = program["resources"]["nlb"]["properties"]
    return found


def copied(program: dict[str, Any]) -> dict[str, Any]:
    """A copy that a test may change."""
    copy: dict[str, Any] = json.loads(json.dumps(program))
    return copy


def project(root: Path, stack: DevStack, description: dict[str, Any], **environ: str) -> DevStack:
    """A project with the providers' configuration of stack dev."""
    dev = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())
    config = {key: value for key, value in dev["config"].items() if not key.startswith("node-nlb-sync:")}
    (root / "Pulumi.yaml").write_text(yaml.safe_dump(description))
    (root / "Pulumi.dev.yaml").write_text(
        yaml.safe_dump({"encryptionsalt": dev["encryptionsalt"], "config": config})
    )
    (root / "backend").mkdir()
    made = DevStack(
        root, {**stack.environ, **environ, "PULUMI_BACKEND_URL": f"file://{root / 'backend'}"}, stack.pulumi
    )
    made.run("stack", "select", "--create", "dev").ok()
    return made


@pytest.fixture(scope="module")
def in_yaml(stack: DevStack, example: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> DevStack:
    """The example as a project of its own."""
    host = ensure(("pulumi-language-yaml",))["pulumi-language-yaml"]
    path = f"{host.parent}{os.pathsep}{os.environ['PATH']}"
    return project(tmp_path_factory.mktemp("yaml"), stack, example, PATH=path)


def preview(program: DevStack, description: dict[str, Any]) -> Said:
    """Preview another version of the program."""
    (program.root / "Pulumi.yaml").write_text(yaml.safe_dump(description))
    return program.run("preview", "--stack=dev")


def planned(program: DevStack) -> dict[str, Any]:
    """The inputs of each resource that a preview plans, by URN; automatic names without their random end."""
    said = program.run("preview", "--json", "--stack=dev").ok().text
    steps = json.loads(said[said.index("{\n") :])["steps"]
    inputs = {step["urn"]: step["newState"].get("inputs", {}) for step in steps}
    text = re.sub(r'("(?:node-nlb|nodes)[\w-]*?-)[0-9a-f]{7,8}"', r'\1*"', json.dumps(inputs))
    found: dict[str, Any] = json.loads(text)
    return found


def test_the_example_plans_the_resources_of_the_python_program(
    in_yaml: DevStack, example: dict[str, Any], stack: DevStack, tmp_path: Path
) -> None:
    options = {"toolchain": "uv"}
    description = {"name": "ingress", "main": "program", "runtime": {"name": "python", "options": options}}
    (tmp_path / "program").mkdir()
    (tmp_path / "program/__main__.py").write_text(PYTHON)
    for name in (".venv", "uv.lock", "pyproject.toml"):
        (tmp_path / name).symlink_to(ROOT / name)
    python = project(tmp_path, stack, description, PYTHONPATH=str(ROOT))
    given = {"nodes": example["resources"]["nodes"]["properties"], "nlb": arguments(example)}
    python.run("config", "set", "ingress:given", json.dumps(given), "--stack=dev").ok()
    found = planned(in_yaml)
    assert found == planned(python)
    assert "urn:pulumi:dev::ingress::node-nlb-sync:index:NodeNlb::node-nlb" in found
    (group,) = [each for urn, each in found.items() if urn.endswith("TargetGroup::node-nlb-443")]
    assert group["healthCheck"]["interval"] == 5


def test_wrong_arguments_are_one_line_each_and_plan_nothing(
    in_yaml: DevStack, example: dict[str, Any]
) -> None:
    wrong = copied(example)
    arguments(wrong)["healthCheck"]["interval"] = 3
    arguments(wrong)["listeners"][0]["protocol"] = "tcp"
    arguments(wrong)["deregistrationDelay"] = 1.5
    said = preview(in_yaml, wrong)
    assert said.code != 0
    lines = re.findall(r"has a problem: ((?:healthCheck|listeners|deregistrationDelay).*)", said.text)
    whole, delay, interval = "a whole number", "deregistrationDelay", "healthCheck.interval"
    protocols = "TCP, TLS, UDP or TCP_UDP"
    assert sorted(lines) == [
        f"deregistrationDelay: read 1.5; allowed: {whole}, 0 to 3600 seconds; fix: set {delay} to 120",
        f"healthCheck.interval: read 3; allowed: {whole}, 5 to 300 seconds; fix: set {interval} to 10",
        f'listeners[0].protocol: read "tcp"; allowed: {protocols}; fix: set listeners[0].protocol to TCP',
    ]
    assert "Traceback" not in said.text
    assert "node-nlb-sync:index:NodeNlb node-nlb create" not in said.text


def test_a_wrong_value_of_another_resource_is_a_line_too(in_yaml: DevStack, example: dict[str, Any]) -> None:
    wrong = copied(example)
    arguments(wrong)["nodeSecurityGroupIds"] = ["${nodes.description}"]
    said = preview(in_yaml, wrong)
    assert said.code != 0
    assert (
        'nodeSecurityGroupIds[0]: read "Nodes of the ingress pool"; allowed: the id of a security group; '
        "fix: set nodeSecurityGroupIds[0] to sg-0123456789abcdef0"
    ) in said.text
    assert "Traceback" not in said.text
    assert "node-nlb-sync:index:NodeNlb node-nlb create" not in said.text


def test_an_unknown_key_is_reported_by_the_schema(in_yaml: DevStack, example: dict[str, Any]) -> None:
    wrong = copied(example)
    arguments(wrong)["targetQuotas"] = 1
    said = preview(in_yaml, wrong)
    assert said.code != 0
    assert "Property targetQuotas does not exist on 'node-nlb-sync:index:NodeNlb'" in said.text


def test_get_schema_prints_the_schema_of_the_repository(
    stack: DevStack, plugin: Path, uv: str, tmp_path: Path
) -> None:
    environ = {**stack.environ, "PATH": f"{Path(uv).parent}{os.pathsep}{os.environ['PATH']}"}
    said = DevStack(tmp_path, environ, stack.pulumi).run("package", "get-schema", str(plugin)).ok().text
    printed = json.loads(said[said.index("{\n") :])
    assert filled(printed) == filled(json.loads((ROOT / "plugin/schema.json").read_text()))


def filled(schema: dict[str, Any]) -> dict[str, Any]:
    """A package schema without the sections that are empty."""
    return {key: value for key, value in schema.items() if value not in ({}, [])}
