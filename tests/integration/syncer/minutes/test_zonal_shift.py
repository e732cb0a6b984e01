"""A zonal shift over HTTP: from the AWS API's XML to what the syncer process removes and shows."""

import json
from collections.abc import Iterator
from urllib.request import Request, urlopen

import pytest

from sandbox.cloud.network import run_node_instance
from tests.integration.syncer.household import NODES, Household

pytestmark = pytest.mark.toolchain

ZONES = {"a": "eu-central-1a", "b": "eu-central-1a", "c": "eu-central-1b", "d": "eu-central-1c"}


def shift(home: Household, **zones: str) -> None:
    """Start the zonal shifts of these zones, and end all others."""
    override = {f"eu-central-{zone}": state for zone, state in zones.items()}
    body = json.dumps({"zonal_shift": override}).encode()
    with urlopen(Request(f"{home.layout.aws_url}/_sandbox/faults", data=body), timeout=10):  # noqa: S310
        pass


@pytest.fixture
def zonal(home: Household) -> Iterator[Household]:
    """Four Ready nodes, two of them in the zone that is shifted."""
    for name, zone in ZONES.items():
        home.instances[name] = run_node_instance(home.layout.aws_url, name, zone).instance_id
        home.claims.add(name)
        provider = f"aws:///{zone}/{home.instances[name]}"
        labels = {"topology.kubernetes.io/zone": "use2-az1"}
        home.api.create(
            NODES, {"metadata": {"name": name, "labels": labels}, "spec": {"providerID": provider}}
        )
        home.ready(name, "True")
    yield home
    shift(home)


def test_z1_the_last_node_with_traffic_stays_until_the_shift_ends(zonal: Household) -> None:
    syncer = zonal.syncer(NLB_SYNC_ZONES=",".join(sorted(set(ZONES.values()))))
    zonal.until(lambda: set(zonal.states().values()) == {"healthy"} and zonal.filled_with(*ZONES), within=60)
    shift(zonal, **{"1a": "zonal_shift_active"})
    zonal.until(lambda: [group["shifted"] for group in syncer.status["groups"]] == [2, 2], within=30)
    assert [group["serving"] for group in syncer.status["groups"]] == [2, 2]
    for name in "cd":
        zonal.api.patch(
            f"{NODES}/{name}",
            {"spec": {"taints": [{"key": "ToBeDeletedByClusterAutoscaler", "effect": "NoSchedule"}]}},
        )
    zonal.until(lambda: len(zonal.registered("http")) == len(zonal.registered("https")) == 3, within=120)
    zonal.stays(lambda: len(zonal.registered("http")) == len(zonal.registered("https")) == 3, for_s=15)
    assert {held["why"] for group in syncer.status["groups"] for held in group["held"]} == {"LastServing"}
    shift(zonal)
    zonal.until(lambda: zonal.filled_with("a", "b"), within=60)


def test_b3_rewritten_labels_put_no_node_out(zonal: Household) -> None:
    syncer = zonal.syncer(NLB_SYNC_ZONES=",".join(sorted(set(ZONES.values()))))
    zonal.until(lambda: zonal.filled_with(*ZONES), within=60)
    told = {node["node"]: (node["zone"], node["zone_source"]) for node in syncer.status["nodes"]}
    assert told == {name: (zone, "provider-id") for name, zone in ZONES.items()}
