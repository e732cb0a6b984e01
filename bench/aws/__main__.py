"""`python -m bench.aws --port N`: serve until stopped.

AWS's calls are POSTs to `/`. What measures speaks to `/_bench/…` in JSON: `reset`, `set`, `remove`,
`targets`, and `log`, which waits for something new. Both share a clock: a machine has one CLOCK_MONOTONIC.
"""

import argparse
import asyncio
import contextlib
import json
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

from bench.aws.calls import Elb

LATENCY_S = 0.05  # latency of an AWS call, as in the peers' measurements
_HOST = "127.0.0.1"


class Server:
    """HTTP/1.1 with keep-alive on asyncio streams, limited to the features used by SDKs."""

    def __init__(self, latency: float) -> None:
        self.elb = Elb()
        self._latency = latency
        self._news = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of a connection in order."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                target = head.split(" ", 2)[1]
                body = await reader.readexactly(_length(head))
                status, kind, answer = await self._answer(target, body, time.monotonic())
                writer.write(
                    f"HTTP/1.1 {status} {'OK' if status == 200 else 'Refused'}\r\n"  # noqa: PLR2004
                    f"Content-Type: {kind}\r\nContent-Length: {len(answer)}\r\n\r\n".encode()
                )
                writer.write(answer)
                await writer.drain()
        writer.close()

    async def _answer(self, target: str, body: bytes, now: float) -> tuple[int, str, bytes]:
        url = urlsplit(target)
        if url.path.startswith("/_bench/"):
            query = {name: values[0] for name, values in parse_qs(url.query).items()}
            said = json.loads(body) if body else {}
            answer = await self._control(url.path.removeprefix("/_bench/"), query, said, now)
            return 200, "application/json", json.dumps(answer).encode()
        status, answer_body = self.elb.call(body, now)
        self._news.set()
        await asyncio.sleep(now + self._latency - time.monotonic())
        return status, "text/xml", answer_body

    async def _control(self, what: str, query: dict[str, str], said: dict[str, Any], now: float) -> Any:
        cloud = self.elb.cloud
        if what == "log":
            return await self._log(int(query["since"]), float(query["wait"]))
        if what == "reset":
            self.elb.reset(said, now)
        elif what == "set":
            cloud.set_states(said.get("instances", {}), now)
            self.elb.throttled = said.get("throttled", self.elb.throttled)
        elif what == "remove":
            keys = [(one, port) for one, port in said["targets"]]
            cloud.deregister(cloud.groups[said["group"]], keys, now)
            self.elb.note(now, "removed by hand", said["group"], keys)
        elif what == "targets":
            return {
                arn: [[*key, state] for key, state in cloud.states(group, now).items()]
                for arn, group in cloud.groups.items()
            }
        return {"at": now}

    async def _log(self, since: int, wait: float) -> list[dict[str, Any]]:
        """Return the notes after the first `since`, as soon as there are any; wait at most `wait` seconds."""
        if len(self.elb.notes) <= since:
            self._news.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), wait)
        return self.elb.notes[since:]


def _length(head: str) -> int:
    for line in head.split("\r\n"):
        name, _, value = line.partition(":")
        if name.lower() == "content-length":
            return int(value)
    return 0


async def _main(port: int, latency: float) -> None:
    server = await asyncio.start_server(Server(latency).serve, _HOST, port, limit=2**22)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.aws", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--latency", type=float, default=LATENCY_S, help="seconds until a call is answered")
    arguments = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_main(arguments.port, arguments.latency))
