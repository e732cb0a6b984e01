"""The bench's own view of the fake AWS: its calls as they come, and what the groups hold after each."""

import http.client
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sandbox.layout import HOST

REGISTER, DEREGISTER, DESCRIBE = "RegisterTargets", "DeregisterTargets", "DescribeTargetHealth"
WRITES = frozenset({REGISTER, DEREGISTER})
BY_HAND = "removed by hand"
_OK = "ok"
_TIMEOUT_S = 10.0


class Call(NamedTuple):
    """One call as the fake noted it; `at` is monotonic, the moment at which it had been read."""

    at: float
    operation: str
    group: str
    targets: tuple[tuple[str, int], ...]
    code: str

    @property
    def write(self) -> bool:
        """Whether it registers or deregisters."""
        return self.operation in WRITES


class CloudClient:
    """The control side of the fake, from any thread."""

    def __init__(self, port: int) -> None:
        self.url = f"http://{HOST}:{port}"
        self._port = port
        self._local = threading.local()

    def reset(
        self,
        groups: Mapping[str, int],
        instances: Mapping[str, str],
        *,
        targets: Mapping[str, Sequence[tuple[str, int]]],
        limited: bool,
        healthy_after: float,
        drain: float,
    ) -> None:
        """Begin anew: empty groups but for `targets` (healthy), no note of any call."""
        self._ask(
            "reset",
            groups=dict(groups),
            instances=dict(instances),
            targets=dict(targets),
            limited=limited,
            healthy_after=healthy_after,
            drain=drain,
        )

    def set(self, **said: Any) -> None:
        """Change `instances` ({id: state}) or the share of calls that is `throttled`."""
        self._ask("set", **said)

    def remove(self, group: str, targets: Sequence[tuple[str, int]]) -> float:
        """Deregister as another hand would; when that was."""
        at: float = self._ask("remove", group=group, targets=list(targets))["at"]
        return at

    def calls(self, since: int, wait: float) -> list[Call]:
        """The calls after the first `since`, as soon as there are any, after `wait` seconds at most."""
        notes = self._ask(f"log?since={since}&wait={wait}")
        return [
            Call(
                note["at"],
                note["operation"],
                note["group"],
                tuple((key[0], key[1]) for key in note["targets"]),
                note["code"],
            )
            for note in notes
        ]

    def ready(self) -> bool:
        """Whether the fake answers."""
        try:
            self._ask("targets")
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Give up this thread's connection."""
        if hasattr(self._local, "connection"):
            self._local.connection.close()
            del self._local.connection

    def _ask(self, path: str, **said: Any) -> Any:
        if not hasattr(self._local, "connection"):
            self._local.connection = http.client.HTTPConnection(HOST, self._port, timeout=_TIMEOUT_S)
        connection: http.client.HTTPConnection = self._local.connection
        try:
            connection.request("POST", f"/_bench/{path}", json.dumps(said).encode())
            return json.loads(connection.getresponse().read())
        except (OSError, http.client.HTTPException):
            self.close()
            raise


@dataclass(slots=True)
class Ledger:
    """What each group holds, replayed from the calls; a target that drains is not held."""

    groups: dict[str, set[tuple[str, int]]]
    calls: list[Call] = field(default_factory=list)

    def take(self, call: Call) -> None:
        """The next call."""
        self.calls.append(call)
        if call.code != _OK:
            return
        if call.operation == REGISTER:
            self.groups[call.group].update(call.targets)
        elif call.operation in {DEREGISTER, BY_HAND}:
            self.groups[call.group].difference_update(call.targets)

    def everywhere(self, instance: str) -> bool:
        """Whether every group holds the instance."""
        return all(any(held == instance for held, _ in group) for group in self.groups.values())

    def nowhere(self, instance: str) -> bool:
        """Whether no group holds the instance."""
        return not any(held == instance for group in self.groups.values() for held, _ in group)

    def holds(self, wanted: frozenset[str]) -> bool:
        """Whether every group holds exactly these instances."""
        return all(
            len(group) == len(wanted) and {held for held, _ in group} == wanted
            for group in self.groups.values()
        )

    def count(
        self,
        counts: Callable[[Call], bool] = lambda _: True,
        since: float = 0.0,
        until: float = float("inf"),
    ) -> int:
        """How many calls there were from one moment to another, those by hand apart."""
        return sum(
            since <= call.at <= until and call.operation != BY_HAND and counts(call) for call in self.calls
        )

    def breakdown(self, since: float, until: float) -> str:
        """The calls of a time by what they were, in words."""
        writes = self.count(lambda call: call.write, since, until)
        describes = self.count(lambda call: call.operation == DESCRIBE, since, until)
        refused = self.count(lambda call: call.code != _OK, since, until)
        return f"{writes} writes, {describes} describes, {refused} of them refused"
