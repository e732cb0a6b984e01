"""Events in memory, kept by their name as the API server keeps them."""

from syncer.errors import ClusterError
from syncer.interfaces import Event


class MemoryEvents:
    """`syncer.interfaces.Events` of one replica. While `fault` is set, writing raises it."""

    def __init__(self) -> None:
        self.written: dict[str, Event] = {}
        self.writes: list[Event] = []
        self.fault: ClusterError | None = None

    async def write(self, event: Event) -> None:
        if self.fault is not None:
            raise self.fault
        self.writes.append(event)
        self.written[f"{event.node}.{event.name}"] = event

    def of(self, node: str = "") -> dict[str, str]:
        """What is told of a Node, or of our own Deployment: reason and last message."""
        return {event.reason: event.message for event in self.written.values() if event.node == node}
