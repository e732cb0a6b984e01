"""The bench's fake API server keeps Nodes as the real one does: versions, changes, pages, selectors."""

import json
from typing import Any

import pytest

from bench.apiserver.merge import merged
from bench.apiserver.selector import matches
from bench.apiserver.store import GoneError, MissingError, Store
from bench.apiserver.template import SPECIMEN
from bench.fleet import LEAVING, Node

IN_POOL = matches("pool=ingress")


@pytest.fixture
def store() -> Store:
    store = Store()
    store.reset(specimen(), nodes=5, pool=3)
    return store


def specimen() -> dict[str, Any]:
    body = SPECIMEN.body(ready=True)
    metadata = {"uid": "8d2b9c1e-real", "resourceVersion": "77", "creationTimestamp": "2026-01-01T00:00:00Z"}
    body["metadata"] = {**body["metadata"], **metadata, "annotations": {"share": "100%"}}
    return {"kind": body.pop("kind"), **body}


def names(found: list[bytes]) -> list[str]:
    return [json.loads(each)["metadata"]["name"] for each in found]


def events(lines: list[bytes]) -> list[tuple[str, str]]:
    parsed = [json.loads(line) for line in lines]
    return [(each["type"], each["object"]["metadata"]["name"]) for each in parsed]


def test_a_node_has_its_own_identity_and_the_rest_of_the_specimen(store: Store) -> None:
    node = json.loads(store.get("node-000002"))
    own = Node(2).body(ready=True)
    assert node["spec"] == own["spec"]
    assert node["metadata"]["labels"] == own["metadata"]["labels"]
    assert node["metadata"]["annotations"] == {"share": "100%"}
    assert node["status"]["addresses"] == own["status"]["addresses"]
    assert node["status"]["images"] == specimen()["status"]["images"]
    assert node["metadata"]["uid"] != json.loads(store.get("node-000003"))["metadata"]["uid"]
    assert b"987654" not in store.get("node-000002")


def test_a_node_outside_the_pool_differs_by_the_label_alone(store: Store) -> None:
    inside, outside = (
        json.loads(store.get(name))["metadata"]["labels"] for name in ("node-000001", "node-000004")
    )
    assert inside.pop("pool") == "ingress"
    zones = {key: text for key, text in inside.items() if "eu-central-1a" in text or "node-000001" in text}
    assert {key for key in inside if inside[key] != outside[key]} <= set(zones)
    assert inside.keys() == outside.keys()


def test_pages_follow_each_other_in_the_order_of_names(store: Store) -> None:
    first, last = store.page(None, 2, "")
    assert (names(first), last) == (["node-000001", "node-000002"], "node-000002")
    second, end = store.page(None, 3, last)
    assert (names(second), end) == (["node-000003", "node-000004", "node-000005"], "")
    assert names(store.page(IN_POOL, 0, "")[0]) == ["node-000001", "node-000002", "node-000003"]


@pytest.mark.parametrize("pool", [1, 3])
def test_a_selector_sees_the_labels_that_a_node_is_sent_with(pool: int) -> None:
    store = Store()
    store.reset(specimen(), nodes=5, pool=pool)
    store.patch("node-000003", {"metadata": {"labels": {"pool": "edge"}}})
    for number in range(1, 6):
        labels = json.loads(store.get(f"node-{number:06}"))["metadata"]["labels"]
        terms = ",".join(f"{key}={value}" for key, value in labels.items())
        assert names(store.page(matches(terms), 0, "")[0]) == [f"node-{number:06}"]


def test_each_change_is_one_version_and_one_event(store: Store) -> None:
    before = store.version
    store.create(Node(6).body(ready=False))
    store.patch("node-000006", {"status": {"conditions": [{"type": "Ready", "status": "True"}]}})
    store.patch("node-000001", {"spec": {"taints": [LEAVING]}})
    store.delete("node-000002")
    assert store.version == before + 4
    lines = store.since(before, None)
    assert events(lines) == [
        ("ADDED", "node-000006"), ("MODIFIED", "node-000006"),
        ("MODIFIED", "node-000001"), ("DELETED", "node-000002"),
    ]  # fmt: skip
    versions = [int(json.loads(line)["object"]["metadata"]["resourceVersion"]) for line in lines]
    assert versions == list(range(before + 1, before + 5))
    with pytest.raises(MissingError):
        store.get("node-000002")


