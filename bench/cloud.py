"""The bench's view of the fake AWS: its calls in order, and the content of the groups after every call."""

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
    """A call recorded by the fake; `at` is the monotonic time at which the request had been read."""

    at: float
    operation: str
    group: str
    targets: tuple[tuple[str, int], ...]
    code: str

    @property
    def write(self) -> bool:
        """Return whether the call registers or deregisters."""
        return self.operation in WRITES


class CloudClient:
    """Client of the fake's control API, usable from any thread."""

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
        """Start afresh: groups empty except for `targets` (healthy), and no recorded calls."""
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
        """Change `instances` ({id: state}) or `throttled`, the refused share of calls."""
        self._ask("set", **said)

    def remove(self, group: str, targets: Sequence[tuple[str, int]]) -> float:
        """Deregister like a conflicting writer; return the time of the removal."""
        at: float = self._ask("remove", group=group, targets=list(targets))["at"]
        return at

    def calls(self, since: int, wait: float) -> list[Call]:
        """Return the calls after the first `since`, as soon as there are any; wait at most `wait` seconds."""
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
        """Return whether the fake answers."""
        try:
            self._ask("targets")
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Close this thread's connection."""
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
    """The content of every group, replayed from the calls, without draining targets."""

    groups: dict[str, set[tuple[str, int]]]
    calls: list[Call] = field(default_factory=list)

    def take(self, call: Call) -> None:
        """Apply the next call."""
        self.calls.append(call)
        if call.code != _OK:
            return
        if call.operation == REGISTER:
            self.groups[call.group].update(call.targets)
        elif call.operation in {DEREGISTER, BY_HAND}:
            self.groups[call.group].difference_update(call.targets)

    def everywhere(self, instance: str) -> bool:
        """Return whether every group holds the instance."""
        return all(any(held == instance for held, _ in group) for group in self.groups.values())

    def nowhere(self, instance: str) -> bool:
        """Return whether no group holds the instance."""
        return not any(held == instance for group in self.groups.values() for held, _ in group)

    def holds(self, wanted: frozenset[str], limit: int | None = None) -> bool:
        """Return whether every group holds exactly these instances, or any of them up to the limit."""
        number = len(wanted) if limit is None else min(limit, len(wanted))
        return all(
            len(group) == number == len(held := {instance for instance, _ in group}) and held <= wanted
            for group in self.groups.values()
        )

    def count(
        self,
        counts: Callable[[Call], bool] = lambda _: True,
        since: float = 0.0,
        until: float = float("inf"),
    ) -> int:
        """Count the calls between two moments, without removals by hand."""
        return sum(
            since <= call.at <= until and call.operation != BY_HAND and counts(call) for call in self.calls
        )

    def breakdown(self, since: float, until: float) -> str:
        """Describe the calls of a period by kind, in words."""
        writes = self.count(lambda call: call.write, since, until)
        describes = self.count(lambda call: call.operation == DESCRIBE, since, until)
        refused = self.count(lambda call: call.code != _OK, since, until)
        return f"{writes} writes, {describes} describes, {refused} of them refused"
