"""Which difference between a live object and a program's intent is a change, and which change replaces."""

from typing import Any

import pytest

from sandbox.plugins.difference import parse
from sandbox.plugins.kubernetes import naming, replacement, shape, state
from sandbox.plugins.kubernetes.managers import taken_over
from sandbox.plugins.provider import Naming, ProviderError
from sandbox.plugins.values import UNKNOWN, Secret, has_secret


def test_what_the_server_fills_in_is_no_drift() -> None:
    wished = {"spec": {"ports": [{"port": 80}]}, "metadata": {"labels": {"a": "b"}}}
    live = {
        "spec": {"ports": [{"port": 80, "nodePort": 30000, "protocol": "TCP"}], "clusterIP": "10.0.0.1"},
        "metadata": {"labels": {"a": "b", "theirs": "c"}, "uid": "u"},
        "status": {},
    }

    assert shape.differences(shape.pruned(live, wished), wished) == {}


@pytest.mark.parametrize("zero", ["", 0, False, [], {}])
def test_a_zero_value_that_the_server_does_not_store_is_no_drift_but_a_new_one_is_a_change(zero: Any) -> None:
    wished = {"spec": {"env": [{"name": "A", "value": zero}]}}
    live = {"spec": {"env": [{"name": "A"}]}}
    unset = {"spec": {"env": [{"name": "A", "value": "x"}]}}

    assert shape.differences(shape.pruned(live, wished), wished) == {}
    assert shape.differences(shape.pruned(unset, unset), wished) != {}


def test_switching_something_off_that_was_not_mentioned_before_is_a_change() -> None:
    last: dict[str, Any] = {"spec": {"a": 1}}

    cut = shape.pruned({"spec": {"a": 1}}, last)

    assert list(shape.differences(cut, {"spec": {"a": 1, "automount": False}})) == [("spec", "automount")]


def test_a_live_value_that_differs_from_the_last_inputs_is_drift() -> None:
    wished = {"spec": {"selector": {"app": "x"}, "replicas": 2}}
    live = {"spec": {"selector": {"app": "y"}, "replicas": 2}}

    assert list(shape.differences(shape.pruned(live, wished), wished)) == [("spec", "selector", "app")]


@pytest.mark.parametrize(("given", "stored"), [("0.25", "250m"), ("1024Mi", "1Gi"), ("2000m", "2"), (1, "1")])
def test_equal_quantities_are_equal_however_they_are_written(given: Any, stored: str) -> None:
    def container(amount: Any) -> dict[str, Any]:
        return {"resources": {"requests": {"cpu": amount}}}

    assert shape.differences(container(stored), container(given)) == {}
    assert shape.differences({"data": {"x": stored}}, {"data": {"x": given}}) != {}


def test_an_empty_list_that_the_server_drops_is_no_difference() -> None:
    assert shape.differences({"spec": {}}, {"spec": {"ingress": []}}) == {}


def test_a_value_that_is_not_known_yet_is_a_difference() -> None:
    assert list(shape.differences({"data": {"a": "1"}}, {"data": {"a": UNKNOWN, "b": UNKNOWN}})) == [
        ("data", "a"),
        ("data", "b"),
    ]


def test_plain_strings_of_a_secret_are_compared_as_the_data_they_become() -> None:
    wished = {"apiVersion": "v1", "kind": "Secret", "stringData": {"a": "b", "later": UNKNOWN}}

    assert shape.normalised(wished)["data"] == {"a": "Yg==", "later": UNKNOWN}
    assert "stringData" not in shape.normalised(wished)


@pytest.mark.parametrize(
    ("version", "kind", "path", "replaces"),
    [
        ("v1", "ConfigMap", "data.a", True),
        ("v1", "Secret", "data.a", True),
        ("v1", "Service", "spec.ports[0].port", False),
        ("v1", "Service", "spec.clusterIP", True),
        ("v1", "Namespace", "metadata.name", True),
        ("apps/v1", "Deployment", "spec.selector.matchLabels.app", True),
        ("apps/v1", "Deployment", "spec.template.spec.containers[0].image", False),
        ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "roleRef.name", True),
        ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "subjects[0].name", False),
        ("policy/v1", "PodDisruptionBudget", "spec.minAvailable", False),
        ("v1", "Pod", "spec.containers[0].image", True),
        ("v1", "Pod", "spec", True),
    ],
)
def test_only_what_the_api_server_refuses_in_place_replaces(
    version: str, kind: str, path: str, replaces: bool
) -> None:
    rules = replacement.force_new(
        {"apiVersion": version, "kind": kind}, mutable_secrets=False, mutable_config_maps=False
    )

    assert replacement.forces(parse(path), rules) is replaces


