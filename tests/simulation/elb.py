"""The AWS side of one replica: calls that take time, may fail, and are seen by whoever watches over them."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from syncer.errors import AwsError, NotLeaderError
from syncer.model import Target, TargetGroupArn, TargetHealth
from tests.simulation.cloud import WRITES, MemoryCloud
from tests.simulation.frost import Frost


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """One call of one replica, as it was begun, by the loop's time. `asked`: before a frost in between."""

    operation: str
    group: TargetGroupArn
    targets: tuple[Target, ...]
    at: float
    asked: float


# What AWS does with the targets of a call; a read returns its answer, a list.
Effect = Callable[[tuple[Target, ...]], object]


class Witness(Protocol):
    """Sees every call of one replica on its way to AWS and back."""

    def begins(self, call: Call) -> None:
        """The replica lets it through; nothing has been sent."""

    def takes_effect(self, call: Call, healths: Sequence[TargetHealth]) -> None:
        """AWS has carried it out; `healths` is the answer of a describe."""

    def ends(self, call: Call, error: AwsError | None) -> None:
        """The replica has the answer, or knows that there is none."""


class MemoryElb:
    """`syncer.interfaces.Elb` of one replica. `faults` are raised, one a call, before the call takes effect.

    `broken` are raised by every call of that kind until taken away. `lost` calls take effect, and their
    answer is lost. `begun` says when a write was let through, `arrived` when it reached AWS.
    """

    def __init__(
        self,
        cloud: MemoryCloud,
        frost: Frost | None = None,
        may_write: Callable[[], bool] = lambda: True,
    ) -> None:
        self._cloud = cloud
        self._frost = frost or Frost()
        self._may_write = may_write
        self.witness: Witness | None = None
        self.begun: list[tuple[float, TargetGroupArn]] = []
        self.arrived: list[tuple[float, TargetGroupArn]] = []
        self.faults: list[AwsError] = []
        self.broken: dict[tuple[str, TargetGroupArn], AwsError] = {}
        self.lost: dict[tuple[str, TargetGroupArn], AwsError] = {}
        self.log: list[tuple[float, str, TargetGroupArn, tuple[Target, ...]]] = []

    async def describe(self, group: TargetGroupArn) -> Sequence[TargetHealth]:
        answer: list[TargetHealth] = []

        def read(_: tuple[Target, ...]) -> Sequence[TargetHealth]:
            answer.extend(self._cloud.described(group))
            return answer

        await self._call("describe", group, (), read)
        return answer

    async def target_types(self, groups: Collection[TargetGroupArn]) -> Mapping[TargetGroupArn, str]:
        await self._frost.after(asyncio.sleep(self._cloud.latency))
        return {arn: self._cloud.groups[arn].target_type for arn in groups if arn in self._cloud.groups}

    async def default_port(self, group: TargetGroupArn) -> int:
        await self._call("default_port", group, (), lambda _: self._cloud.group(group))
        return self._cloud.group(group).port

    async def register(self, group: TargetGroupArn, targets: Iterable[Target]) -> None:
        await self._call("register", group, tuple(targets), lambda asked: self._cloud.register(group, asked))

    async def deregister(self, group: TargetGroupArn, targets: Iterable[Target]) -> None:
        await self._call(
            "deregister", group, tuple(targets), lambda asked: self._cloud.deregister(group, asked)
        )

    async def _call(
        self,
        operation: str,
        group: TargetGroupArn,
        targets: tuple[Target, ...],
        effect: Effect,
    ) -> None:
        asked = asyncio.get_running_loop().time()
        await self._frost.passed()
        if operation in WRITES and not self._may_write():
            raise NotLeaderError(operation)
        call = Call(operation, group, targets, asyncio.get_running_loop().time(), asked)
        if operation in WRITES:
            self.begun.append((call.at, group))
        if self.witness:
            self.witness.begins(call)
        try:
            await self._send(call, effect)
        except AwsError as error:
            if self.witness:
                self.witness.ends(call, error)
            raise
        if self.witness:
            self.witness.ends(call, None)

    async def _send(self, call: Call, effect: Effect) -> None:
        # From the check to the wire: a process that is stopped here sends it when it goes on.
        await self._frost.after(asyncio.sleep(0.001))
        self._cloud.calls[call.operation] += 1
        now = asyncio.get_running_loop().time()
        self.log.append((now, call.operation, call.group, call.targets))
        # What is on the wire arrives, also when the process that sent it is killed.
        error = await asyncio.shield(asyncio.create_task(self._wire(call, effect)))
        await self._frost.after(asyncio.sleep(self._cloud.latency / 2))
        if error:
            raise error.with_traceback(None)

    async def _wire(self, call: Call, effect: Effect) -> AwsError | None:
        """The request's way to AWS, and what AWS makes of it."""
        kind = (call.operation, call.group)
        await asyncio.sleep(self._cloud.latency / 2)
        if call.operation in WRITES:
            self.arrived.append((asyncio.get_running_loop().time(), call.group))
        if kind in self.broken:
            return self.broken[kind]
        if self.faults and call.operation in WRITES:
            return self.faults.pop(0)
        try:
            self._cloud.admit(call.operation)
            answer = effect(call.targets)
        except AwsError as error:
            return error
        if self.witness:
            self.witness.takes_effect(call, answer if isinstance(answer, list) else ())
        return self.lost.get(kind)
