"""With hostNetwork the host name is the Node's: no Lease and no registry is named after it."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from syncer.cluster.api import Api, RefusedError
from syncer.cluster.events import own_workload
from syncer.cluster.lease import KubernetesLeases
from syncer.cluster.ownname import OwnName
from syncer.cluster.place import Place, own_place
from syncer.cluster.record import KubernetesRecords
from syncer.errors import ClusterError, DeniedError, MisconfiguredError

NODE = "pool-a-5d8f7c9b6-x2x4z"  # looks like a Deployment's Pod
POD = "nlb-sync-7c5ddbdf54-lz4vr"
NEEDED = r"^NLB_SYNC_NAME is not set, and the host name '.*' is the Node's"


@pytest.fixture
def pod(tmp_path: Path) -> dict[str, str]:
    mount = tmp_path / "var/run/secrets/kubernetes.io/serviceaccount"
    mount.mkdir(parents=True)
    (mount / "namespace").write_text("edge\n")
    return {"KUBERNETES_SERVICE_HOST": "10.96.0.1", "CONTAINER_SANDBOX_MOUNT_POINT": str(tmp_path)}


class Cluster:
    """An API server that has these Nodes (name to hostname label); `refuses` is its status for lists."""

    def __init__(self, nodes: Mapping[str, str], refuses: int = 0, leases: int = 404) -> None:
        self._nodes, self.refuses, self._leases = nodes, refuses, leases

    def get(self, path: str, query: Mapping[str, str]) -> dict[str, Any]:
        assert path == "/api/v1/nodes"
        if self.refuses:
            raise RefusedError(self.refuses, "refused")
        asked = (query.get("fieldSelector") or query["labelSelector"]).partition("=")[2]
        known = self._nodes if "fieldSelector" in query else self._nodes.values()
        return {"items": [{}] if asked in known else []}

    def small(self, method: str, path: str, *_: object) -> dict[str, Any]:
        raise RefusedError(self._leases, f"{method} {path}")


def place(environment: Mapping[str, str], name: str = "") -> Place:
    found = own_place(environment, "", name)
    assert found is not None
    return found


def lease_read(cluster: Cluster, where: Place) -> object:
    api = cast("Api", cluster)
    check = OwnName(api, where).check
    return asyncio.run(KubernetesLeases(api, where.namespace, where.name, check).read())


@pytest.mark.parametrize("nodes", [{NODE: "other"}, {f"{NODE}.eu.internal": NODE}])
def test_b9_a_host_name_that_is_a_nodes_names_no_lease_and_no_registry(
    pod: dict[str, str], nodes: dict[str, str]
) -> None:
    where = place({**pod, "HOSTNAME": NODE})
    cluster = Cluster(nodes)
    with pytest.raises(MisconfiguredError, match=NEEDED):
        lease_read(cluster, where)
    api = cast("Api", cluster)
    with pytest.raises(MisconfiguredError, match="set NLB_SYNC_NAME"):
        asyncio.run(KubernetesRecords(api, "edge", where.name, OwnName(api, where).check).read())


def test_b9_the_kubelets_own_word_is_enough_without_the_api_server(pod: dict[str, str]) -> None:
    hosts = Path(pod["CONTAINER_SANDBOX_MOUNT_POINT"]) / "etc/hosts"
    hosts.parent.mkdir()
    hosts.write_text("# Kubernetes-managed hosts file (host network).\n127.0.0.1 localhost\n")
    with pytest.raises(MisconfiguredError, match=NEEDED):
        own_place({**pod, "HOSTNAME": "ip-10-0-0-1"}, "", "")
    assert place({**pod, "HOSTNAME": NODE}, "edge-a").name == "edge-a"
    assert place({**pod, "HOSTNAME": NODE, "POD_NAME": POD}).name == "nlb-sync"


@pytest.mark.parametrize("refuses", [403, 500, 503])
def test_b9_while_it_cannot_be_known_nothing_is_elected_and_nobody_runs_unelected(
    pod: dict[str, str], refuses: int
) -> None:
    where, cluster = place({**pod, "HOSTNAME": POD}), Cluster({}, refuses)
    with pytest.raises(ClusterError) as unknown:
        lease_read(cluster, where)
    assert not isinstance(unknown.value, DeniedError)  # it would end the election
    cluster.refuses = 0
    assert lease_read(cluster, where) is None


def test_b9_a_pods_own_name_is_as_before(pod: dict[str, str]) -> None:
    where = place({**pod, "HOSTNAME": POD})
    assert (where.namespace, where.name) == ("edge", "nlb-sync")
    assert lease_read(Cluster({NODE: NODE}), where) is None


def test_b9_pod_name_by_field_reference_is_believed_beside_the_nodes_host_name(pod: dict[str, str]) -> None:
    environment = {**pod, "HOSTNAME": NODE, "POD_NAME": POD}
    where = place(environment)
    assert where.name == "nlb-sync"
    assert where.identity.startswith(POD)
    assert lease_read(Cluster({NODE: NODE}), where) is None
    workload = own_workload(environment)
    assert workload is not None
    assert (workload.deployment, workload.pod) == ("nlb-sync", POD)


def test_b9_the_predecessors_rights_need_no_name(pod: dict[str, str]) -> None:
    """Its ClusterRole allows Nodes only: the Lease is denied first, and it runs unelected."""
    with pytest.raises(DeniedError):
        lease_read(Cluster({NODE: NODE}, leases=403), place({**pod, "HOSTNAME": NODE}))


@pytest.mark.parametrize("name", ["../../x-5d8f7c9b6-x2x4z", "\u00e9-5d8f7c9b6-x2x4z", "A-5d8f7c9b6-x2x4z"])
def test_b9_a_pod_name_that_is_none_gives_the_default(pod: dict[str, str], name: str) -> None:
    assert place({**pod, "POD_NAME": name}).name == "nlb-sync"
