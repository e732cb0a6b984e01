"""Connections move from one target group to another by weight, under traffic, and no request fails."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from sandbox.dataplane.world import World
from tests.integration.dataplane.test_data_plane import ARN, Setting, forwarding

GREEN = f"{ARN}-green"
CONNECTIONS = 50  # a second
REQUESTS = 10  # of each connection: 500 requests a second


@dataclass(slots=True)
class Record:
    """Who answered each request, and what failed; `mixed` connections were answered by several nodes.

    `served` has the time at which the connection of the request was opened: a slow machine ends it late.
    """

    served: list[tuple[float, str]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    mixed: int = 0


async def answer(name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer each line of a connection with the node's name."""
    with contextlib.suppress(OSError):
        while await reader.readline():
            writer.write(f"{name}\n".encode())
            await writer.drain()
    writer.close()


@contextlib.asynccontextmanager
async def nodes(setting: Setting) -> AsyncIterator[None]:
    """The node of each group."""

    async def answered_by(name: str, ip: str) -> asyncio.Server:
        async def answered(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await answer(name, reader, writer)

        return await asyncio.start_server(answered, ip, setting.port)

    servers = [await answered_by("blue", "127.65.1.10"), await answered_by("green", "127.65.2.10")]
    try:
        yield
    finally:
        for server in servers:
            server.close()
            await server.wait_closed()


async def connection(setting: Setting, record: Record) -> None:
    """One connection with some requests, spread over a part of a second."""
    seen, opened = set(), time.monotonic()
    try:
        async with asyncio.timeout(5):
            reader, writer = await asyncio.open_connection("127.65.9.1", setting.listen_port)
            for _ in range(REQUESTS):
                writer.write(b"request\n")
                served = (await reader.readline()).decode().strip()
                assert served, "the connection was closed"
                record.served.append((opened, served))
                seen.add(served)
                await asyncio.sleep(0.02)
            writer.close()
            await writer.wait_closed()
    except (OSError, AssertionError) as error:
        record.failures.append(str(error) or type(error).__name__)
    record.mixed += len(seen) > 1


async def traffic(setting: Setting, record: Record, stop: asyncio.Event) -> None:
    """Open connections at a constant rate until `stop` is set."""
    pending, began, turn = set(), time.monotonic(), 0
    while not stop.is_set():
        task = asyncio.create_task(connection(setting, record))
        pending.add(task)
        task.add_done_callback(pending.discard)
        turn += 1
        await asyncio.sleep(max(0.0, began + turn / CONNECTIONS - time.monotonic()))
    await asyncio.gather(*pending)


def worlds(setting: Setting) -> Iterator[tuple[World, float, float]]:
    """Each step of a replacement, with the bounds of green's share."""
    blue, green = setting.world(b=""), setting.world(a="").groups[ARN]
    groups = {ARN: blue.groups[ARN], GREEN: replace(green, arn=GREEN)}
    balancer = blue.listeners[0].balancer

    def world(**weights: int) -> World:
        weighed = {{"blue": ARN, "green": GREEN}[name]: weight for name, weight in weights.items()}
        return replace(
            blue,
            listeners=tuple(replace(each, target_groups=weighed) for each in blue.listeners),
            groups={arn: groups[arn] for arn in weighed},
            owners=dict.fromkeys(weighed, balancer),
        )

    yield world(blue=1), 0, 0
    yield world(blue=100, green=0), 0, 0
    yield world(blue=90, green=10), 0.01, 0.3
    yield world(blue=50, green=50), 0.3, 0.7
    yield world(blue=0, green=100), 1, 1
    yield world(green=1), 1, 1


def test_blue_gives_way_to_green_without_a_failed_request(tmp_path: Path) -> None:
    setting, record = Setting(tmp_path), Record()

    async def scenario() -> None:
        steps = list(worlds(setting))
        async with nodes(setting), forwarding(setting, steps[0][0]) as forwarder:
            stop = asyncio.Event()
            running = asyncio.create_task(traffic(setting, record, stop))
            for world, low, high in steps:
                await forwarder.follow(world)
                began = time.monotonic()
                await asyncio.sleep(2.5)
                served = Counter(node for opened, node in record.served if opened >= began)
                assert low <= served["green"] / served.total() <= high, (world.listeners, served)
            stop.set()
            await running

    asyncio.run(scenario())
    assert record.failures == []
    assert record.mixed == 0
    assert len(record.served) > 3000


def test_weights_that_are_all_zero_refuse_connections(tmp_path: Path) -> None:
    setting = Setting(tmp_path)
    world = setting.world()
    none = tuple(replace(each, target_groups={ARN: 0}) for each in world.listeners)

    async def scenario() -> None:
        async with nodes(setting), forwarding(setting, replace(world, listeners=none)):
            await setting.get()

    with pytest.raises(ConnectionError):
        asyncio.run(scenario())
