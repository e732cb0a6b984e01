"""Two real processes over one real Lease: killed, stopped, frozen, and without the right to it."""

import signal
import time

import pytest

from sandbox.cluster import ApiError
from syncer.reconcile.registry_format import MARKER, decoded, shard_key
from tests.integration.syncer.household import Household, Syncer

pytestmark = pytest.mark.toolchain

LEASES = "/apis/coordination.k8s.io/v1/namespaces/default/leases"


def pair(home: Household, suffix: str = "") -> tuple[Syncer, Syncer]:
    """The leader and the standby of one Lease, both ready."""
    named = {"NLB_SYNC_NAMESPACE": "default", "NLB_SYNC_NAME": home.service + suffix}
    both = [home.syncer(**named), home.syncer(**named)]
    home.until(lambda: all(each.ready for each in both), within=20)
    home.until(lambda: any(leads(each) for each in both), within=5)
    both.sort(key=leads, reverse=True)
    return both[0], both[1]


def leads(syncer: Syncer) -> bool:
    return syncer.metric("nlb_sync_leader") == 1


def holder(home: Household) -> str:
    try:
        return str(home.api.get(f"{LEASES}/{home.service}")["spec"].get("holderIdentity", ""))
    except ApiError:
        return ""


def test_a_stopped_leader_hands_over_at_once(home: Household) -> None:
    home.join("a")
    leader, standby = pair(home)
    home.until(lambda: home.filled_with("a"), within=10)
    assert not leads(standby)
    first = holder(home)
    began = time.monotonic()
    leader.signal(signal.SIGTERM)
    home.join("b")
    home.until(lambda: home.filled_with("a", "b"), within=10)
    assert time.monotonic() - began < 3  # 2 s, and what two busy cores add
    assert leader.process.wait(5) == 0
    assert holder(home) not in {"", first}
    assert standby.status["leader"]


def test_a_killed_leader_is_replaced_and_a_frozen_one_that_goes_on_sends_nothing(home: Household) -> None:
    home.join("a")
    frozen, its_heir = pair(home, "-frozen")
    killed, the_other = pair(home, "-killed")
    home.until(lambda: home.filled_with("a"), within=10)
    sent = writes(frozen)
    frozen.signal(signal.SIGSTOP)
    killed.end()
    home.join("b")
    took = home.until(lambda: leads(its_heir) and leads(the_other), within=17)  # 15 s, and busy cores
    assert took > 5
    frozen.signal(signal.SIGCONT)
    home.until(lambda: home.filled_with("a", "b"), within=5)
    home.until(lambda: frozen.ready, within=5)
    assert writes(frozen) == sent
    assert not leads(frozen)


def writes(syncer: Syncer) -> float:
    """How many RegisterTargets it has sent."""
    return syncer.metric('nlb_sync_aws_calls_total{code="ok",operation="RegisterTargets"}')


def test_what_is_ours_survives_the_process_in_a_config_map(home: Household) -> None:
    home.join("a", "b", "c", "d")
    named = {
        "NLB_SYNC_NAMESPACE": "default",
        "NLB_SYNC_NAME": home.service,
        "NLB_SYNC_OWNERSHIP": "tracked",
    }
    syncer = home.syncer(**named)
    home.until(lambda: home.filled_with("a", "b", "c", "d"), within=20)
    assert syncer.stop() == 0
    kept = home.api.get(f"/api/v1/namespaces/default/configmaps/{home.service}-state")
    entries = decoded(kept["data"].pop(shard_key("")))
    assert entries.keys() == {home.instances[name] for name in "abcd"}
    assert all(len(places) == 2 for places in entries.values())
    assert list(kept["data"].values()) == [MARKER] * 2
    home.delete("a")
    home.syncer(**named)
    home.until(lambda: home.filled_with("b", "c", "d"), within=20)


def test_two_syncers_of_one_namespace_with_names_of_their_own_do_not_meet(home: Household) -> None:
    home.join("a")
    both = [home.syncer(NLB_SYNC_NAMESPACE="default", NLB_SYNC_NAME=f"{home.service}-{n}") for n in "xy"]
    home.until(lambda: all(each.ready and leads(each) for each in both), within=20)


def test_outside_a_cluster_there_is_no_election_unless_a_namespace_is_named(home: Household) -> None:
    home.join("a")
    syncer = home.syncer()
    home.until(lambda: home.filled_with("a"), within=15)
    assert "leader" not in syncer.status
    assert leads(syncer)
