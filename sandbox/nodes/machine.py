"""The server behind a node's NodePorts: a small HTTP server on the machine's own loopback address."""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from sandbox.loopback import Loopback
from sandbox.nodes.datagrams import Echo
from sandbox.nodes.ingress import EntryPoint

log = logging.getLogger(__name__)

_BACKLOG = 256
_HEAD_LIMIT = 16 * 1024


@dataclass(slots=True)
class Counts:
    """The requests served by a machine since its start."""

    connections: int = 0
    open: int = 0
    requests: int = 0


class Machine:
    """A node machine: `serve` NodePorts, `freeze` for a power cut, `switch_off` for good.

    With `pings_ok` false, `/ping` answers 503, as an ingress controller that is not ready does; a Service
    with externalTrafficPolicy Local then has no endpoint here. `leaving` fails the node's check.
    """

    def __init__(self, name: str, ip: str, zone: str, loopback: Loopback, tls: ssl.SSLContext) -> None:
        self.name, self.ip, self.zone = name, ip, zone
        self.pings_ok = True
        self.leaving = False
        self.frozen = False
        self.counts = Counts()
        self._loopback = loopback
        self._tls = tls
        self._entries: dict[int, EntryPoint] = {}
        self._ports: dict[tuple[int, bool], _Listener] = {}
        self._echoes: dict[int, Echo] = {}
        self._local: set[int] = set()
        self._connections: set[_Connection] = set()

    def echo(self, ports: Mapping[int, bool]) -> bool:
        """Answer datagrams on exactly `ports` (True: of a Service with the policy Local); as `serve`."""
        self._local = {port for port, local in ports.items() if local}
        for port in self._echoes.keys() - ports.keys():
            self._echoes.pop(port).close()
        for port in ports.keys() - self._echoes.keys():

            def serving(port: int = port) -> bool:
                return not self.frozen and (self.pings_ok or port not in self._local)

            try:
                self._echoes[port] = Echo(self.name, self.ip, port, self._loopback, serving)
            except OSError as error:
                log.warning("%s cannot answer on %s UDP port %d: %s", self.name, self.ip, port, error)
        return ports.keys() == self._echoes.keys()

    def serve(self, ports: Mapping[int, EntryPoint]) -> bool:
        """Listen on exactly `ports` (NodePort -> entry point); false if any port is not available.

        A port with another entry point stays open, as kube-proxy's rules change without a gap.
        """
        self._entries = dict(ports)
        wanted = {(port, entry.tls) for port, entry in ports.items()}
        for key in set(self._ports) - wanted:
            self._ports.pop(key).close()
        for port, tls in wanted - set(self._ports):
            try:
                self._ports[port, tls] = self._listen(port, tls=tls)
            except OSError as error:
                log.warning("%s cannot listen on %s port %d: %s", self.name, self.ip, port, error)
        return wanted == set(self._ports)

    def freeze(self) -> None:
        """Stop accepting, answering and closing connections, so that peers run into timeouts."""
        self.frozen = True
        for listener in self._ports.values():
            listener.pause()
        for connection in self._connections:
            connection.freeze()

    def switch_off(self) -> None:
        """Close all ports and cut all connections."""
        for listener in self._ports.values():
            listener.close()
        self._ports.clear()
        self.echo({})
        for connection in list(self._connections):
            connection.cut()

    def _listen(self, port: int, *, tls: bool) -> "_Listener":
        return _Listener(
            self._loopback.listen(self.ip, port, _BACKLOG),
            self._tls if tls else None,
            lambda: _Connection(self, port, self._entries[port]),
            lambda: port not in self._entries or (self._entries[port].local and not self.pings_ok),
        )

    def _answer(self, path: str, host: str, port: int, entry: EntryPoint) -> tuple[int, str]:
        self.counts.requests += 1
        served = f"served by {self.name} in {self.zone} on port {port}\n"
        return entry.answer(
            path.partition("?")[0], host, ready=self.pings_ok, served=served, leaving=self.leaving
        )

    def _opened(self, connection: "_Connection") -> None:
        self._connections.add(connection)
        self.counts.connections += 1
        self.counts.open += 1

    def _closed(self, connection: "_Connection") -> None:
        self._connections.discard(connection)
        self.counts.open -= 1


