"""Whether somebody renews the Lease, on virtual time: freshness is a change that is seen, never a clock."""

import asyncio
import random
from dataclasses import replace

import pytest

from syncer.commands.at_work import renewed_by
from syncer.errors import ClusterError
from syncer.interfaces import LeaseRecord
from syncer.reconcile.leader_election import LeaderElection
from tests.simulation.frost import Frost, FrozenClock
from tests.simulation.leases import MemoryLease, MemoryLeases
from tests.simulation.virtual import VirtualClock, virtually


class Leader:
    """A syncer that holds the Lease, until it is stopped, killed or frozen."""

    def __init__(self, lease: MemoryLease) -> None:
        self.frost = Frost()
        clock = FrozenClock(self.frost)
        leases = MemoryLeases(lease, self.frost)
        self.election = LeaderElection(leases, "leader", clock, random.Random(1))  # noqa: S311
        self._task = asyncio.create_task(self.election.run(lambda: None))

    async def kill(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


async def watched(lease: MemoryLease) -> tuple[str | None, float]:
    """Who is seen at work, and after how many seconds it was known."""
    began = asyncio.get_running_loop().time()
    holder = await renewed_by(MemoryLeases(lease, Frost()), VirtualClock())
    return holder, asyncio.get_running_loop().time() - began


@virtually
async def test_a_leader_is_seen_within_seconds() -> None:
    lease = MemoryLease()
    leader = Leader(lease)
    await asyncio.sleep(7.3)
    holder, took = await watched(lease)
    await leader.kill()
    assert holder == "leader"
    assert took < 4


@virtually
async def test_nobody_is_at_work_where_there_is_no_lease_or_it_is_released() -> None:
    lease = MemoryLease()
    assert (await watched(lease))[0] is None
    leader = Leader(lease)
    await asyncio.sleep(5)
    await leader.kill()
    await leader.election.release()
    holder, took = await watched(lease)
    assert holder == ""
    assert took < 1


@virtually
async def test_a_killed_leader_is_not_at_work_once_its_lease_has_run_out() -> None:
    lease = MemoryLease()
    leader = Leader(lease)
    await asyncio.sleep(5)
    await leader.kill()
    holder, took = await watched(lease)
    assert holder == ""
    assert 9 < took < 13


@virtually
async def test_a_leader_whose_clock_is_a_day_off_is_seen_all_the_same() -> None:
    lease = MemoryLease()
    leader = Leader(lease)
    await asyncio.sleep(5)
    assert lease.record is not None
    lease.record = replace(lease.record, renewed=lease.record.renewed - 86_400)
    assert (await watched(lease))[0] == "leader"
    await leader.kill()


@virtually
async def test_the_successor_of_a_leader_that_stops_while_we_watch_is_seen() -> None:
    lease = MemoryLease()
    first = Leader(lease)
    await asyncio.sleep(5)
    await first.kill()
    watching = asyncio.create_task(watched(lease))
    await asyncio.sleep(1.5)
    second = Leader(lease)
    second.election._identity = "successor"
    await first.election.release()
    assert (await watching)[0] == "successor"
    await second.kill()


@virtually
async def test_a_lease_that_would_last_for_an_hour_is_not_waited_for() -> None:
    lease = MemoryLease()
    lease.store(LeaseRecord(holder="other", duration=3600.0, acquired=0.0, renewed=0.0))
    holder, took = await watched(lease)
    assert holder == ""
    assert took < 20


@virtually
async def test_an_api_server_that_does_not_answer_leaves_it_in_doubt() -> None:
    lease = MemoryLease()
    lease.away = True
    with pytest.raises(ClusterError):
        await watched(lease)
