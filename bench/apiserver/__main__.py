"""`python -m bench.apiserver --port N --real PORT --pki DIR`: serve until stopped.

The bench writes to `/_bench/…` in JSON: `reset` with `specimen`, `nodes` and `pool`, and `heartbeats` with
`per_s`, whose answer has the delay in seconds of the heartbeats so far.
"""

import argparse
import asyncio
import contextlib
import json
import ssl
import time
from http import HTTPStatus
from pathlib import Path
from typing import Any

from bench.apiserver import http, nodes
from bench.apiserver.relay import Relay
from bench.apiserver.store import Store
from sandbox import trust
from sandbox.cluster.pki import Pki
from sandbox.layout import HOST

CONTROL = "/_bench/"
_PROBES = frozenset({"/healthz", "/livez", "/readyz"})
_LONGEST_HEAD = 2**20
_ENDED = (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError)


class Server:
    """Serves Nodes from the store, and all other resources from the real API server."""

    def __init__(self, real: int, pki: Pki) -> None:
        self._store = Store()
        self._nodes = nodes.Nodes(self._store)
        self._real = real
        self._pki = pki
        self._beating: asyncio.Task[None] | None = None
        self._late = 0.0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of a connection in order."""
        relay = Relay(self._real, _client_context(self._pki))
        with contextlib.suppress(*_ENDED):
            while True:
                request = await http.read(reader)
                if request.path not in _PROBES and not writer.get_extra_info("peercert"):
                    http.refuse(writer, HTTPStatus.UNAUTHORIZED, "Unauthorized")
                elif request.path == nodes.PATH or request.path.startswith(f"{nodes.PATH}/"):
                    await self._nodes.answer(request, writer)
                elif request.path.startswith(CONTROL):
                    answer = self._control(request.path.removeprefix(CONTROL), request.json())
                    http.answer(writer, [json.dumps(answer).encode()])
                else:
                    await relay.send(request, writer)
        relay.close()
        writer.close()

    def _control(self, what: str, body: dict[str, Any]) -> dict[str, float]:
        if what == "reset":
            self._store.reset(body["specimen"], body["nodes"], body["pool"])
            self._nodes.changed()
        elif what == "heartbeats":
            late, self._late = self._late, 0.0
            if self._beating is not None:
                self._beating.cancel()
            self._beating = asyncio.create_task(self._beat(body["per_s"])) if body["per_s"] else None
            return {"late": late}
        return {}

    async def _beat(self, per_s: float) -> None:
        """Write heartbeats at a fixed rate."""
        due = time.monotonic()
        while True:
            self._store.beat()
            self._nodes.changed()
            due += 1 / per_s
            self._late = max(0.0, time.monotonic() - due)
            await asyncio.sleep(max(0.0, due - time.monotonic()))


def _client_context(pki: Pki) -> ssl.SSLContext:
    """Return the context of an administrator: the real server checks no other client."""
    context, admin = trust.context(pki.ca), pki.pair("admin")
    context.load_cert_chain(admin.certificate, admin.key)
    return context


async def _main(port: int, real: int, pki: Pki) -> None:
    context, own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), pki.pair("serving")
    context.load_cert_chain(own.certificate, own.key)
    context.load_verify_locations(pki.ca)
    context.verify_mode = ssl.CERT_OPTIONAL  # as the real server, which refuses all but the probes later
    server = await asyncio.start_server(Server(real, pki).serve, HOST, port, ssl=context, limit=_LONGEST_HEAD)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.apiserver", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--real", type=int, required=True, help="the port of the real API server")
    parser.add_argument("--pki", type=Path, required=True, help="the directory of the cluster's certificates")
    arguments = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_main(arguments.port, arguments.real, Pki(arguments.pki)))
