"""Forwards UDP datagrams from the Elastic IPs to targets, by flow.

A flow is the client's address and port on a listener (source, destination, protocol: the 5-tuple). Its
target stays the same until the flow is idle for 120 s, which AWS does not let users change, or until the
target is deregistered or has no machine.
"""

import asyncio
import logging
import random
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sandbox.dataplane.world import Listener, Target, World
from sandbox.loopback import UDP, Address, Loopback

log = logging.getLogger("dataplane")

IDLE_S = 120.0
_LARGEST = 65535

Client = tuple[str, int]


@dataclass(slots=True)
class _Flow:
    """A client's datagrams on a listener: the target, and the socket that the target answers."""

    target_group: str
    target: Target
    backend: socket.socket
    used_at: float


@dataclass(slots=True)
class _Port:
    """A listener's socket and its flows by client."""

    front: socket.socket
    flows: dict[Client, _Flow] = field(default_factory=dict)


class DatagramForwarder:
    """The UDP side of all listeners. The target of a flow is chosen once."""

    def __init__(self, loopback: Loopback, clock: Callable[[], float] = time.monotonic) -> None:
        self._loopback = loopback
        self._clock = clock
        self._world: World | None = None
        self._listeners: dict[Address, Listener] = {}
        self._ports: dict[Address, _Port] = {}

    async def follow(self, world: World) -> None:
        """Listen exactly on the UDP listeners of `world`, and end idle flows and those of gone targets."""
        self._world = world
        self._listeners = {
            Address(item.address, item.port): item for item in world.listeners if "udp" in item.transports
        }
        for place in self._ports.keys() - self._listeners.keys():
            self._close(self._ports.pop(place))
        for place in self._listeners.keys() - self._ports.keys():
            self._listen(place)
        for port in self._ports.values():
            self._sweep(world, port)

    def close(self) -> None:
        """Close all sockets."""
        for port in self._ports.values():
            self._close(port)
        self._ports.clear()

    def _listen(self, place: Address) -> None:
        try:
            front = self._loopback.bind_datagrams(*place)
        except OSError as error:
            log.error("cannot receive datagrams on %s: %s", place, error.strerror)  # noqa: TRY400
            return
        self._ports[place] = _Port(front)
        asyncio.get_running_loop().add_reader(front, self._received, place)
        log.info("receiving datagrams on %s", place)

    def _received(self, place: Address) -> None:
        port = self._ports[place]
        try:
            data, client = port.front.recvfrom(_LARGEST)
        except OSError:
            return
        flow = port.flows.get(client) or self._open(place, port, client)
        if flow is not None:
            flow.used_at = self._clock()
            _send(flow.backend, data)

    def _open(self, place: Address, port: _Port, client: Client) -> _Flow | None:
        """Choose a target; None where the security groups or the group have none: the datagram is lost."""
        listener, world = self._listeners[place], self._world
        if world is None or not world.admits(listener, client[0], "udp"):
            log.info("dropped a datagram of %s on %s: no security group rule admits it", client[0], place)
            return None
        group = listener.choose()
        candidates = world.candidates(listener, group) if group else []
        if group is None or not candidates:
            return None
        target = random.choice(candidates)  # noqa: S311  (stands for the flow hash)
        machine = world.machines[target.id]
        # Client IP preservation cannot be turned off for UDP.
        if not world.lets_through(listener.balancer, machine, target.port, client[0], "udp"):
            log.info("dropped a datagram: no security group rule lets it reach %s:%d", target.id, target.port)
            return None
        backend = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        backend.setblocking(False)
        if source := self._loopback.source(listener.balancer.private[listener.zone]):
            backend.bind(source)
        backend.connect(self._loopback.place(machine.address, target.port, UDP))
        flow = port.flows[client] = _Flow(group, target, backend, self._clock())
        asyncio.get_running_loop().add_reader(backend, self._answered, port, client, flow)
        return flow

    def _answered(self, port: _Port, client: Client, flow: _Flow) -> None:
        try:
            data = flow.backend.recv(_LARGEST)
        except OSError:  # an ICMP message: the port is closed
            return
        flow.used_at = self._clock()
        try:
            port.front.sendto(data, client)
        except OSError as error:
            log.info("lost an answer to %s: %s", client[0], error.strerror)

    def _sweep(self, world: World, port: _Port) -> None:
        for client, flow in list(port.flows.items()):
            idle = self._clock() - flow.used_at > IDLE_S
            group = world.groups.get(flow.target_group)
            if (
                idle
                or group is None
                or flow.target not in group.states
                or flow.target.id not in world.machines
            ):
                _end(port.flows.pop(client))

    def _close(self, port: _Port) -> None:
        asyncio.get_running_loop().remove_reader(port.front)
        port.front.close()
        for flow in port.flows.values():
            _end(flow)


def _end(flow: _Flow) -> None:
    asyncio.get_running_loop().remove_reader(flow.backend)
    flow.backend.close()


def _send(backend: socket.socket, data: bytes) -> None:
    try:
        backend.send(data)
    except OSError as error:  # as of an earlier datagram: the port was closed
        log.info("lost a datagram: %s", error.strerror)
