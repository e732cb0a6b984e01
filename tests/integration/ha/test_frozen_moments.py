"""Leaders frozen (SIGSTOP) at random moments of busy lives, and thawed when another one leads.

Eight moments in each run; NLB_SYNC_TEST_FREEZES sets how many, 200 take about ten minutes.
"""

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from tests.integration.ha.tollgate import Tollgate
from tests.integration.syncer.household import Household, Syncer
from tests.waiting import eventually

pytestmark = [pytest.mark.toolchain, pytest.mark.timeout(3600)]

FREEZES = int(os.environ.get("NLB_SYNC_TEST_FREEZES", "8"))
PAIRS = 4
LABEL = "node.kubernetes.io/exclude-from-external-load-balancers"
# A call that was on its way may arrive this long after its process was stopped.
ON_ITS_WAY_S = 0.1


@dataclass(frozen=True, slots=True)
class Replica:
    syncer: Syncer
    gate: Tollgate

    @property
    def leads(self) -> bool:
        return self.syncer.metric("nlb_sync_leader") == 1


class Churn:
    """Three of six nodes leave and come back, a change every tenth of a second, until closed."""

    def __init__(self, home: Household) -> None:
        self._home = home
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._change, daemon=True)
        self._thread.start()

    def _change(self) -> None:
        leaving = False
        while not self._over.is_set():
            leaving = not leaving
            for name in "abc":
                self._home.label(name, LABEL, "true" if leaving else "false")
                self._over.wait(0.1)

    def close(self) -> None:
        self._over.set()
        self._thread.join(10)


def own_groups(home: Household, pair: int) -> str:
    """Two groups of this pair's own, so that the pairs do not fight."""
    arns = []
    for port in (80, 443):
        name = f"frost-{home.service[-3:].strip('-')}-{pair}-{port}"
        made = home.elb.create_target_group(
            Name=name, Protocol="TCP", Port=port, VpcId=home.network.vpc_id, TargetType="instance"
        )
        home.groups[name] = arn = made["TargetGroups"][0]["TargetGroupArn"]
        arns.append(f"{arn}=:{30000 + port}")
    return ",".join(arns)


@pytest.fixture
def pairs(home: Household) -> Iterator[list[list[Replica]]]:
    with ExitStack() as stack:
        home.join(*"abcdef")
        found = []
        for number in range(PAIRS):
            named = {
                "NLB_SYNC_TARGET_GROUPS": own_groups(home, number),
                "NLB_SYNC_NAMESPACE": "default",
                "NLB_SYNC_NAME": f"{home.service}-{number}",
            }
            gates = [stack.enter_context(Tollgate(home.layout.aws_url)) for _ in range(2)]
            found.append(
                [
                    Replica(home.syncer(**named, AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2=gate.url), gate)
                    for gate in gates
                ]
            )
        for pair in found:
            eventually(lambda pair=pair: all(each.syncer.ready for each in pair), within=60)  # type: ignore[misc]
            eventually(lambda pair=pair: any(each.leads for each in pair), within=15)  # type: ignore[misc]
        yield found


@pytest.fixture
def churn(home: Household, pairs: list[list[Replica]]) -> Iterator[None]:  # noqa: ARG001 - the nodes are there then
    lives = Churn(home)
    yield
    lives.close()


@dataclass
class Freeze:
    """One leader of one pair, frozen for as long as the other one needs to lead."""

    leader: Replica
    heir: Replica

    @classmethod
    def of(cls, pair: list[Replica], chance: random.Random) -> "Freeze":
        eventually(lambda: any(each.leads for each in pair), within=30)
        leader, heir = sorted(pair, key=lambda each: each.leads, reverse=True)
        eventually(
            lambda: leader.gate.arrived and leader.gate.arrived[-1][0] > time.monotonic() - 1, within=30
        )
        time.sleep(chance.uniform(0, 0.6))  # anywhere between two changes, or in one
        leader.syncer.signal(signal.SIGSTOP)
        return cls(leader, heir)

    def thaw(self) -> Counter[str]:
        """Once the other one leads and writes; how many old calls arrive, by group."""
        stopped = time.monotonic()
        eventually(lambda: self.heir.leads, within=20)
        eventually(lambda: self.heir.gate.since(stopped), within=20)
        assert not self.leader.gate.since(stopped + ON_ITS_WAY_S), "a frozen process has sent something"
        thawed = time.monotonic()
        self.leader.syncer.signal(signal.SIGCONT)
        eventually(lambda: self.leader.syncer.ready, within=20)
        time.sleep(2)  # begins to write again, if it ever would: a change comes every 0.1 s
        assert not self.leader.leads
        return self.leader.gate.since(thawed)


def test_of_a_leader_frozen_at_random_moments_one_old_call_a_group_arrives_and_none_begins(
    pairs: list[list[Replica]],
    churn: None,  # noqa: ARG001
) -> None:
    chance = random.Random(11)  # noqa: S311
    late: list[Counter[str]] = []
    while len(late) < FREEZES:
        frozen = [Freeze.of(pair, chance) for pair in pairs[: FREEZES - len(late)]]
        late += [each.thaw() for each in frozen]
        print(f"{len(late)} frozen, {sum(each.total() for each in late)} old calls")  # noqa: T201 - shown with -s, for the long run
    assert all(each.total() == len(each) for each in late), "a group has one write under way at a time"
