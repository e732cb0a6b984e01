"""The unix socket between the `sandbox` command and the nodes process: client and server."""

import http.client
import json
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from sandbox.errors import SandboxError
from sandbox.layout import Layout
from sandbox.nodes.fleet import Fleet

_TIMEOUT_S = 15.0


class NodesDownError(SandboxError):
    """The nodes process does not answer; the message contains the remedy."""


def call(layout: Layout, method: str, path: str) -> dict[str, Any]:
    """Call the nodes process; return its answer. Raises NodesDownError, or ValueError with the refusal."""
    connection = _UnixConnection(layout.nodes_socket)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        said: dict[str, Any] = json.loads(answer.read())
    except OSError as error:
        raise NodesDownError("the sandbox's nodes are not running; run `make up`") from error
    finally:
        connection.close()
    if answer.status != http.HTTPStatus.OK:
        raise ValueError(said["error"])
    return said


async def serve(layout: Layout, fleet: Fleet) -> web.AppRunner:
    """Listen on the socket; the caller must call `cleanup` on the returned runner."""

    async def nodes(_: web.Request) -> web.Response:
        return web.json_response({"nodes": [_describe(fleet, name) for name in sorted(fleet.instances)]})

    application = web.Application()
    application.router.add_get("/nodes", nodes)
    for verb, act in {
        "kill": fleet.kill,
        "revive": fleet.revive,
        "pings-fail": lambda name: _set_pings(fleet, name, ok=False),
        "pings-pass": lambda name: _set_pings(fleet, name, ok=True),
    }.items():
        application.router.add_post(f"/nodes/{{name}}/{verb}", _acting(fleet, act))
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    layout.nodes_socket.parent.mkdir(parents=True, exist_ok=True)
    layout.nodes_socket.unlink(missing_ok=True)
    await web.UnixSite(runner, str(layout.nodes_socket)).start()
    return runner


def _acting(fleet: Fleet, act: Callable[[str], None]) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        try:
            act(name)
        except KeyError:
            known = ", ".join(sorted(fleet.instances)) or "none"
            return web.json_response({"error": f"unknown node machine: {name!r}; known: {known}"}, status=404)
        return web.json_response(_describe(fleet, name))

    return handle


def _set_pings(fleet: Fleet, name: str, *, ok: bool) -> None:
    fleet.machines[name].pings_ok = ok


def _describe(fleet: Fleet, name: str) -> dict[str, Any]:
    machine = fleet.machines.get(name)
    counts = machine.counts if machine else None
    return {
        "name": name,
        "instance": fleet.instances[name].id,
        "killed": fleet.killed(name),
        "serving": fleet.alive(name) is not None,
        "connections": counts.connections if counts else 0,
        "open": counts.open if counts else 0,
        "requests": counts.requests if counts else 0,
    }


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=_TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(_TIMEOUT_S)
        self.sock.connect(str(self._path))
