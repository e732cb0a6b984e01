"""`nlb-sync manifests` prints the objects that the component registers for the same choice."""

import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from syncer.commands.cli import parse
from syncer.commands.manifests import objects
from tests.program.test_identity import KEY, KINDS
from tests.program.world import Config, Record, RunProgram

ROLE = "arn:aws:iam::123456789012:role/node-nlb"
NAMESPACE = "ingress-traefik"
IMAGE = f"registry.example.com/node-nlb-sync@sha256:{'0' * 64}"
SYNCER: dict[str, Any] = {
    "image": IMAGE,
    "name": "edge",
    "namespace": "kube-system",
    "env": {"NLB_SYNC_ADDRESS": "$(POD_IP)", "NLB_SYNC_LOG_LEVEL": "debug"},
    "labelFilter": "role=edge",
    "nodeSelector": {},
    "tolerations": [],
}
# Not of a syncer for groups that exist: the Service, its namespace, and Secrets, which the user makes.
OTHERS = {"Namespace", "Service", "Secret"}

Key = tuple[str, str, str]


def registered(record: Record) -> Iterable[dict[str, Any]]:
    """The component's Kubernetes objects, with whole numbers as the API has them."""
    for item in record.resources:
        if item.type.startswith("kubernetes:"):
            yield json.loads(json.dumps(item.inputs), parse_float=lambda text: int(float(text)))


def by_key(found: Iterable[dict[str, Any]]) -> dict[Key, dict[str, Any]]:
    return {
        (each["kind"], each["metadata"].get("namespace", ""), each["metadata"]["name"]): each
        for each in found
        if each["kind"] not in OTHERS
    }


def printed(record: Record, kind: str) -> list[dict[str, Any]]:
    """The objects that the command prints for the record's target groups."""
    flags = ["--identity", kind, "--image", IMAGE, "--name", "edge", "--namespace", "kube-system"]
    flags += [
        word
        for entry in record.outputs["syncerTargetGroups"].split(",")
        for word in ("--target-group", entry)
    ]
    flags += ["--ownership", "exclusive", "--zones", "eu-central-1a,eu-central-1b,eu-central-1c"]
    flags += ["--node-selector", "role=edge", *(["--role-arn", ROLE] if kind == "irsa" else [])]
    flags += [word for name, value in SYNCER["env"].items() for word in ("--env", f"{name}={value}")]
    return objects(parse(["manifests", *flags]))


@pytest.fixture
def both(
    run_program: RunProgram, config: Config
) -> Callable[[str], tuple[dict[Key, dict[str, Any]], dict[Key, dict[str, Any]]]]:
    """The component's objects and the command's, for a kind of identity."""

    def run(kind: str) -> tuple[dict[Key, dict[str, Any]], dict[Key, dict[str, Any]]]:
        config[KEY] = KINDS[kind]
        config["node-nlb-sync:syncer"] = SYNCER
        # One group: the mocks make all groups with one id.
        config["node-nlb-sync:listeners"] = [{"name": "http", "port": 80, "servicePort": "http"}]
        record = run_program()
        return by_key(registered(record)), by_key(printed(record, kind))

    return run


CONFIG_MAP = ("ConfigMap", "kube-system", "edge")
DEPLOYMENT = ("Deployment", "kube-system", "edge")


def settled(found: dict[str, Any]) -> dict[str, Any]:
    """Without what names the tool, and without the digest of the ConfigMap."""
    text = json.dumps(found).replace('managed-by": "pulumi"', 'managed-by": "nlb-sync"')
    copy: dict[str, Any] = json.loads(text)
    if copy["kind"] == "Deployment":
        del copy["spec"]["template"]["metadata"]["annotations"]["node-nlb-sync/configuration"]
    return copy


@pytest.mark.parametrize("kind", KINDS)
def test_the_objects_are_those_of_the_component(
    both: Callable[[str], tuple[dict[Key, dict[str, Any]], dict[Key, dict[str, Any]]]], kind: str
) -> None:
    component, command = both(kind)
    assert component.keys() == command.keys()
    assert {key[0] for key in command} >= {"ServiceAccount", "Role", "NetworkPolicy", "PodDisruptionBudget"}
    if kind == "user-keys":  # the component puts the groups into its Secret beside the keys
        (container,) = component[DEPLOYMENT]["spec"]["template"]["spec"]["containers"]
        container["env"] = [each for each in container["env"] if each["name"] != "NLB_SYNC_TARGET_GROUPS"]
        groups = command[CONFIG_MAP]["data"]["NLB_SYNC_TARGET_GROUPS"]
        component[CONFIG_MAP]["data"]["NLB_SYNC_TARGET_GROUPS"] = groups
    # What the component knows of the load balancer that it makes.
    for name in ("NLB_SYNC_CROSS_ZONE", "NLB_SYNC_TARGET_LIMIT"):
        del component[CONFIG_MAP]["data"][name]
    for key, each in command.items():
        assert settled(each) == settled(component[key])


def test_another_setting_changes_the_template() -> None:
    def stamp(*flags: str) -> str:
        group = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/http/0123456789abcdef"
        words = ["manifests", "--identity", "external", "--image", IMAGE, "--target-group", group, *flags]
        template = objects(parse(words))[-1]["spec"]["template"]
        return str(template["metadata"]["annotations"]["node-nlb-sync/configuration"])

    assert stamp() == stamp() != stamp("--ownership", "add-only")
