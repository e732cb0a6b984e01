"""Opens new connections at a constant rate to every static IP and records the results of a client."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from sandbox.loopback import Address

_PATIENCE_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A new connection: time (seconds since the epoch), address, serving node or failure."""

    at: float
    address: Address
    served_by: str = ""
    error: str = ""


@dataclass(slots=True)
class Record:
    """All requests of a run, in order of completion."""

    requests: list[Request] = field(default_factory=list)

    @property
    def failures(self) -> list[Request]:
        """Return the requests without a 200."""
        return [request for request in self.requests if request.error]

    def served_by(self, address: Address) -> Counter[str]:
        """Count the requests to `address` by serving node."""
        return Counter(r.served_by for r in self.requests if r.address == address and not r.error)

    def count(self, address: Address) -> int:
        """Count the attempted connections to `address`."""
        return sum(request.address == address for request in self.requests)


async def send(
    addresses: Sequence[Address],
    *,
    rate: float,
    seconds: float,
    record: Record,
    stop: asyncio.Event,
    host: str = "",
) -> None:
    """Open `rate` connections a second to each address until `seconds` are over or `stop` is set.

    The Host header is `host`, or the address. The rate is independent of the answers: a slow answer does not
    delay later connections.
    """
    pending: set[asyncio.Task[None]] = set()
    began = time.monotonic()
    turn = 0
    while (due := turn / rate) < seconds and not stop.is_set():
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, began + due - time.monotonic())):
                await stop.wait()
        for address in addresses:
            task = asyncio.create_task(_one(address, record, host or address.ip))
            pending.add(task)
            task.add_done_callback(pending.discard)
        turn += 1
    if pending:
        await asyncio.wait(pending)


async def _one(address: Address, record: Record, host: str) -> None:
    at = time.time()
    try:
        async with asyncio.timeout(_PATIENCE_S):
            record.requests.append(Request(at=at, address=address, served_by=await _get(address, host)))
    except (OSError, ValueError) as error:
        record.requests.append(Request(at=at, address=address, error=str(error) or type(error).__name__))


async def _get(address: Address, host: str) -> str:
    """Return X-Served-By of `GET /`. Raises OSError or ValueError for anything but a 200."""
    reader, writer = await asyncio.open_connection(*address)
    try:
        writer.write(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        answer = (await reader.read()).decode(errors="replace")
    finally:
        writer.close()
    head = answer.partition("\r\n\r\n")[0].split("\r\n")
    if " 200" not in head[0]:
        raise ValueError(f"response: {head[0] or 'empty'}")
    served = [line.partition(":")[2].strip() for line in head if line.lower().startswith("x-served-by:")]
    return served[0] if served else ""
