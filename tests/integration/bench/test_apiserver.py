"""The bench's fake API server sends what the real one sends: Nodes, lists, watches, other resources."""

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from bench.api import Api
from bench.fleet import LEAVING, NODES, Fleet, Node
from bench.world import INGRESS, SERVICE, World
from sandbox.cluster import STORE_AND_API
from sandbox.cluster.rest import ApiError
from sandbox.toolchain import ensure
from syncer.cluster.access import configuration
from syncer.cluster.adapter import KubernetesCluster
from syncer.cluster.api import Api as SyncerApi
from syncer.decide.nodes import node_view
from syncer.decide.policy import NodePolicy
from syncer.model import NodeView
from tests.waiting import eventually

pytestmark = pytest.mark.toolchain

NUMBER, POOL = 12, 5
FOLLOWED = f"{INGRESS}/{SERVICE}"
# Set by the server that has the object, or derived from the instance id and read by no contender.
GENERATED = {"uid", "resourceVersion", "creationTimestamp", "managedFields"}
MACHINE = {"machineID", "systemUUID", "bootID"}


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    tools = ensure(STORE_AND_API, lambda _: None)
    with World.open(tmp_path_factory.mktemp("world"), tools, limited=True) as world:
        yield world


@pytest.fixture(scope="module")
def fake(real: World) -> Iterator[World]:
    with real.large(POOL) as world:
        yield world


@pytest.fixture
def filled(real: World, fake: World) -> tuple[World, World]:
    """Both servers with the same Nodes 1 to 12, of which some are written after the start."""
    for name in [item["metadata"]["name"] for item in real.api.get(NODES)["items"]]:
        real.api.delete(f"{NODES}/{name}")
    fake.fleet.settle(NUMBER, lambda _: None)
    for number in range(1, NUMBER + 1):
        real.fleet.join(Node(number, pool=number <= POOL))
    for fleet in (real.fleet, fake.fleet):
        change(fleet)
    return real, fake


def change(fleet: Fleet) -> None:
    """Cause every kind of event of the rows."""
    late = Node(NUMBER + 1)
    fleet.come(late)
    fleet.come(Node(NUMBER + 2))
    fleet.set_ready(late)
    fleet.taint(Node(2))
    fleet.cordon(Node(3))
    fleet.cordon(Node(4))
    fleet.cordon(Node(4), cordoned=False)
    fleet.remove(Node(5))


def syncer(world: World) -> SyncerApi:
    return SyncerApi(configuration({"KUBECONFIG": str(world.kubeconfig)}))


def plain(value: Any) -> Any:
    """Return the object without what the server or the moment decides."""
    if isinstance(value, Mapping):
        left = {key: plain(each) for key, each in value.items() if key not in GENERATED | MACHINE}
        return {key: "" if key.endswith("Time") else each for key, each in left.items()}
    return [plain(each) for each in value] if isinstance(value, list) else value


@contextmanager
def following(world: World, selector: str = "", *, by_pages: bool = False) -> Iterator[KubernetesCluster]:
    """Follow the Nodes and the Service as the syncer does, in a thread."""
    view = partial(node_view, policy=NodePolicy())
    cluster = KubernetesCluster(syncer(world), view, [FOLLOWED], label_selector=selector)
    cluster._nodes_reflector._by_pages = by_pages
    loop = asyncio.new_event_loop()
    task = loop.create_task(cluster.run(lambda: None))

    def run() -> None:
        try:
            loop.run_until_complete(task)
        except asyncio.CancelledError:
            loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        eventually(lambda: cluster.nodes is not None and cluster.knows(FOLLOWED), within=20)
        yield cluster
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join(20)


def seen(cluster: KubernetesCluster) -> dict[str, NodeView]:
    """Return the views without the times of the servers."""
    return {
        name: replace(view, created=0.0, ready_since=view.ready_since and 0.0)
        for name, view in (cluster.nodes or {}).items()
    }


def gone(cluster: KubernetesCluster, name: str) -> bool:
    return name not in (cluster.nodes or {})


def test_both_servers_have_the_same_objects(filled: tuple[World, World]) -> None:
    real, fake = (sorted_items(world.api) for world in filled)
    assert [each["metadata"]["name"] for each in fake] == [each["metadata"]["name"] for each in real]
    for theirs, ours in zip(real, fake, strict=True):
        for part, content in theirs["status"].items():
            assert plain(ours["status"].get(part)) == plain(content), part
        assert plain(ours) == plain(theirs)
        assert ours["metadata"].keys() == theirs["metadata"].keys()
    assert len(fake) == NUMBER + 1
    by_name = [plain(world.api.get(f"{NODES}/node-000001")) for world in filled]
    assert by_name[0] == by_name[1]


def sorted_items(api: Api) -> list[dict[str, Any]]:
    return sorted(api.get(NODES)["items"], key=lambda each: each["metadata"]["name"])


@pytest.mark.parametrize("by_pages", [False, True])
@pytest.mark.parametrize("selector", ["", "pool in (ingress)"])
def test_the_syncer_reads_the_same_nodes_and_events_from_both(
    filled: tuple[World, World], monkeypatch: pytest.MonkeyPatch, selector: str, *, by_pages: bool
) -> None:
    monkeypatch.setattr("syncer.cluster.reflector._PAGE", 3)
    found = []
    for world in filled:
        with following(world, selector, by_pages=by_pages) as cluster:
            before = seen(cluster)
            world.fleet.taint(Node(1))
            world.fleet.taint(Node(7, pool=False))
            world.fleet.remove(Node(3))
            eventually(partial(gone, cluster, "node-000003"), within=10)
            found.append((before, seen(cluster), cluster.node_ports(FOLLOWED)))
    assert found[0] == found[1]
    before, after, ports = found[1]
    assert len(before) == (POOL + 1 if selector else NUMBER + 1)
    assert after["node-000001"].leaving_taint == LEAVING["key"]
    assert len(ports) == 2


def test_heartbeats_reach_a_watch_and_change_no_view(filled: tuple[World, World]) -> None:
    _, fake = filled
    with following(fake) as cluster:
        before, versions = (
            seen(cluster),
            {item["metadata"]["resourceVersion"] for item in sorted_items(fake.api)},
        )
        known = cluster._nodes_reflector._known
        version = int(known.version)
        with fake.fleet.heartbeats():
            eventually(lambda: int(known.version) > version, within=40)
        assert seen(cluster) == before
    assert {item["metadata"]["resourceVersion"] for item in sorted_items(fake.api)} != versions


def test_a_missing_node_and_an_unsupported_request_are_errors(fake: World) -> None:
    with pytest.raises(ApiError, match='nodes "node-000099" not found') as missing:
        fake.api.get(f"{NODES}/node-000099")
    assert missing.value.status == 404
    with pytest.raises(ApiError, match="not supported") as wrong:
        fake.api.get(f"{NODES}?labelSelector=pool%3E1")
    assert wrong.value.status == 400


def test_the_other_resources_are_those_of_the_real_server(filled: tuple[World, World]) -> None:
    real, fake = filled
    fake.api.create("/api/v1/namespaces", {"metadata": {"name": "beside"}})
    leases = "/apis/coordination.k8s.io/v1/namespaces/beside/leases"
    fake.api.create(leases, {"metadata": {"name": "one"}, "spec": {"holderIdentity": "me"}})
    assert real.api.get(f"{leases}/one")["spec"]["holderIdentity"] == "me"
    with pytest.raises(ApiError, match="already exists"):
        fake.api.create(leases, {"metadata": {"name": "one"}})
