"""Two load balancers in one cluster: a syncer for each in one namespace, with nothing set to part them."""

from collections.abc import Iterator

import pytest

from tests.integration.syncer.account import Account
from tests.integration.syncer.household import Household, Syncer

pytestmark = pytest.mark.toolchain

LEASES = "/apis/coordination.k8s.io/v1/namespaces/default/leases"
CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
PODS = {"outer": "nlb-outer-6c9d4f8b7-x2x4z", "inner": "nlb-inner-5f7b9c6d4-q8w5t"}


@pytest.fixture
def inner_groups(home: Household) -> Iterator[dict[str, str]]:
    balancer, groups = home.new_balancer()
    yield groups
    home.remove_balancer(balancer, groups)


def test_each_fills_its_own_groups_under_a_lease_and_a_record_of_its_own(
    home: Household, inner_groups: dict[str, str]
) -> None:
    account = Account(home)
    account.grant()
    home.join("a", "b", "c")
    for name, pool in (("a", "outer"), ("b", "outer"), ("c", "inner")):
        home.label(name, "pool", pool)
    groups = {"outer": home.groups, "inner": inner_groups}
    syncers = {name: _syncer(home, account, name, groups[name]) for name in PODS}
    home.until(lambda: home.filled_with("a", "b") and _filled(home, inner_groups, "c"), within=60)
    home.until(lambda: all(syncer.status["leader"] for syncer in syncers.values()), within=5)
    assert not any(syncer.status["problems"] for syncer in syncers.values())
    for name, pod in PODS.items():
        assert home.api.get(f"{LEASES}/nlb-{name}")["spec"]["holderIdentity"].startswith(pod)
        recorded = home.api.get(f"{CONFIG_MAPS}/nlb-{name}-state")["data"]
        keys = {arn.rpartition("targetgroup/")[2].replace("/", ".") for arn in groups[name].values()}
        assert set(recorded) == {"targets", *keys}
    home.label("b", "pool", "inner")
    home.until(lambda: home.filled_with("a") and _filled(home, inner_groups, "b", "c"), within=60)
    syncers["outer"].stop()
    home.join("d")
    home.label("d", "pool", "inner")
    home.until(lambda: _filled(home, inner_groups, "b", "c", "d"), within=10)
    assert home.filled_with("a")


def _syncer(home: Household, account: Account, name: str, groups: dict[str, str]) -> Syncer:
    pod = account.in_pod(account.mount(account.token()), home.layout.apiserver_port, PODS[name])
    source = f"default/{home.service}"
    wanted = ",".join(f"{arn}={source}:{port}" for port, arn in groups.items())
    return home.syncer(**pod, NLB_SYNC_TARGET_GROUPS=wanted, NLB_SYNC_NODE_SELECTOR=f"pool={name}")


def _filled(home: Household, groups: dict[str, str], *names: str) -> bool:
    """Whether exactly these nodes are registered in these groups."""
    wanted = {home.instances[name] for name in names}
    return all(
        {
            each["Target"]["Id"]
            for each in answer["TargetHealthDescriptions"]
            if each["TargetHealth"]["State"] != "draining"
        }
        == wanted
        for answer in (home.elb.describe_target_health(TargetGroupArn=arn) for arn in groups.values())
    )
