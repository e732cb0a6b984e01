"""A large ownership registry on a real API server, with the rights that the stack grants and no other."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from syncer.clock import SystemClock
from syncer.cluster.access import configuration
from syncer.cluster.api import Api, RefusedError
from syncer.cluster.record import KubernetesRecords
from syncer.manifests.rbac import state_names, state_role
from syncer.model import InstanceId, Target, TargetGroupArn
from syncer.reconcile.confirmations import confirm
from syncer.reconcile.registry import Registry
from tests.integration.ha.test_upgrade import CONFIG_MAPS
from tests.integration.syncer.household import Household
from tests.integration.syncer.test_asking_doctor import limited

pytestmark = pytest.mark.toolchain

GROUPS = [
    TargetGroupArn(f"arn:aws:elasticloadbalancing:eu-central-1:1:targetgroup/group-{number}/{number:016x}")
    for number in range(10)
]
MANY = 60_000


class Wire(Api):
    """Notes the size of each written body, and whether an answer to it has the content."""

    sizes: list[int]
    whole: list[bool]

    def small(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *args: Any, **kwargs: Any
    ) -> dict[str, Any]:
        answer = super().small(method, path, body, *args, **kwargs)
        if body is not None:
            self.sizes.append(len(json.dumps(body)))
            self.whole.append("data" in answer)
        return answer


@pytest.fixture
def wire(home: Household, tmp_path: Path) -> Wire:
    kubeconfig = limited(home, tmp_path, state_role(home.service, "default")["rules"])
    wire = Wire(configuration({"KUBECONFIG": str(kubeconfig)}))
    wire.sizes, wire.whole = [], []
    return wire


def owned(count: int) -> dict[TargetGroupArn, frozenset[Target]]:
    ids = [InstanceId(f"i-{number * 0x9E3779B97F4A7C15 % (1 << 68):017x}") for number in range(count)]
    return {arn: frozenset(Target(each, 30000 + port) for each in ids) for port, arn in enumerate(GROUPS)}


async def write(registry: Registry, targets: Mapping[TargetGroupArn, frozenset[Target]]) -> None:
    for arn, each in targets.items():
        registry.want(arn, each)
    await registry.save()


def test_a_large_registry_takes_two_config_maps_and_a_joining_node_writes_less_than_20_kb(
    home: Household, wire: Wire
) -> None:
    async def story() -> None:
        records = KubernetesRecords(wire, "default", home.service)
        registry = Registry(records, SystemClock())
        await registry.load(GROUPS)
        await write(registry, owned(MANY))
        assert not registry.problem
        wire.sizes.clear()
        await write(registry, owned(MANY + 1))
        assert len(wire.sizes) == 1
        assert wire.sizes[0] < 20_000
        assert not any(wire.whole), "the answer to a write has the metadata alone"
        await confirm(KubernetesRecords(wire, "default", home.service), "0123456789ab", 1.0)
        await write(registry, owned(MANY + 100))  # the version has changed meanwhile
        successor = Registry(records, SystemClock())
        await successor.load(GROUPS)
        assert all(successor.ours(arn) == targets for arn, targets in owned(MANY + 100).items())

    asyncio.run(story())
    names = state_names(home.service)
    sizes = [len(json.dumps(home.api.get(f"{CONFIG_MAPS}/{name}")["data"])) for name in names[:2]]
    assert all(size < 1_000_000 for size in sizes)
    for name in names[:2]:
        home.api.delete(f"{CONFIG_MAPS}/{name}")


def test_the_rights_are_for_the_registrys_config_maps_alone(home: Household, wire: Wire) -> None:
    for name in state_names(home.service):
        with pytest.raises(RefusedError, match="HTTP 404"):
            wire.small("GET", f"{CONFIG_MAPS}/{name}")
    for name in (home.service, f"{home.service}-state-4", "kube-root-ca.crt"):
        with pytest.raises(RefusedError, match="HTTP 403"):
            wire.small("GET", f"{CONFIG_MAPS}/{name}")


def test_a_role_of_version_0_1_is_enough_for_one_config_map(home: Household, tmp_path: Path) -> None:
    rules = state_role(home.service, "default")["rules"]
    rules[-1]["resourceNames"] = [f"{home.service}-state"]
    api = Api(configuration({"KUBECONFIG": str(limited(home, tmp_path, rules))}))

    async def story() -> None:
        registry = Registry(KubernetesRecords(api, "default", home.service), SystemClock())
        await registry.load(GROUPS)
        await write(registry, owned(5000))
        assert not registry.problem
        await write(registry, owned(MANY))
        assert "is lost at the next start" in registry.problem
        assert f"{home.service}-state-1" in registry.problem
        successor = Registry(KubernetesRecords(api, "default", home.service), SystemClock())
        await successor.load(GROUPS)
        assert successor.ours(GROUPS[0]) >= owned(5000)[GROUPS[0]]

    asyncio.run(story())
    home.api.delete(f"{CONFIG_MAPS}/{home.service}-state")
