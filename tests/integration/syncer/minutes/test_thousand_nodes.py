"""A thousand Nodes: all registered, then every fifth replaced at once."""

import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.request import Request, urlopen

import pytest

from sandbox.cloud.client import ec2_client
from sandbox.cloud.network import IMAGE_ID
from tests.integration.syncer.household import Household, Syncer

pytestmark = pytest.mark.toolchain

ROOM = {
    "targets-per-target-group": 5000,
    "targets-per-availability-zone-per-network-load-balancer": 5000,
    "targets-per-network-load-balancer-cross-zone": 5000,
}
CALLS = 'nlb_sync_aws_calls_total{code="ok",operation="RegisterTargets"}'


@pytest.fixture
def wide(home: Household) -> Iterator[Household]:
    """A home whose account allows thousands of targets."""
    url = f"{home.layout.aws_url}/_sandbox/faults"
    with urlopen(Request(url, data=json.dumps({"quotas": ROOM}).encode()), timeout=10):  # noqa: S310
        pass
    yield home
    with urlopen(Request(url, method="DELETE"), timeout=10):  # noqa: S310
        pass


def test_a_thousand_nodes_are_registered_and_two_hundred_of_them_replaced(wide: Household) -> None:
    first = _crowd(wide, "node", 1000)
    syncer = wide.syncer()
    wide.until(lambda: _registered(wide) == first, within=60, pause=0.5)
    assert syncer.metric(CALLS) <= 12
    old, new = set(sorted(first)[:200]), _crowd(wide, "heir", 200)
    _each(wide.delete, old)
    wide.until(lambda: _registered(wide) == first - old | new, within=60, pause=0.5)
    assert [_removed(syncer, group) for group in wide.names()] == [200, 200]
    assert not syncer.status["problems"]


def _crowd(home: Household, prefix: str, count: int) -> set[str]:
    """So many instances start and their Nodes are Ready; the names."""
    started = ec2_client(home.layout.aws_url).run_instances(
        ImageId=IMAGE_ID,
        MinCount=count,
        MaxCount=count,
        SubnetId=home.network.subnet_ids["eu-central-1a"],
        SecurityGroupIds=[home.network.node_group_id],
    )["Instances"]
    named = {f"{prefix}-{number}": each["InstanceId"] for number, each in enumerate(started)}
    home.instances.update(named)
    _each(home.join, named)
    return set(named)


def _each(call: Callable[[str], None], names: Iterable[str]) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(call, names))


def _registered(home: Household) -> set[str]:
    """Who is registered in both groups, on the live NodePorts; empty where the groups differ."""
    http, https = ({name for name, _ in home.registered(group)} for group in home.groups)
    return http if http == https else set()


def _removed(syncer: Syncer, group: str) -> float:
    return syncer.metric(f'nlb_sync_changes_total{{change="deregister",target_group="{group}"}}')
