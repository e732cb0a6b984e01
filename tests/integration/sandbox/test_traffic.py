import asyncio
import socket

from sandbox.loopback import Address
from sandbox.traffic import Record, send


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readline()
    writer.write(b"HTTP/1.1 200 OK\r\nX-Served-By: node-1\r\nContent-Length: 0\r\n\r\n")
    writer.close()


def test_each_connection_is_recorded_with_who_served_it_or_why_it_failed() -> None:
    async def scenario() -> tuple[Record, Address, Address]:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        open_ = Address("127.0.0.1", server.sockets[0].getsockname()[1])
        with socket.create_server(("127.0.0.1", 0)) as held:
            closed = Address("127.0.0.1", held.getsockname()[1])
        record = Record()
        await send([open_, closed], rate=50, seconds=0.4, record=record, stop=asyncio.Event())
        server.close()
        return record, open_, closed

    record, open_, closed = asyncio.run(scenario())
    assert record.count(open_) == record.count(closed) == 20
    assert record.served_by(open_) == {"node-1": 20}
    assert {failure.address for failure in record.failures} == {closed}
    assert len(record.failures) == 20


def test_it_stops_when_it_is_told_to() -> None:
    async def scenario() -> Record:
        stop, record = asyncio.Event(), Record()
        asyncio.get_running_loop().call_later(0.1, stop.set)
        async with asyncio.timeout(5):
            await send([Address("127.0.0.1", 1)], rate=50, seconds=60, record=record, stop=stop)
        return record

    assert 1 <= len(asyncio.run(scenario()).requests) <= 10
