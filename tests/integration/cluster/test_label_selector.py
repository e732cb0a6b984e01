"""A label selector means the same to the real API server as to the syncer, in lists and in watches."""

import asyncio
import contextlib
from collections.abc import Iterator
from functools import partial

import pytest
from hypothesis import example, given

from sandbox.cluster import Rest
from sandbox.layout import Layout
from syncer.cluster import once
from syncer.cluster.access import configuration
from syncer.cluster.adapter import KubernetesCluster
from syncer.cluster.api import Api
from syncer.cluster.once import has_nodes, list_nodes
from syncer.decide.nodes import node_view
from syncer.decide.policy import NodePolicy
from syncer.decide.selector import Selector
from tests.unit.decide.selectors import KEYS, VALUES, selectors

pytestmark = pytest.mark.toolchain

NODES = "/api/v1/nodes"
POOL = "test.example.com/pool"
# Each key with each value, and nodes with several keys or none.
LABELS = [
    {},
    *({key: value} for key in KEYS for value in VALUES),
    dict(zip(KEYS, VALUES, strict=False)),
    dict.fromkeys(KEYS, "1"),
]


@pytest.fixture(scope="module")
def api(cluster: Layout) -> Api:
    return Api(configuration({"KUBECONFIG": str(cluster.kubeconfig)}))


@pytest.fixture(scope="module")
def labelled(cluster: Layout) -> Iterator[dict[str, dict[str, str]]]:
    """Nodes of this module by name, with their labels."""
    rest = Rest(cluster)
    made = {f"labelled-{number}": labels for number, labels in enumerate(LABELS)}
    for name, labels in made.items():
        rest.create(NODES, {"metadata": {"name": name, "labels": labels}})
    yield made
    for name in made:
        rest.delete(f"{NODES}/{name}")


@given(text=selectors())
@example(text="!in,x notin (,a)")
@example(text="in in (in,notin)")
@example(text="x>9223372036854775806")
@example(text="x<007")
def test_the_api_server_selects_the_nodes_that_the_syncer_selects(
    api: Api, labelled: dict[str, dict[str, str]], text: str
) -> None:
    selector = Selector.parse(text)
    listed = list_nodes(api, NodePolicy(selector=selector), selector.as_query())
    assert all(view.selected for view in listed)
    assert {view.name for view in listed}.intersection(labelled) == {
        name for name, labels in labelled.items() if selector.matches(labels)
    }


def test_each_page_of_a_list_is_selected(
    api: Api, labelled: dict[str, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(once, "_PAGE", "3")
    listed = list_nodes(api, NodePolicy(), "x in (1)")
    expected = {name for name, labels in labelled.items() if labels.get("x") == "1"}
    assert {view.name for view in listed} == expected
    all_of_x = {name for name, labels in labelled.items() if "x" in labels}
    assert {view.name for view in list_nodes(api, NodePolicy(), "x")} == all_of_x
    assert len(all_of_x) > 2 * 3
    assert has_nodes(api)


@pytest.mark.parametrize("by_pages", [False, True])
def test_a_node_that_loses_its_label_is_gone_and_comes_back_with_it(
    cluster: Layout, api: Api, *, by_pages: bool
) -> None:
    asyncio.run(_follow(Rest(cluster), api, by_pages=by_pages))


async def _follow(rest: Rest, api: Api, *, by_pages: bool) -> None:
    selector = Selector.parse(f"{POOL} in (web, edge)")
    restarts: list[str] = []
    view = partial(node_view, policy=NodePolicy(selector=selector))
    following = KubernetesCluster(api, view, [], lambda _, why: restarts.append(why), selector.as_query())
    following._nodes_reflector._by_pages = by_pages
    for name, pool in (("in-pool", "web"), ("other-pool", "db")):
        rest.create(NODES, {"metadata": {"name": name, "labels": {POOL: pool}}})
    changed = asyncio.Event()
    task = asyncio.create_task(following.run(changed.set))
    try:
        await _until(following, changed, {"in-pool"})
        rest.patch(f"{NODES}/in-pool", {"metadata": {"labels": {POOL: "db"}}})
        await _until(following, changed, set())
        rest.patch(f"{NODES}/in-pool", {"spec": {"unschedulable": True}})  # of no node that is followed
        rest.patch(f"{NODES}/in-pool", {"metadata": {"labels": {POOL: "edge"}}})
        rest.patch(f"{NODES}/other-pool", {"metadata": {"labels": {POOL: "web"}}})
        await _until(following, changed, {"in-pool", "other-pool"})
        assert following.nodes is not None
        assert following.nodes["in-pool"].cordoned
        assert restarts == []  # no doubt about a version: the first list is still the basis
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        for name in ("in-pool", "other-pool"):
            rest.delete(f"{NODES}/{name}")


async def _until(following: KubernetesCluster, changed: asyncio.Event, names: set[str]) -> None:
    async with asyncio.timeout(10):
        while following.nodes is None or set(following.nodes) != names:
            changed.clear()
            await changed.wait()
