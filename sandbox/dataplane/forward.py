"""Listens on the Elastic IPs and forwards each connection to an allowed target."""

import asyncio
import contextlib
import logging
import random
from dataclasses import dataclass

from sandbox.dataplane.world import Listener, Target, World
from sandbox.loopback import Address, Loopback

log = logging.getLogger("dataplane")

_CHUNK = 65536
_CONNECT_TIMEOUT_S = 10.0  # a client of a real NLB would send SYNs for longer; too long for a sandbox


@dataclass(frozen=True, slots=True)
class Flow:
    """An established connection and its target."""

    target_group: str
    target: Target
    client: asyncio.StreamWriter
    backend: asyncio.StreamWriter

    def cut(self) -> None:
        """Reset both ends, as an NLB does with the flows of a target that turns unhealthy."""
        for end in (self.client, self.backend):
            end.transport.abort()


class Forwarder:
    """The listeners of all load balancers. The target of a connection is chosen once, and never retried."""

    def __init__(self, loopback: Loopback) -> None:
        self._loopback = loopback
        self._world: World | None = None
        self._listeners: dict[Address, Listener] = {}
        self._servers: dict[Address, asyncio.Server] = {}
        self._flows: set[Flow] = set()

    async def follow(self, world: World) -> None:
        """Listen exactly on the listeners of `world`, and cut the flows of targets that turned unhealthy."""
        self._world = world
        self._listeners = {
            Address(item.address, item.port): item for item in world.listeners if "tcp" in item.transports
        }
        for place in self._servers.keys() - self._listeners.keys():
            self._servers.pop(place).close()
            log.info("no longer listening on %s", place)
        for place in self._listeners.keys() - self._servers.keys():
            await self._listen(place)
        for flow in list(self._flows):
            group = world.groups.get(flow.target_group)
            if group and group.cut_unhealthy and group.states.get(flow.target) == "unhealthy":
                flow.cut()

    def close(self) -> None:
        """Stop listening and end all connections."""
        for server in self._servers.values():
            server.close()
        for flow in list(self._flows):
            flow.cut()

    async def _listen(self, place: Address) -> None:
        async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self._accepted(place, reader, writer)

        try:
            listening = self._loopback.listen(*place)
        except OSError as error:
            log.error("cannot listen on %s: %s", place, error.strerror)  # noqa: TRY400  (one line is enough)
            return
        self._servers[place] = await asyncio.start_server(accepted, sock=listening)
        log.info("listening on %s for %s", Address(*listening.getsockname()), place)

    async def _accepted(
        self, place: Address, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            await self._forward(place, reader, writer)
        except Exception as error:  # noqa: BLE001  (a listener survives any error of a connection)
            log.info("connection to %s failed: %r", place, error)
        finally:
            writer.transport.abort()

    async def _forward(
        self, place: Address, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        listener, world = self._listeners.get(place), self._world
        if listener is None or world is None:
            return
        client = str(writer.get_extra_info("peername")[0])
        if not world.admits(listener, client):
            log.info("refused %s on %s: no security group rule of the load balancer allows it", client, place)
            return
        group = listener.choose()
        candidates = world.candidates(listener, group) if group else []
        if group is None or not candidates:
            log.info("refused %s on %s: the target group has no registered target", client, place)
            return
        target = random.choice(candidates)  # noqa: S311  (stands for the flow hash)
        await self._carry(world, listener, (group, target), client, (reader, writer))

    async def _carry(
        self,
        world: World,
        listener: Listener,
        chosen: tuple[str, Target],
        client: str,
        near: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        group, target = chosen
        machine = world.machines[target.id]
        private = listener.balancer.private[listener.zone]
        seen_as = client if world.groups[group].preserve_client_ip else private
        if not world.lets_through(listener.balancer, machine, target.port, seen_as):
            log.info("dropped: no security group rule lets the load balancer reach %s:%d", *_pair(target))
            return
        async with asyncio.timeout(_CONNECT_TIMEOUT_S):
            far_reader, far_writer = await asyncio.open_connection(
                *self._loopback.place(machine.address, target.port),
                local_addr=self._loopback.source(private),
            )
        flow = Flow(group, target, near[1], far_writer)
        self._flows.add(flow)
        try:
            await asyncio.gather(_pump(near[0], far_writer), _pump(far_reader, near[1]))
        finally:
            self._flows.discard(flow)
            far_writer.transport.abort()


def _pair(target: Target) -> tuple[str, int]:
    return target.id, target.port


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Copy until the end, then close only this direction: TCP connections close by halves."""
    with contextlib.suppress(ConnectionError):
        while data := await source.read(_CHUNK):
            sink.write(data)
            await sink.drain()
        if sink.can_write_eof():
            sink.write_eof()
