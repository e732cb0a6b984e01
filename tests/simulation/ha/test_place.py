"""Where a syncer's own objects lie, from what the kubelet tells every Pod."""

from pathlib import Path

import pytest

from syncer.cluster.place import own_place
from syncer.config.settings import load
from syncer.errors import MisconfiguredError
from tests.simulation.world import HTTP

MOUNT = "var/run/secrets/kubernetes.io/serviceaccount"


@pytest.fixture
def pod(tmp_path: Path) -> dict[str, str]:
    (tmp_path / MOUNT).mkdir(parents=True)
    (tmp_path / MOUNT / "namespace").write_text("ingress-traefik\n")
    return {
        "HOSTNAME": "nlb-sync-5d8f7c9b6-x2x4z",
        "KUBERNETES_SERVICE_HOST": "10.96.0.1",
        "CONTAINER_SANDBOX_MOUNT_POINT": str(tmp_path),
    }


def test_a_pod_calls_them_like_its_deployment_so_that_two_in_one_namespace_do_not_meet(
    pod: dict[str, str],
) -> None:
    place = own_place(pod, "", "")
    other = own_place({**pod, "HOSTNAME": "second-nlb-7c5ddbdf54-lz4vr"}, "", "")
    assert place
    assert other
    assert (place.namespace, place.name) == ("ingress-traefik", "nlb-sync")
    assert other.name == "second-nlb"
    assert place.identity.startswith(pod["HOSTNAME"])


def test_replicas_and_restarts_differ_in_their_identity(pod: dict[str, str]) -> None:
    both = [own_place(pod, "", "") for _ in range(2)]
    assert all(both)
    assert len({place.identity for place in both if place}) == 2


def test_what_is_configured_outdoes_what_the_pod_says(pod: dict[str, str]) -> None:
    place = own_place(pod, "elsewhere", "called")
    assert place
    assert (place.namespace, place.name) == ("elsewhere", "called")


@pytest.mark.parametrize("length", [40, 46, 47, 50, 56, 57])
def test_a_deployment_with_a_long_name_has_it_cut_in_its_pods_name_and_shares_it_with_nobody(
    pod: dict[str, str], length: int
) -> None:
    """Made as k8s.io/apiserver's names.SimpleNameGenerator makes it, of the ReplicaSet's name and a dash."""
    deployment = "shop-ingress-production-platform-europe-of-the-north-east"[:length].replace("-", "o") + "y"
    deployment = deployment[-length:]
    for replica_set in ("5d8f7c9b64", "7c5ddbdf54"):
        made = f"{deployment}-{replica_set}-"[:58] + "x2x4z"
        place = own_place({**pod, "HOSTNAME": made}, "", "")
        assert place
        assert place.name == deployment


def test_a_name_that_is_no_deployments_pod_gives_the_default(pod: dict[str, str]) -> None:
    place = own_place({**pod, "HOSTNAME": "ip-10-0-0-1"}, "", "")
    assert place
    assert place.name == "nlb-sync"


def test_outside_a_pod_there_is_no_place_without_a_namespace(pod: dict[str, str]) -> None:
    assert own_place({}, "", "") is None
    assert own_place({"KUBECONFIG": "/k", **pod}, "", "") is None
    assert own_place({}, "default", "") is not None


def test_a_wrong_namespace_or_name_is_one_line_that_names_the_variable() -> None:
    for variable in ("NLB_SYNC_NAMESPACE", "NLB_SYNC_NAME"):
        with pytest.raises(MisconfiguredError, match=variable):
            load({"NLB_SYNC_TARGET_GROUPS": str(HTTP), variable: "Not A Name"})
