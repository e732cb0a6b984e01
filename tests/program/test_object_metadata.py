"""Labels and annotations of every Kubernetes object."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from infra.problems import SettingsError
from tests.program.world import Config, Record, RunProgram

LABELS = {"team": "edge", "example.com/cost-centre": "42"}
ANNOTATIONS = {"example.com/contact": "edge team, 24 h"}
SELECTORS = ("selector", "podSelector", "labelSelector", "matchLabels")
# Every object that the program can make.
KINDS = {
    "ClusterRole",
    "ClusterRoleBinding",
    "ConfigMap",
    "Deployment",
    "NamespacePatch",
    "NetworkPolicy",
    "PodDisruptionBudget",
    "Role",
    "RoleBinding",
    "Secret",
    "Service",
    "ServiceAccount",
}


@pytest.fixture(autouse=True)
def every_object(config: Config, run_program: RunProgram) -> None:
    """A configuration with a namespace, user keys and a Secret for variables."""
    config["node-nlb-sync:identity"] = {"kind": "user-keys"}
    config["node-nlb-sync:ingress"] = {"createNamespace": True}
    config["node-nlb-sync:syncer"] |= {
        "env": {"HTTPS_PROXY": "x"},
        "topologySpread": [{"topologyKey": "zone"}],
    }
    run_program.secret_keys = ["node-nlb-sync:syncer"]


def objects(record: Record) -> dict[tuple[str, str], dict[str, Any]]:
    found = [each for each in record.resources if each.type.startswith("kubernetes:")]
    return {(each.type.rpartition(":")[2], each.name): each.inputs for each in found}


def metadata(found: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The metadata of an object, and of the Pods that it describes."""
    yield found["metadata"]
    if "template" in found.get("spec", {}):
        yield found["spec"]["template"]["metadata"]


def selectors(value: Any) -> list[Any]:
    """Every selector of an object, at any depth."""
    if isinstance(value, list):
        return [each for item in value for each in selectors(item)]
    if not isinstance(value, dict):
        return []
    own = [each for key, each in value.items() if key in SELECTORS]
    return own + [each for item in value.values() for each in selectors(item)]


def test_every_object_has_the_labels_and_annotations(run_program: RunProgram, config: Config) -> None:
    before = objects(run_program())
    config |= {"node-nlb-sync:labels": LABELS, "node-nlb-sync:annotations": ANNOTATIONS}
    after = objects(run_program())
    assert before.keys() == after.keys()
    assert {kind for kind, _ in after} == KINDS
    for key, found in after.items():
        for old, new in zip(metadata(before[key]), metadata(found), strict=True):
            assert new["labels"] == {**LABELS, **old.get("labels", {})}, key
            wanted = {**ANNOTATIONS, **old.get("annotations", {})}
            assert new["annotations"] == wanted, key


def test_no_selector_and_no_specification_changes(run_program: RunProgram, config: Config) -> None:
    before = objects(run_program())
    config |= {"node-nlb-sync:labels": LABELS, "node-nlb-sync:annotations": ANNOTATIONS}
    after = objects(run_program())
    for key, found in after.items():
        assert selectors(found) == selectors(before[key]), key
        assert not any("team" in json.dumps(each) for each in selectors(found)), key
    assert sum(len(selectors(found)) for found in after.values()) > 5


def test_the_keys_of_one_object_win(run_program: RunProgram, config: Config) -> None:
    config |= {"node-nlb-sync:labels": LABELS, "node-nlb-sync:annotations": {"a": "all", "b": "all"}}
    config["node-nlb-sync:ingress"] |= {"annotations": {"a": "service"}}
    config["node-nlb-sync:syncer"] |= {"annotations": {"b": "syncer"}, "labels": {"team": "syncer"}}
    found = objects(run_program())
    service = found["Service", "node-nlb"]["metadata"]["annotations"]
    assert (service["a"], service["b"]) == ("service", "all")
    pods = found["Deployment", "node-nlb"]["spec"]["template"]["metadata"]
    assert (pods["annotations"]["a"], pods["annotations"]["b"]) == ("all", "syncer")
    assert pods["labels"]["team"] == "syncer"
    assert found["Role", "node-nlb"]["metadata"]["labels"] == LABELS


def test_keys_that_the_stack_sets_are_refused(run_program: RunProgram, config: Config) -> None:
    record = objects(run_program())
    own = {"labels": set[str](), "annotations": set[str]()}
    for found in record.values():
        for each in metadata(found):
            for field, names in own.items():
                names.update(each.get(field, {}))
    assert {"app", "app.kubernetes.io/managed-by"} <= own["labels"]
    assert {"node-nlb-sync/owner", "node-nlb-sync/configuration"} <= own["annotations"]
    config |= {f"node-nlb-sync:{field}": dict.fromkeys(names, "x") for field, names in own.items()}
    with pytest.raises(SettingsError) as refused:
        run_program()
    lines = str(refused.value).split("\n")
    assert len(lines) == len(own["labels"]) + len(own["annotations"])
    assert lines[0] == (
        "node-nlb-sync:labels.app: read a key that the stack sets itself; allowed: any other key; "
        "fix: remove labels.app"
    )