def test_mutable_config_maps_are_updated_unless_they_say_they_are_immutable() -> None:
    config_map = {"apiVersion": "v1", "kind": "ConfigMap"}
    rules = replacement.force_new(config_map, mutable_secrets=False, mutable_config_maps=True)
    sealed = replacement.force_new(
        {**config_map, "immutable": True}, mutable_secrets=False, mutable_config_maps=True
    )

    assert not replacement.forces(("data", "a"), rules)
    assert replacement.forces(("data", "a"), sealed)


def test_preview_and_update_choose_the_same_name_and_another_seed_another() -> None:
    names = []
    for seed in (b"one", b"one", b"two"):
        obj: dict[str, Any] = {}
        naming.assign(obj, "cm", Naming(seed=seed))
        names.append(obj["metadata"]["name"])

    assert names[0] == names[1] != names[2]
    assert naming.is_autonamed(obj)


def test_a_name_of_the_program_is_kept_and_not_marked() -> None:
    obj = {"metadata": {"name": "mine"}}

    naming.assign(obj, "cm", Naming(seed=b"x"))

    assert obj == {"metadata": {"name": "mine"}}


def test_an_automatic_name_stays_until_the_program_gives_one() -> None:
    old = {"metadata": {"name": "cm-12345678", "annotations": {naming.AUTONAMED: "true"}}}
    unnamed: dict[str, Any] = {}
    named = {"metadata": {"name": "mine"}}

    naming.adopt(unnamed, old)
    naming.adopt(named, old)

    assert unnamed["metadata"]["name"] == "cm-12345678"
    assert named["metadata"]["name"] == "mine"


def test_a_name_that_the_program_gave_and_takes_back_is_not_kept() -> None:
    unnamed: dict[str, Any] = {}

    naming.adopt(unnamed, {"metadata": {"name": "mine"}})

    assert unnamed == {"metadata": {}}


def test_a_stack_that_disables_automatic_names_gets_an_error_that_names_the_resource() -> None:
    with pytest.raises(ProviderError, match=r"automatic naming is disabled but cm has no metadata\.name"):
        naming.assign({}, "cm", Naming(mode="disable"))


def test_all_content_of_a_secret_is_secret_even_where_the_program_gave_it_plain() -> None:
    live = {"apiVersion": "v1", "kind": "Secret", "data": {"a": "Yg=="}}
    recorded = state.checkpoint(live, {**live, "stringData": {"a": "b"}}, {"data": {"a": "Yg=="}}, "m")

    assert recorded["data"] == Secret({"a": "Yg=="})
    assert has_secret(recorded["__inputs"]["data"])
    assert has_secret(recorded["__inputs"]["stringData"])


def test_the_first_apply_takes_over_what_the_creation_and_kubectl_own() -> None:
    entries = [
        {"manager": "pulumi-kubernetes-1", "operation": "Update", "fieldsV1": {"f:spec": {"f:a": {}}}},
        {"manager": "kubectl-edit", "operation": "Update", "fieldsV1": {"f:spec": {"f:b": {}}}},
        {"manager": "controller", "operation": "Update", "fieldsV1": {"f:spec": {"f:c": {}}}},
        {
            "manager": "kubectl-x",
            "operation": "Update",
            "subresource": "status",
            "fieldsV1": {"f:status": {}},
        },
    ]

    owners = taken_over({"metadata": {"managedFields": entries}}, "pulumi-kubernetes-1")

    assert owners is not None
    assert owners[0] == {
        "manager": "pulumi-kubernetes-1",
        "operation": "Apply",
        "fieldsV1": {"f:spec": {"f:a": {}, "f:b": {}}},
    }
    assert owners[1:] == entries[2:]


def test_nothing_is_taken_over_twice() -> None:
    entries = [{"manager": "pulumi-kubernetes-1", "operation": "Apply", "fieldsV1": {}}]

    assert taken_over({"metadata": {"managedFields": entries}}, "pulumi-kubernetes-1") is None
