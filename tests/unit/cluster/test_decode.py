"""What is decoded of a Node's JSON: the same facts as of the whole document, whatever the document is."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.cluster.decode import node_event, node_page
from syncer.decide.nodes import node_view
from syncer.decide.policy import NodePolicy
from tests.unit.decide.test_nodes import ODD, PATHS, raw

POLICY = NodePolicy(cordon_leaves=True)
VERSION = {"resourceVersion": "7", "continue": "more"}


def full() -> dict[str, Any]:
    """A Node with everything that a kubelet and the API server add."""
    node = raw()
    node["metadata"] |= {
        "managedFields": [{"manager": "kubelet", "fieldsV1": {"f:status": {}}}],
        "annotations": {"node.alpha.kubernetes.io/ttl": "0", "k8s.io/initial-events-end": "x"},
        "resourceVersion": "12",
    }
    node["spec"] |= {"taints": [{"key": "karpenter.sh/disrupted", "effect": "NoSchedule"}], "podCIDR": "x"}
    node["status"] |= {"images": [{"names": ["a", "b"], "sizeBytes": 3}], "addresses": []}
    return node


def odd(path: tuple[str, ...], value: Any) -> Any:
    node: Any = {"root": copy.deepcopy(full())}
    inner = node
    for step in ("root", *path)[:-1]:
        inner = inner[step]
    inner[("root", *path)[-1]] = value
    return node["root"]


def test_of_a_node_only_the_fields_of_a_verdict_are_kept() -> None:
    kept = node_event(json.dumps({"type": "ADDED", "object": full()}).encode())
    assert kept["type"] == "ADDED"
    assert kept["object"].keys() == {"metadata", "spec", "status"}
    assert "managedFields" not in kept["object"]["metadata"]
    assert kept["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "x"}
    assert kept["object"]["spec"].keys() == {"providerID", "taints"}
    assert kept["object"]["status"].keys() == {"conditions"}


@given(st.sampled_from(PATHS), ODD)
def test_every_node_gives_the_view_of_its_whole_json(path: tuple[str, ...], value: Any) -> None:
    node = odd(path, value)
    event = json.dumps({"type": "MODIFIED", "object": node}).encode()
    assert node_view(node_event(event)["object"], POLICY) == node_view(node, POLICY)


@given(st.sampled_from(PATHS), ODD)
def test_a_malformed_node_changes_no_other_node_of_its_page(path: tuple[str, ...], value: Any) -> None:
    items = [full(), odd(path, value), full()]
    page = node_page(json.dumps({"kind": "NodeList", "metadata": VERSION, "items": items}).encode())
    assert page["metadata"] == VERSION
    assert [node_view(item, POLICY) for item in page["items"]] == [node_view(i, POLICY) for i in items]


@pytest.mark.parametrize("letters", [b'"\\ud800"', b'"\xff"', b"NaN", b"123456789012345678901234567890"])
def test_what_the_standard_library_reads_is_read(letters: bytes) -> None:
    line = b'{"type":"ADDED","object":{"metadata":{"name":"a","labels":{"x":' + letters + b"}}}}"
    try:
        known = json.loads(line)
    except ValueError:
        with pytest.raises(ValueError, match="decode"):
            node_event(line)
    else:
        assert repr(node_event(line)) == repr(known)


def test_the_status_of_an_error_event_is_kept() -> None:
    status = {"kind": "Status", "metadata": {}, "code": 410, "message": "too old resource version"}
    event = node_event(json.dumps({"type": "ERROR", "object": status}).encode())
    assert (event["object"]["code"], event["object"]["message"]) == (410, status["message"])


@pytest.mark.parametrize("body", [b"", b"{", b"not json", b'{"items": [}'])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match="Expecting"):
        node_page(body)
