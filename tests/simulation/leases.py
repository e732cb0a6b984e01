"""A Lease in memory that keeps the API server's rule: an update must name the newest version."""

import asyncio
from dataclasses import replace

from syncer.errors import ClusterError, ConflictError, DeniedError
from syncer.interfaces import LeaseRecord
from tests.simulation.frost import Frost


class MemoryLease:
    """What the API server holds."""

    def __init__(self) -> None:
        self.record: LeaseRecord | None = None
        self.away = False
        self.denied = False
        self.latency = 0.01
        self._version = 0

    @property
    def holder(self) -> str:
        """Who holds it; "" where nobody does."""
        return self.record.holder if self.record else ""

    def store(self, record: LeaseRecord) -> LeaseRecord:
        """Keep it, if it is the version that is there."""
        known = self.record.version if self.record else ""
        if record.version != known:
            raise ConflictError("the object has been modified")
        self._version += 1
        self.record = replace(record, version=str(self._version))
        return self.record


class MemoryLeases:
    """`syncer.interfaces.Leases` of one replica."""

    def __init__(self, lease: MemoryLease, frost: Frost) -> None:
        self._lease = lease
        self._frost = frost
        self.cut = False

    async def read(self) -> LeaseRecord | None:
        await self._frost.after(asyncio.sleep(self._lease.latency / 2))
        self._check()
        record = self._lease.record
        await self._frost.after(asyncio.sleep(self._lease.latency / 2))
        return record

    async def write(self, record: LeaseRecord) -> LeaseRecord:
        await asyncio.sleep(self._lease.latency / 2)  # on the wire: a frozen process does not hold it up
        await self._frost.passed()
        self._check()
        stored = self._lease.store(record)
        await self._frost.after(asyncio.sleep(self._lease.latency / 2))
        return stored

    def _check(self) -> None:
        if self._lease.denied:
            raise DeniedError("leases.coordination.k8s.io is forbidden")
        if self.cut or self._lease.away:
            raise ClusterError("no answer")
