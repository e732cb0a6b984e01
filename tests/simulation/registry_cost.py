"""Cost of the ownership registry for a joining node: `python -m tests.simulation.registry_cost 5000 10`.

The ConfigMaps are in memory and have no size limit. CPU is of the registry alone, without the plan of a group
and without JSON and HTTP.
"""

import asyncio
import json
import sys
import time
from collections.abc import Mapping
from statistics import median

from syncer.clock import SystemClock
from syncer.interfaces import RecordState
from syncer.model import InstanceId, Target, TargetGroupArn
from syncer.reconcile.registry import Registry

_JOINS = 9
_ARN = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup"


class _Records:
    """The ConfigMaps in memory; `written` are the bytes of each patch."""

    def __init__(self) -> None:
        self.states: dict[int, RecordState] = {}
        self.written: list[int] = []

    async def read(self, number: int = 0) -> RecordState | None:
        return self.states.get(number)

    async def write(self, changes: Mapping[str, str | None], version: str, number: int = 0) -> str:
        self.written.append(len(json.dumps(changes)))
        known = self.states[number].values if number in self.states else {}
        kept = {key: text for key, text in {**known, **changes}.items() if text is not None}
        self.states[number] = RecordState(values=kept, version=f"{version}1"[-9:])
        return self.states[number].version

    @property
    def stored(self) -> list[int]:
        """The size of each ConfigMap, in bytes."""
        return [
            sum(len(key) + len(text) for key, text in state.values.items()) for state in self.states.values()
        ]


async def measure(count: int, groups: int) -> str:
    """Return the bytes of a joining node and of the registry, and the CPU of filling, join and load."""
    records = _Records()
    registry = Registry(records, SystemClock())
    arns = [TargetGroupArn(f"{_ARN}/group-{number}/{number:016x}") for number in range(groups)]
    await registry.load(arns)
    owned = {
        arn: frozenset(Target(_instance(each), 30000 + number) for each in range(count))
        for number, arn in enumerate(arns)
    }
    began = time.process_time()
    for arn, targets in owned.items():
        registry.want(arn, targets)
    await registry.save()
    filled = time.process_time() - began
    written, costs = list[int](), list[float]()
    for turn in range(_JOINS):
        new = {arn: {Target(_instance(count + turn), 30000 + number)} for number, arn in enumerate(arns)}
        owned = {arn: targets.union(new[arn]) for arn, targets in owned.items()}
        records.written.clear()
        began = time.process_time()
        for arn, targets in owned.items():
            registry.want(arn, targets)
        await registry.save()
        costs.append(time.process_time() - began)
        written.append(sum(records.written))
    began = time.process_time()
    fresh = Registry(records, SystemClock())
    await fresh.load(arns)
    loaded = time.process_time() - began
    assert all(fresh.ours(arn) == targets for arn, targets in owned.items())
    return (
        f"{count} targets, {groups} groups: a joining node writes {max(written)} bytes and takes "
        f"{median(costs) * 1e3:.1f} ms; {sum(records.stored)} bytes in {len(records.stored)} ConfigMaps; "
        f"filling {filled * 1e3:.0f} ms, loading {loaded * 1e3:.0f} ms of CPU"
    )


def _instance(number: int) -> InstanceId:
    return InstanceId(f"i-{number * 0x9E3779B97F4A7C15 % (1 << 68):017x}")


def main() -> None:
    """Run the measurement for the numbers of targets and groups in the arguments."""
    count, groups = map(int, sys.argv[1:])
    sys.stdout.write(f"{asyncio.run(measure(count, groups))}\n")


if __name__ == "__main__":
    main()
