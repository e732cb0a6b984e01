"""examples/, previewed by the real engine with the sandbox's ids; examples/eks-yaml has a file of its own."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from sandbox.cloud.iam import oidc_provider_arn
from sandbox.cluster import Rest
from sandbox.layout import ISSUER, Layout
from tests.integration.infra.conftest import ROOT, DevStack, prepared
from tests.integration.infra.test_prod_example import CHART_SERVICE, SERVICE

pytestmark = [pytest.mark.toolchain, pytest.mark.timeout(600)]

DEV: dict[str, Any] = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())
KNOWN = {key.removeprefix("node-nlb-sync:"): value for key, value in DEV["config"].items()}
PROVIDERS = {key: value for key, value in DEV["config"].items() if not key.startswith("node-nlb-sync:")}
CLUSTER = """
import pulumi

for name, value in pulumi.Config().require_object("outputs").items():
    pulumi.export(name, pulumi.Output.secret(value) if name == "kubeconfig" else value)
"""


@pytest.fixture(scope="module", autouse=True)
def chart(control_plane: Layout) -> Iterator[None]:
    """The Service of Traefik's chart."""
    api = Rest(control_plane)
    api.create("/api/v1/namespaces", {"metadata": {"name": "traefik"}})
    api.create(SERVICE.rpartition("/")[0], CHART_SERVICE)
    yield
    api.delete(SERVICE)


def configured(program: DevStack, stack: str, config: dict[str, Any]) -> None:
    """A stack of a program, with the providers' configuration of stack dev."""
    program.run("stack", "select", "--create", stack).ok()
    whole = {"encryptionsalt": DEV["encryptionsalt"], "config": {**PROVIDERS, **config}}
    (program.root / f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump(whole))


def planned(program: DevStack, stack: str) -> dict[str, dict[str, Any]]:
    """The inputs of each resource that a preview plans, by type and name."""
    said = program.run("preview", "--json", f"--stack={stack}").ok().text
    steps = json.loads(said[said.index("{\n") :])["steps"]
    return {
        "::".join(step["urn"].split("$")[-1].split("::")[-2:]): step["newState"].get("inputs", {})
        for step in steps
    }


def test_kops_has_a_role_for_the_clusters_own_issuer(stack: DevStack) -> None:
    config = yaml.safe_load((ROOT / "examples/kops/Pulumi.kops.yaml").read_text())["config"]
    config |= {f"node-nlb-sync:{key}": KNOWN[key] for key in ("vpcId", "nodeSecurityGroupId")}
    for zone, place in config["node-nlb-sync:zones"].items():
        place["subnetId"] = KNOWN["zones"][zone]["subnetId"]
    config["node-nlb-sync:identity"]["oidcProviderArn"] = oidc_provider_arn(ISSUER)
    del config["kubernetes:context"]
    configured(stack, "kops", config)
    found = planned(stack, "kops")
    trust = json.loads(found["aws:iam/role:Role::node-nlb"]["assumeRolePolicy"])
    assert trust["Statement"][0]["Principal"] == {"Federated": oidc_provider_arn(ISSUER)}
    assert not [name for name in found if name.startswith("aws:iam/user:")]
    assert sum(name.startswith("aws:ec2/eip:") for name in found) == 2
    (container,) = found["kubernetes:apps/v1:Deployment::node-nlb"]["spec"]["template"]["spec"]["containers"]
    assert {"name": "NLB_SYNC_CORDON_LEAVES", "value": "true"} in container["env"]


@pytest.fixture(scope="module")
def eks(
    stack: DevStack, control_plane: Layout, uv: str, tmp_path_factory: pytest.TempPathFactory
) -> DevStack:
    """examples/eks-python beside a stack `cluster` that exports what the example reads."""
    root = tmp_path_factory.mktemp("eks")
    (root / "cluster/program").mkdir(parents=True)
    (root / "cluster/program/__main__.py").write_text(CLUSTER)
    for name in (".venv", "uv.lock", "pyproject.toml"):
        (root / "cluster" / name).symlink_to(ROOT / name)
    options = {"toolchain": "uv"}
    described = {"name": "cluster", "main": "program", "runtime": {"name": "python", "options": options}}
    (root / "cluster/Pulumi.yaml").write_text(yaml.safe_dump(described))
    cluster = DevStack(root / "cluster", stack.environ, stack.pulumi)
    outputs = {
        "kubeconfig": control_plane.kubeconfig.read_text(),
        "clusterName": "sandbox",
        "vpcId": KNOWN["vpcId"],
        "nodeSecurityGroupId": KNOWN["nodeSecurityGroupId"],
        "publicSubnetIds": {zone: place["subnetId"] for zone, place in KNOWN["zones"].items()},
    }
    configured(cluster, "prod", {"cluster:outputs": json.dumps(outputs)})
    cluster.run("up", "--yes", "--skip-preview", "--stack=prod").ok()
    folder = prepared("examples/eks-python", root / "ingress", uv)
    return DevStack(folder, stack.environ, stack.pulumi)


def test_eks_python_reads_the_clusters_stack(eks: DevStack, control_plane: Layout) -> None:
    given = yaml.safe_load((ROOT / "examples/eks-python/Pulumi.prod.yaml").read_text())["config"]
    configured(eks, "prod", given)
    found = planned(eks, "prod")
    assert found["aws:eks/podIdentityAssociation:PodIdentityAssociation::ingress"]["clusterName"] == "sandbox"
    subnets = {KNOWN["zones"][zone]["subnetId"] for zone in given["ingress:zones"]}
    mapped = found["aws:lb/loadBalancer:LoadBalancer::ingress"]["subnetMappings"]
    assert {each["subnetId"] for each in mapped} == subnets
    health = found["aws:lb/targetGroup:TargetGroup::ingress-80"]["healthCheck"]
    ports = {each["name"]: each["nodePort"] for each in Rest(control_plane).get(SERVICE)["spec"]["ports"]}
    assert health["port"] == str(ports["traefik"])
    assert health["path"] == "/ping"
