"""HTTP servers of several nodes in one process, with IP:PORT=NAME as arguments."""

import asyncio
import contextlib
import sys


async def answer(name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer each request of a connection with 200 and the node's name."""
    head = f"HTTP/1.1 200 OK\r\nX-Served-By: {name}\r\nContent-Length: 0\r\n\r\n"
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(head.encode())
            await writer.drain()
    writer.close()


async def serve(words: list[str]) -> None:
    """Listen on each address until the process ends."""
    for word in words:
        place, _, name = word.partition("=")
        ip, _, port = place.rpartition(":")

        async def answered(r: asyncio.StreamReader, w: asyncio.StreamWriter, of: str = name) -> None:
            await answer(of, r, w)

        await asyncio.start_server(answered, ip, int(port), backlog=1000)
    sys.stdout.write("listening\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1:]))
