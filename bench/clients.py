"""Clients that load an HTTP port from a separate process: `python -m bench.clients PORT KIND=COUNT…`.

Kinds: `silent` clients send no byte and are renewed every 5 s, `idle` clients send no byte and reconnect
whenever they are closed, `dripping` clients send a head byte by byte, `readers` fetch /status repeatedly, and
`slow` clients fetch /status and read 4 KB every 0.1 s. Prints a line once all clients are connected; ends
with standard input.
"""

import asyncio
import contextlib
import http.client
import json
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass

HOST = "127.0.0.1"
_GET_STATUS = b"GET /status HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
_RENEWED_S = 5.0
_PAUSE_S = 0.5
_GONE = (OSError, asyncio.IncompleteReadError)
_Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, slots=True)
class Probed:
    """The result of a probe: seconds until the whole response, and the status (0 without a response)."""

    seconds: float
    status: int


@contextlib.contextmanager
def crowd(port: int, **kinds: int) -> Iterator[None]:
    """Run the given number of clients per kind during the block; all are connected at the start."""
    words = [sys.executable, "-m", "bench.clients", str(port), *(f"{kind}={n}" for kind, n in kinds.items())]
    with subprocess.Popen(  # noqa: S603 (this module)
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        try:
            assert process.stdout is not None  # noqa: S101 (for the type checker)
            process.stdout.readline()
            yield
        finally:
            process.kill()


def probe(port: int, path: str, seconds: float, every: float, patience: float = 2.0) -> list[Probed]:
    """Probe `path` for `seconds` as a kubelet does, with a new connection per probe."""
    found = []
    ends = time.monotonic() + seconds
    while (began := time.monotonic()) < ends:
        connection = http.client.HTTPConnection(HOST, port, timeout=patience)
        try:
            connection.request("GET", path)
            with connection.getresponse() as answer:
                answer.read()
                status = answer.status
        except (OSError, http.client.HTTPException):
            status = 0
        finally:
            connection.close()
        found.append(Probed(time.monotonic() - began, status))
        time.sleep(max(0.0, began + every - time.monotonic()))
    return found


def percentile(found: list[Probed], share: float) -> float:
    """Return the latency, in seconds, within which `share` of the probes were answered."""
    times = sorted(each.seconds if each.status else float("inf") for each in found)
    return times[min(len(times) - 1, int(share * len(times)))]


async def _main(port: int, kinds: Mapping[str, int]) -> None:
    there = asyncio.Barrier(sum(kinds.values()) + 1)
    async with asyncio.TaskGroup() as tasks:
        for kind, count in kinds.items():
            for _ in range(count):
                tasks.create_task(_again_and_again(_KINDS[kind], port, there))
        await there.wait()
        sys.stdout.write(json.dumps(kinds) + "\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)
        raise KeyboardInterrupt


async def _again_and_again(
    act: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    port: int,
    there: asyncio.Barrier,
) -> None:
    first = True
    while True:
        try:
            reader, writer = await asyncio.open_connection(HOST, port, limit=4096)
        except OSError:
            await asyncio.sleep(_PAUSE_S)
            continue
        if first:
            await there.wait()
            first = False
        with contextlib.suppress(*_GONE):
            await act(reader, writer)
        writer.transport.abort()


async def _silent(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(_RENEWED_S)


async def _idle(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    await asyncio.sleep(_PAUSE_S)


async def _dripping(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for byte in b"GET /healthz HTTP/1.1\r\nX-Long: " + b"a" * 10_000:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.1)


async def _readers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(_GET_STATUS)
    while await reader.read(65536):
        pass


async def _slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(_GET_STATUS)
    while await reader.read(4096):  # noqa: ASYNC110 (slow on purpose)
        await asyncio.sleep(0.1)


_KINDS = {"silent": _silent, "idle": _idle, "dripping": _dripping, "readers": _readers, "slow": _slow}

if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        pairs = (word.partition("=") for word in sys.argv[2:])
        asyncio.run(_main(int(sys.argv[1]), {kind: int(count) for kind, _, count in pairs}))