def test_an_event_has_the_node_of_its_version_and_not_a_later_one(store: Store) -> None:
    before = store.version
    for status in ("False", "True"):
        store.patch("node-000001", {"status": {"conditions": [{"type": "Ready", "status": status}]}})
    objects = [json.loads(line)["object"] for line in store.since(before, None)]
    ready = [
        next(c["status"] for c in each["status"]["conditions"] if c["type"] == "Ready") for each in objects
    ]
    assert ready == ["False", "True"]


def test_a_selector_hides_the_others_and_a_lost_label_is_a_deletion(store: Store) -> None:
    before = store.version
    store.patch("node-000005", {"spec": {"unschedulable": True}})
    store.patch("node-000001", {"metadata": {"labels": {"pool": None}}})
    store.patch("node-000004", {"metadata": {"labels": {"pool": "ingress"}}})
    assert events(store.since(before, IN_POOL)) == [("DELETED", "node-000001"), ("ADDED", "node-000004")]
    assert store.since(before, IN_POOL) != store.since(before, None)


def test_heartbeats_take_turns_and_change_nothing_but_their_time(store: Store) -> None:
    store.patch("node-000003", {"spec": {"unschedulable": True}})
    old, before = (
        {name: json.loads(store.get(name)) for name in ("node-000001", "node-000003")},
        store.version,
    )
    for _ in range(7):
        store.beat()
    turns = [name for _, name in events(store.since(before, None))]
    assert turns == [f"node-{number:06}" for number in (1, 2, 3, 4, 5, 1, 2)]
    for name, node in old.items():
        new = json.loads(store.get(name))
        for each in (node, new):
            each["metadata"].pop("resourceVersion")
            for condition in each["status"]["conditions"]:
                condition.pop("lastHeartbeatTime")
        assert new == node


def test_changes_that_are_no_longer_kept_are_gone(store: Store) -> None:
    with pytest.raises(GoneError):
        store.since(store.version - 1, None)
    version = store.version
    store.reset(specimen(), nodes=2, pool=2)
    with pytest.raises(GoneError):
        store.since(version, None)
    assert len(store) == 2


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("", True),
        ("a=1", True),
        ("a==1,b", True),
        ("a=2", False),
        ("c", False),
        ("a=1,b=", False),
        ("a in (2,1),b in (2)", True),
        ("a in (2, 3)", False),
        ("a notin (1)", False),
        ("c notin (1)", True),
        ("a!=1", False),
        ("c!=1", True),
        ("!c,a", True),
        ("!a", False),
    ],
)
def test_selectors(selector: str, *, found: bool) -> None:
    test = matches(selector)
    assert (test is None or test({"a": "1", "b": "2"})) is found


def test_a_selector_of_another_form_is_refused() -> None:
    with pytest.raises(ValueError, match="'a>1' is not supported"):
        matches("b,a>1")


@pytest.mark.parametrize(
    ("old", "patch", "found"),
    [("AB", "C", "CAB"), ("ABC", "B", "ABC"), ("ABC", "CD", "ABCD"), ("ABC", "DB", "DABC"), ("", "BA", "BA")],
)
def test_a_merged_list_has_the_order_of_the_real_api_server(old: str, patch: str, found: str) -> None:
    lists = [{"conditions": [{"type": name} for name in names]} for names in (old, patch)]
    assert "".join(each["type"] for each in merged(lists[0], lists[1])["conditions"]) == found


def test_a_merge_keeps_entries_of_other_keys_and_replaces_other_lists() -> None:
    old = {
        "conditions": [{"type": "A", "x": 1, "y": 1}, {"type": "B"}],
        "images": [1, 2],
        "spec": {"a": 1, "b": 2},
    }
    patch = {"conditions": [{"type": "A", "x": 2}, {"type": "C"}], "images": [3], "spec": {"a": None}}
    assert merged(old, patch) == {
        "conditions": [{"type": "A", "x": 2, "y": 1}, {"type": "C"}, {"type": "B"}],
        "images": [3],
        "spec": {"b": 2},
    }
    assert old["images"] == [1, 2]
