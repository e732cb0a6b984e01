"""Wait until an object is ready or gone; report missing conditions to the engine meanwhile."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from sandbox.plugins.kubernetes import annotations, readiness
from sandbox.plugins.kubernetes.connection import ApiError, Connection

_POLL_S: Final = 0.2
_DELETION_TIMEOUT_S: Final = 600.0  # await.go Deletion
# Kinds without a wait for the deletion under skipAwait (overrides.go allowsSkipAwaitWithDelete)
_SKIPS_DELETION: Final = frozenset(
    {"Namespace", "Pod", "ReplicationController", "DaemonSet", "Deployment", "StatefulSet", "Job"}
)


class NotReadyError(Exception):
    """The object exists but did not become ready; `reasons` are for people, the first is the summary."""

    def __init__(self, reasons: tuple[str, ...]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


@dataclass(frozen=True, slots=True)
class Waiter:
    """Common parts of every wait: the connection, the engine's cancellation, and the progress reports."""

    connection: Connection
    cancelled: threading.Event
    show: Callable[[str], None]

    def ready(self, path: str, inputs: Mapping[str, Any], custom_s: float) -> dict[str, Any]:
        """Return the live object at `path` once ready. Raises NotReadyError."""
        live = self.connection.get(path)
        rule = readiness.rule(live)
        if rule is None or annotations.skips_waiting(inputs):
            return live
        deadline = time.monotonic() + annotations.timeout(inputs, custom_s, rule.timeout_s)
        seen, since, said = None, time.monotonic(), ""
        while True:
            looked = rule.look(self.connection, live)
            if looked.fingerprint != seen:
                seen, since = looked.fingerprint, time.monotonic()
            settled = time.monotonic() - since >= rule.settle_s or not looked.fingerprint
            if looked.ready and settled:
                self.show("")  # clears the status beside the resource
                return live
            name = live["metadata"]["name"]
            if looked.failed:
                raise NotReadyError((f"{name!r} failed to become ready", *looked.problems))
            if time.monotonic() > deadline:
                raise NotReadyError((f"{name!r} timed out waiting to be Ready", *looked.problems))
            said = self._say(said, "; ".join(looked.problems))
            if self.cancelled.wait(_POLL_S):
                raise NotReadyError((f"waiting for {name!r} was cancelled", *looked.problems))
            live = self.connection.get(path)

    def check(self, live: Mapping[str, Any], inputs: Mapping[str, Any]) -> None:
        """Check once during a refresh. Raises NotReadyError."""
        rule = readiness.rule(live)
        if rule is None or annotations.skips_waiting(inputs):
            return
        looked = rule.look(self.connection, live)
        if not looked.ready:
            raise NotReadyError((f"{live['metadata']['name']!r} is not ready", *looked.problems))

    def gone(self, path: str, uid: str, inputs: Mapping[str, Any], custom_s: float) -> None:
        """Return when the object `uid` is no longer at `path`. Raises NotReadyError."""
        if inputs.get("kind") in _SKIPS_DELETION and annotations.skips_waiting(inputs):
            return
        deadline = time.monotonic() + annotations.timeout(inputs, custom_s, _DELETION_TIMEOUT_S)
        said = ""
        while (left := self._still_there(path, uid)) is not None:
            if time.monotonic() > deadline:
                raise NotReadyError((f"timed out waiting for deletion{_held_by(left)}",))
            said = self._say(said, f"waiting for deletion{_held_by(left)}")
            if self.cancelled.wait(_POLL_S):
                raise NotReadyError(("waiting for deletion was cancelled",))
        self.show("")

    def _still_there(self, path: str, uid: str) -> dict[str, Any] | None:
        try:
            live = self.connection.get(path)
        except ApiError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise
        return live if not uid or live["metadata"]["uid"] == uid else None

    def _say(self, said: str, message: str) -> str:
        if message and message != said:
            self.show(message)
        return message


def _held_by(live: Mapping[str, Any]) -> str:
    held = live["metadata"].get("finalizers") or live.get("spec", {}).get("finalizers")
    return f" (finalizers: {', '.join(held)})" if held else ""