class _Listener:
    """A listening socket that can stop accepting and stay open."""

    def __init__(
        self,
        listening: socket.socket,
        tls: ssl.SSLContext | None,
        protocol: Callable[[], "_Connection"],
        without_endpoint: Callable[[], bool],
    ) -> None:
        listening.setblocking(False)
        self._socket = listening
        self._tls = tls
        self._protocol = protocol
        self._without_endpoint = without_endpoint
        self._handshakes: set[asyncio.Task[None]] = set()
        self._accepting = asyncio.get_running_loop().create_task(self._accept())

    def pause(self) -> None:
        self._accepting.cancel()
        for handshake in self._handshakes:
            handshake.cancel()

    def close(self) -> None:
        self.pause()
        self._socket.close()

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                accepted, _ = await loop.sock_accept(self._socket)
            except OSError as error:  # e.g. no free descriptors: temporary
                log.warning("accept: %s", error)
                await asyncio.sleep(0.1)
                continue
            task = loop.create_task(self._greet(accepted))
            self._handshakes.add(task)
            task.add_done_callback(self._handshakes.discard)

    async def _greet(self, accepted: socket.socket) -> None:
        if self._without_endpoint():  # kube-proxy drops the packets, which would cost the client a timeout
            accepted.close()
            return
        loop = asyncio.get_running_loop()
        try:
            await loop.connect_accepted_socket(self._protocol, accepted, ssl=self._tls)
        except (OSError, ssl.SSLError):  # a TCP-only health check ends the handshake like this
            with contextlib.suppress(OSError):
                accepted.close()


@dataclass(slots=True, eq=False)
class _Connection(asyncio.Protocol):
    """An HTTP/1.1 connection, kept alive until closed by the client or by `Connection: close`."""

    machine: Machine
    port: int
    entry: EntryPoint
    _transport: asyncio.Transport | None = None
    _pending: bytearray = field(default_factory=bytearray)
    _body_left: int = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._transport = transport
        self.machine._opened(self)  # noqa: SLF001 (two halves of one server)
        if self.machine.frozen:
            self.freeze()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio.Protocol)
        self.machine._closed(self)  # noqa: SLF001

    def freeze(self) -> None:
        if self._transport:
            self._transport.pause_reading()

    def cut(self) -> None:
        if self._transport:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        if self.machine.frozen:
            return
        self._pending += data
        while self._skip_body() and (end := self._pending.find(b"\r\n\r\n")) >= 0:
            head = self._pending[:end].decode("latin-1")
            del self._pending[: end + 4]
            self._respond(head)
        if len(self._pending) > _HEAD_LIMIT:
            self.cut()

    def _skip_body(self) -> bool:
        skipped = min(self._body_left, len(self._pending))
        del self._pending[:skipped]
        self._body_left -= skipped
        return self._body_left == 0

    def _respond(self, head: str) -> None:
        request, *lines = head.split("\r\n")
        method, path, version = [*request.split(" "), "", "", ""][:3]
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = headers.get("content-length", "0")
        self._body_left = int(length) if length.isdecimal() else 0
        asked = headers.get("connection", "").lower()
        keep = asked == "keep-alive" if version == "HTTP/1.0" else asked != "close"
        status, text = self.machine._answer(path or "/", headers.get("host", ""), self.port, self.entry)  # noqa: SLF001
        self._write(status, text.encode(), keep=keep, with_body=method != "HEAD")

    def _write(self, status: int, body: bytes, *, keep: bool, with_body: bool) -> None:
        phrase = HTTPStatus(status).phrase
        head = (
            f"HTTP/1.1 {status} {phrase}\r\nServer: sandbox-node\r\nX-Served-By: {self.machine.name}\r\n"
            f"Content-Type: text/plain; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
            f"Connection: {'keep-alive' if keep else 'close'}\r\n\r\n"
        )
        if self._transport:
            self._transport.write(head.encode() + (body if with_body else b""))
            if not keep:
                self._transport.close()
