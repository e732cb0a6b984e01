"""The election alone on virtual time: candidates over one Lease."""

import asyncio
import random
from collections.abc import Callable

from syncer.reconcile.leader_election import DURATION_S, GIVE_UP_S, SPARE_S, LeaderElection
from tests.simulation.frost import Frost, FrozenClock
from tests.simulation.leases import MemoryLease, MemoryLeases
from tests.simulation.virtual import virtually


class Candidate:
    """One replica's election; `changes` counts how often it was won or lost."""

    def __init__(self, name: str, lease: MemoryLease, seed: int = 0) -> None:
        self.frost = Frost()
        self.leases = MemoryLeases(lease, self.frost)
        clock = FrozenClock(self.frost)
        self.election = LeaderElection(self.leases, name, clock, random.Random(f"{name}{seed}"))  # noqa: S311
        self.changes = 0
        self._task = asyncio.create_task(self.election.run(self._changed))

    def _changed(self) -> None:
        self.changes += 1

    @property
    def writes(self) -> bool:
        return self.election.may_write()

    async def kill(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def stop(self) -> None:
        await self.kill()
        await self.election.release()


async def until(holds: Callable[[], bool], within: float) -> float:
    began = asyncio.get_running_loop().time()
    while not holds():
        took = asyncio.get_running_loop().time() - began
        assert took <= within, f"not within {within} s"
        await asyncio.sleep(0.01)
    return asyncio.get_running_loop().time() - began


@virtually
async def test_one_of_two_leads_and_goes_on_leading() -> None:
    lease = MemoryLease()
    both = [Candidate("a", lease), Candidate("b", lease)]
    await until(lambda: any(each.writes for each in both), within=1)
    leader = next(each for each in both if each.writes)
    for _ in range(6000):
        assert [each for each in both if each.writes] == [leader]
        await asyncio.sleep(0.01)
    assert lease.record is not None
    assert lease.record.transitions == 0
    assert leader.changes == 1


@virtually
async def test_a_right_that_expires_during_a_slow_renewal_is_announced_when_it_is_back() -> None:
    lease = MemoryLease()
    leader = Candidate("a", lease)
    await until(lambda: leader.writes, within=1)
    assert leader.changes == 1
    lease.latency = 5.0
    await until(lambda: not leader.writes, within=10)
    lease.latency = 0.01
    await until(lambda: leader.writes, within=10)
    await asyncio.sleep(0.1)
    assert leader.changes >= 2  # what was planned meanwhile was not sent
    await leader.kill()


@virtually
async def test_a_killed_leader_is_replaced_within_15_seconds_whenever_it_is_killed() -> None:
    for tenths in range(0, 40, 3):
        lease = MemoryLease()
        leader = Candidate("a", lease)
        await until(lambda leader=leader: bool(leader.writes), within=1)  # type: ignore[misc]
        heir = Candidate("b", lease, seed=tenths)
        await asyncio.sleep(5 + tenths / 10)
        await leader.kill()
        took = await until(lambda heir=heir: bool(heir.writes), within=15)  # type: ignore[misc]
        assert took > DURATION_S - 4
        await heir.kill()


@virtually
async def test_a_stopped_leader_is_replaced_within_2_seconds() -> None:
    for tenths in range(0, 30, 2):
        lease = MemoryLease()
        leader = Candidate("a", lease)
        await until(lambda leader=leader: bool(leader.writes), within=1)  # type: ignore[misc]
        heir = Candidate("b", lease, seed=tenths)
        await asyncio.sleep(5 + tenths / 10)
        await leader.stop()
        assert lease.holder == ""
        await until(lambda heir=heir: bool(heir.writes), within=1.5)  # type: ignore[misc]
        await heir.kill()


@virtually
async def test_a_right_to_write_that_ran_out_is_announced_when_it_is_won_back() -> None:
    """However long the API server was away: what was planned meanwhile was not sent."""
    for tenths in range(30, 90):
        leader = Candidate("a", MemoryLease(), seed=tenths)
        await until(lambda leader=leader: bool(leader.writes), within=1)  # type: ignore[misc]
        await asyncio.sleep(5)
        leader.leases.cut = True
        await asyncio.sleep(tenths / 10)
        lost = not leader.writes
        leader.leases.cut = False
        await until(lambda leader=leader: bool(leader.writes), within=3)  # type: ignore[misc]
        await asyncio.sleep(3)
        assert leader.writes
        if lost:
            assert leader.changes == 3, tenths
        await leader.kill()


@virtually
async def test_a_leader_without_success_gives_up_before_its_lease_can_be_taken() -> None:
    lease = MemoryLease()
    leader = Candidate("a", lease)
    await until(lambda: leader.writes, within=1)
    heir = Candidate("b", lease)
    await asyncio.sleep(7)
    leader.leases.cut = True
    gave_up = await until(lambda: not leader.writes, within=GIVE_UP_S)
    assert gave_up > GIVE_UP_S - 2.1
    assert await until(lambda: heir.writes, within=15) >= SPARE_S
    leader.leases.cut = False
    await asyncio.sleep(60)
    assert heir.writes
    assert not leader.writes
    assert "no answer" not in leader.election.problem


@virtually
async def test_no_two_of_three_ever_write_while_an_api_server_comes_and_goes() -> None:
    chance = random.Random(4)  # noqa: S311
    lease = MemoryLease()
    three = [Candidate(name, lease) for name in "abc"]
    for _ in range(200):
        lease.away = chance.random() < 0.3
        for each in three:
            each.leases.cut = chance.random() < 0.2
        for _ in range(chance.randrange(1, 150)):
            assert sum(each.writes for each in three) <= 1
            await asyncio.sleep(0.1)
    lease.away = False
    for each in three:
        each.leases.cut = False
    await until(lambda: any(each.writes for each in three), within=15)


@virtually
async def test_a_frozen_leader_does_not_write_when_it_resumes() -> None:
    chance = random.Random(5)  # noqa: S311
    lease = MemoryLease()
    both = [Candidate("a", lease), Candidate("b", lease)]
    for _ in range(50):
        await until(lambda: any(each.writes for each in both), within=15)
        await asyncio.sleep(chance.uniform(0, 4))
        leader = next(each for each in both if each.writes)
        leader.frost.freeze()
        await asyncio.sleep(chance.uniform(7, 30))
        leader.frost.thaw()
        for _ in range(40):
            assert sum(each.writes for each in both) <= 1
            await asyncio.sleep(0.05)


@virtually
async def test_without_the_right_there_is_no_election_until_it_is_granted() -> None:
    lease = MemoryLease()
    lease.denied = True
    both = [Candidate("a", lease), Candidate("b", lease)]
    await until(lambda: all(each.writes for each in both), within=1)
    assert all("every replica writes" in each.election.problem for each in both)
    lease.denied = False
    await asyncio.sleep(40)
    assert sum(each.writes for each in both) == 1
    assert all(each.election.problem == "" for each in both)


@virtually
async def test_a_right_that_is_taken_away_later_makes_nobody_write_twice() -> None:
    lease = MemoryLease()
    both = [Candidate("a", lease), Candidate("b", lease)]
    await asyncio.sleep(5)
    lease.denied = True
    for _ in range(400):
        assert sum(each.writes for each in both) <= 1
        await asyncio.sleep(0.1)
    assert all("forbidden" in each.election.problem for each in both)
    lease.denied = False
    await until(lambda: any(each.writes for each in both), within=15)


@virtually
async def test_a_lease_of_the_same_name_with_another_owner_is_waited_for() -> None:
    lease = MemoryLease()
    first = Candidate("another tool", lease)
    await until(lambda: first.writes, within=1)
    second = Candidate("b", lease)
    await asyncio.sleep(60)
    assert not second.writes
    await first.kill()
    await until(lambda: second.writes, within=15)
