"""The servers at link-local addresses of a node, for Pods: Pod Identity agent, instance metadata.

169.254.170.23 and 169.254.169.254 are not addresses of this machine. Each node listens on its own address
instead, and the kubelet puts the URLs into the environment of Pods.
"""

import asyncio
import datetime as dt
import logging
import secrets
import socket
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

import aiohttp
from aiohttp import web

from sandbox.layout import ACCOUNT, REGION
from sandbox.loopback import Loopback
from sandbox.nodes.cloud import Cloud, RefusedError
from sandbox.nodes.ec2 import Instance

log = logging.getLogger(__name__)

AGENT_PORT: Final = 10170
# The answer to a token request may travel `hop_limit` hops: a Pod is a hop further away than its node.
METADATA_PORTS: Final = {1: 10168, 2: 10169}
_HOPS_OF_POD, _HOPS_OF_NODE = 2, 1
_LOST_S: Final = 60.0
_TTL: Final = range(1, 21_601)  # lifetime of a token in seconds (EC2 user guide, IMDSv2)
_HEADER: Final = "X-aws-ec2-metadata-token"
_ROLE_PATH: Final = "/latest/meta-data/iam/security-credentials/"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The URLs of a node's link-local servers, for a Pod and for the node itself."""

    agent: str
    metadata: str
    metadata_of_node: str


@dataclass(slots=True)
class _Open:
    endpoints: Endpoints
    starting: list[asyncio.Task[web.AppRunner]] = field(default_factory=list)


class LinkLocal:
    """Starts the servers of a node with its first Pod, and closes them after the end of the instance."""

    def __init__(self, cloud: Cloud, loopback: Loopback) -> None:
        self._cloud, self._loopback = cloud, loopback
        self._open: dict[str, _Open] = {}

    def of(self, instance: Instance) -> Endpoints:
        """Return the endpoints of a node; start missing servers."""
        if instance.id not in self._open:
            self._open[instance.id] = self._listen(instance)
        return self._open[instance.id].endpoints

    def keep(self, instance_ids: Collection[str]) -> None:
        """Close the servers of all other instances."""
        for gone in set(self._open) - set(instance_ids):
            one = self._open.pop(gone)
            task = asyncio.get_running_loop().create_task(_close(one))
            task.add_done_callback(lambda task: task.exception())

    async def close(self) -> None:
        """Close all servers."""
        await asyncio.gather(*map(_close, self._open.values()), return_exceptions=True)
        self._open.clear()

    def _listen(self, instance: Instance) -> _Open:
        agent = web.Application()
        agent.router.add_get("/v1/credentials", _Agent(self._cloud).answer)
        tokens: dict[str, float] = {}
        applications = {AGENT_PORT: agent}
        for hops, port in METADATA_PORTS.items():
            applications[port] = _Metadata(self._cloud, instance, hops, tokens).application()
        sockets = {port: self._loopback.listen(instance.ip, port) for port in applications}
        urls = {port: "http://{}:{}".format(*bound.getsockname()) for port, bound in sockets.items()}
        loop = asyncio.get_running_loop()
        return _Open(
            Endpoints(
                urls[AGENT_PORT], urls[METADATA_PORTS[_HOPS_OF_POD]], urls[METADATA_PORTS[_HOPS_OF_NODE]]
            ),
            [loop.create_task(_serve(app, sockets[port])) for port, app in applications.items()],
        )


class _Agent:
    """EKS's Pod Identity agent: forwards a Pod's token to EKS Auth."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    async def answer(self, request: web.Request) -> web.Response:
        """Return the credentials of the Pod whose token is in the request."""
        token = request.headers.get("Authorization", "").strip()
        if not token:
            return web.Response(status=400, text="Service account token cannot be empty\n")
        try:
            found = (await self._cloud.pod_credentials(token))["credentials"]
        except RefusedError as error:
            text = f"[{error.status}]: ({error.code}): {error.message}, fault: client\n"
            return web.Response(status=error.status, text=text)
        except (aiohttp.ClientError, TimeoutError) as error:
            return web.Response(status=500, text=f"{type(error).__name__}\n")
        expires = dt.datetime.fromtimestamp(float(found["expiration"]), dt.UTC)
        return web.json_response(
            {
                "AccessKeyId": found["accessKeyId"],
                "SecretAccessKey": found["secretAccessKey"],
                "Token": found["sessionToken"],
                "AccountId": ACCOUNT,
                "Expiration": expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
            }
        )


class _Metadata:
    """The instance metadata of a node (IMDSv2), at a distance of `hops` hops."""

    def __init__(self, cloud: Cloud, instance: Instance, hops: int, tokens: dict[str, float]) -> None:
        self._cloud, self._instance, self._hops, self._tokens = cloud, instance, hops, tokens

    def application(self) -> web.Application:
        """Return the routes."""
        made = web.Application()
        made.router.add_put("/latest/api/token", self._token)
        made.router.add_get("/latest/{path:.*}", self._read)
        return made

    async def _token(self, request: web.Request) -> web.Response:
        ttl = request.headers.get("X-aws-ec2-metadata-token-ttl-seconds", "")
        options = await self._cloud.instance(self._instance.id)
        if self._hops > options["hop_limit"]:
            await asyncio.sleep(_LOST_S)  # the answer's packets are dropped on the way
            raise web.HTTPGatewayTimeout
        if not ttl.isdecimal() or int(ttl) not in _TTL:
            return web.Response(status=400, text="Bad Request")
        token = secrets.token_urlsafe(42)
        self._tokens[token] = time.monotonic() + int(ttl)
        return web.Response(text=token, headers={"X-aws-ec2-metadata-token-ttl-seconds": ttl})

    async def _read(self, request: web.Request) -> web.Response:
        options = await self._cloud.instance(self._instance.id)
        token = request.headers.get(_HEADER)
        if self._tokens.get(token or "", 0.0) < time.monotonic() and (
            token or options["tokens"] != "optional"
        ):
            return web.Response(status=401, text="Unauthorized")
        role = options["role"]
        if request.path == f"{_ROLE_PATH}{role}":
            return web.json_response(await self._cloud.instance_credentials(self._instance.id))
        known = {
            "/latest/meta-data/instance-id": self._instance.id,
            "/latest/meta-data/instance-type": self._instance.type,
            "/latest/meta-data/local-ipv4": self._instance.ip,
            "/latest/meta-data/placement/availability-zone": self._instance.zone,
            "/latest/meta-data/placement/region": REGION,
            **({_ROLE_PATH: role, _ROLE_PATH.rstrip("/"): role} if role else {}),
        }
        if request.path not in known:
            return web.Response(status=404, text="Not Found")
        return web.Response(text=known[request.path])


async def _serve(application: web.Application, bound: socket.socket) -> web.AppRunner:
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    await web.SockSite(runner, bound).start()
    return runner


async def _close(one: _Open) -> None:
    for runner in await asyncio.gather(*one.starting):
        await runner.cleanup()
