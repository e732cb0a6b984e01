"""A container's environment is what its Pod declares, by the rules of the kubelet."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.kubelet.environment import (
    ConfigError,
    Declared,
    Facts,
    Objects,
    decoded,
    environment,
    expand,
    references,
)

POD = {
    "metadata": {
        "name": "syncer-1",
        "namespace": "kube-system",
        "uid": "u-1",
        "labels": {"app": "nlb-sync"},
        "annotations": {"why": "test"},
    },
    "spec": {"nodeName": "node-1", "serviceAccountName": "nlb-sync-sa"},
}
FACTS = Facts(pod_ip="127.64.31.7", host_ip="127.64.16.4", allocatable={"cpu": "3920m", "memory": "1Gi"})


def env(
    container: dict[str, Any], objects: Objects | None = None, base: dict[str, str] | None = None
) -> dict[str, str]:
    declared = Declared(container=container, pod=POD, facts=FACTS, objects=objects or {})
    return environment(declared, base or {})


def field(path: str) -> dict[str, Any]:
    return {"name": "X", "valueFrom": {"fieldRef": {"fieldPath": path}}}


def key_of(kind: str, name: str, key: str, **more: object) -> dict[str, Any]:
    return {"name": "X", "valueFrom": {kind: {"name": name, "key": key, **more}}}


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("http://$(HOST):$(PORT)/", "http://a:1/"),
        ("$(MISSING)", "$(MISSING)"),
        ("$$(HOST)", "$(HOST)"),
        ("$$$(HOST)", "$a"),
        ("$(HOST", "$(HOST"),
        ("100$", "100$"),
        ("$HOST", "$HOST"),
        ("$()", "$()"),
    ],
)
def test_references_are_replaced_as_the_kubelet_does(text: str, expanded: str) -> None:
    assert expand(text, {"HOST": "a", "PORT": "1"}) == expanded


@given(st.text(alphabet=st.characters(exclude_characters="$")))
def test_text_without_a_dollar_is_never_changed(text: str) -> None:
    assert expand(text, {"A": "b"}) == text


def test_a_variable_sees_those_before_it_and_not_those_after() -> None:
    container = {
        "env": [
            {"name": "EARLY", "value": "$(LATE)"},
            {"name": "LATE", "value": "late"},
            {"name": "BOTH", "value": "$(EARLY)-$(LATE)-$(HOSTNAME)"},
        ]
    }

    found = env(container, base={"HOSTNAME": "syncer-1"})

    assert found == {
        "HOSTNAME": "syncer-1",
        "EARLY": "$(LATE)",
        "LATE": "late",
        "BOTH": "$(LATE)-late-syncer-1",
    }


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("metadata.name", "syncer-1"),
        ("metadata.namespace", "kube-system"),
        ("metadata.uid", "u-1"),
        ("metadata.labels['app']", "nlb-sync"),
        ("metadata.annotations['why']", "test"),
        ("metadata.labels['absent']", ""),
        ("spec.nodeName", "node-1"),
        ("spec.serviceAccountName", "nlb-sync-sa"),
        ("status.podIP", "127.64.31.7"),
        ("status.hostIP", "127.64.16.4"),
    ],
)
def test_a_field_reference_is_answered_from_the_pod(path: str, value: str) -> None:
    assert env({"env": [field(path)]})["X"] == value


def test_a_field_that_the_downward_api_lacks_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError, match=r"spec\.containers"):
        env({"env": [field("spec.containers")]})


@pytest.mark.parametrize(
    ("reference", "value"),
    [
        ({"resource": "limits.cpu"}, "1"),
        ({"resource": "limits.cpu", "divisor": "1m"}, "500"),
        ({"resource": "limits.memory"}, str(400 * 1024 * 1024)),
        ({"resource": "limits.memory", "divisor": "1Mi"}, "400"),
        ({"resource": "requests.cpu", "divisor": "1m"}, "250"),
        ({"resource": "requests.memory", "divisor": "0"}, "0"),
    ],
)
def test_a_resource_reference_is_counted_in_its_divisor_and_rounded_up(
    reference: dict[str, str], value: str
) -> None:
    container = {
        "env": [{"name": "X", "valueFrom": {"resourceFieldRef": reference}}],
        "resources": {"limits": {"cpu": "500m", "memory": "400Mi"}, "requests": {"cpu": "250m"}},
    }

    assert env(container)["X"] == value


def test_a_limit_that_is_not_set_is_what_the_node_has() -> None:
    assert env({"env": [{"name": "X", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}}]}) == {
        "X": "4"
    }


def test_keys_of_secrets_and_config_maps_are_read() -> None:
    objects = {("secrets", "keys"): {"id": b"AKIA"}, ("configmaps", "told"): {"region": b"eu-central-1"}}

    assert env({"env": [key_of("secretKeyRef", "keys", "id")]}, objects)["X"] == "AKIA"
    assert env({"env": [key_of("configMapKeyRef", "told", "region")]}, objects)["X"] == "eu-central-1"


def test_a_missing_secret_or_key_is_named_as_the_kubelet_names_it() -> None:
    with pytest.raises(ConfigError, match='secret "keys" not found'):
        env({"env": [key_of("secretKeyRef", "keys", "id")]}, {("secrets", "keys"): None})
    with pytest.raises(ConfigError, match="couldn't find key id in configmap told"):
        env({"env": [key_of("configMapKeyRef", "told", "id")]}, {("configmaps", "told"): {}})


def test_an_optional_key_that_is_missing_leaves_the_variable_out() -> None:
    assert env({"env": [key_of("secretKeyRef", "keys", "id", optional=True)]}) == {}


def test_a_whole_object_comes_first_with_its_prefix_and_env_wins() -> None:
    container = {
        "envFrom": [
            {"configMapRef": {"name": "told"}},
            {"prefix": "S_", "secretRef": {"name": "keys"}},
            {"secretRef": {"name": "absent", "optional": True}},
        ],
        "env": [{"name": "B", "value": "own"}],
    }
    objects = {("configmaps", "told"): {"A": b"1", "B": b"2"}, ("secrets", "keys"): {"C": b"3"}}

    assert references(container) == {("configmaps", "told"), ("secrets", "keys"), ("secrets", "absent")}
    assert env(container, objects) == {"A": "1", "B": "own", "S_C": "3"}


def test_a_whole_object_that_is_missing_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError, match='configmap "told" not found'):
        env({"envFrom": [{"configMapRef": {"name": "told"}}]})


def test_secret_data_is_decoded_and_binary_data_of_a_config_map_too() -> None:
    assert decoded("secrets", {"data": {"a": "AAE="}}) == {"a": b"\x00\x01"}
    assert decoded("configmaps", {"data": {"a": "x"}, "binaryData": {"b": "AAE="}}) == {
        "a": b"x",
        "b": b"\x00\x01",
    }
    assert decoded("secrets", {}) == {}
