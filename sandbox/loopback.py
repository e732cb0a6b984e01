"""The actual listen address of a simulated (address, port) on this machine.

On Linux, every 127.x.y.z can be bound, so an address stays unchanged. With only 127.0.0.1 (macOS), each pair
gets its own port of 127.0.0.1. If ports below 1024 are not allowed, they move up by 8000: 80 is 8080, 443 is
8443. If another program has a port on all addresses (0.0.0.0), the pair gets another port. The listening
process decides; a file shared by all processes of the sandbox records the exceptions.
"""

import errno
import fcntl
import json
import os
import random
import socket
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from sandbox.layout import FREE_PORTS, HOST, Layout

LOW_PORT_OFFSET = 8000
UDP = "/udp"
_UNUSED = "127.64.0.5"  # in none of the sandbox's subnets
_FIRST_LOW_PORT = 1024  # ip(7), ip_unprivileged_port_start
_ATTEMPTS = 100


class Address(NamedTuple):
    """An actual address and port, to bind or to connect to."""

    ip: str
    port: int

    def __str__(self) -> str:
        return f"{self.ip}:{self.port}"


@dataclass(frozen=True, slots=True)
class Loopback:
    """The mapping of a sandbox. `place` is the same in all processes and after restarts."""

    path: Path
    every_address: bool
    low_ports: bool

    @classmethod
    def of(cls, layout: Layout) -> "Loopback":
        """Probe this machine's abilities; SANDBOX_LOOPBACK=single forces 127.0.0.1 only."""
        single = os.environ.get("SANDBOX_LOOPBACK") == "single"
        return cls(
            path=layout.loopback_map,
            every_address=not single and _can_bind(_UNUSED, 0),
            low_ports=_low_ports_allowed(),
        )

    def place(self, ip: str, port: int, kind: str = "") -> Address:
        """Return the actual address of the simulated `ip`:`port`, for servers and clients.

        `kind` is UDP for datagrams, which have ports of their own.
        """
        name = f"{ip}:{port}{kind}"
        moved = self._recorded().get(name)
        if moved:
            return Address(ip if self.every_address else HOST, moved)
        if self.every_address:
            return Address(ip, self._allowed(port))
        return Address(HOST, self._own_port(name))

    def listen(self, ip: str, port: int, backlog: int = 100) -> socket.socket:
        """Return a listening socket for `ip`:`port`, on another port if in use by a program.

        Raises OSError if the address cannot be bound or no port is free.
        """
        place = self.place(ip, port)
        with self._locked() as ports:
            for candidate in self._candidates(place.port, port, ports):
                try:
                    listening = socket.create_server((place.ip, candidate), backlog=backlog)
                except OSError as error:
                    if error.errno != errno.EADDRINUSE:
                        raise
                    continue
                if candidate != place.port:
                    ports[f"{ip}:{port}"] = candidate
                return listening
        raise OSError(errno.EADDRINUSE, f"no port is free on {place.ip}")

    def bind_datagrams(self, ip: str, port: int) -> socket.socket:
        """Return a UDP socket on the address of `place(ip, port, UDP)`; raises OSError if it is taken."""
        bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            bound.bind(self.place(ip, port, UDP))
        except OSError:
            bound.close()
            raise
        bound.setblocking(False)
        return bound

    def reserve(self, ip: str, port: int) -> Address:
        """Return a free address for a program that itself binds for `ip`:`port`."""
        with self.listen(ip, port) as listening:
            return Address(*listening.getsockname())

    def source(self, ip: str) -> tuple[str, int] | None:
        """Return the local address for connections from `ip`; None if not possible."""
        return (ip, 0) if self.every_address else None

    def _allowed(self, port: int) -> int:
        return port + LOW_PORT_OFFSET if port < _FIRST_LOW_PORT and not self.low_ports else port

    def _candidates(self, first: int, port: int, ports: dict[str, int]) -> Iterable[int]:
        yield first
        if self.every_address and port < _FIRST_LOW_PORT:
            yield port + LOW_PORT_OFFSET
        for _ in range(_ATTEMPTS):
            by_chance = random.choice(FREE_PORTS)  # noqa: S311 - concurrent runs should differ
            if by_chance not in ports.values():
                yield by_chance

    def _own_port(self, name: str) -> int:
        with self._locked() as ports:
            if name not in ports:
                taken, count = set(ports.values()), len(FREE_PORTS)
                start = zlib.crc32(name.encode()) % count
                candidates = (FREE_PORTS[(start + step) % count] for step in range(count))
                ports[name] = next(p for p in candidates if p not in taken and _can_bind(HOST, p))
            return ports[name]

    def _recorded(self) -> dict[str, int]:
        try:
            with self.path.open() as file:
                fcntl.flock(file, fcntl.LOCK_SH)
                text = file.read()
        except FileNotFoundError:
            return {}
        return _parsed(text)

    @contextmanager
    def _locked(self) -> Iterator[dict[str, int]]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            ports = _parsed(file.read())
            before = dict(ports)
            yield ports
            if ports != before:
                file.truncate(0)
                file.write(json.dumps(ports, indent=1))


def _parsed(text: str) -> dict[str, int]:
    """Return the records; empty after the incomplete write of a killed process (later listeners decide)."""
    try:
        return dict(json.loads(text))
    except ValueError:
        return {}


def _can_bind(ip: str, port: int) -> bool:
    try:
        socket.create_server((ip, port)).close()
    except OSError:
        return False
    return True


def _low_ports_allowed() -> bool:
    """Whether ports below 1024 can be bound; a port in use counts as allowed."""
    try:
        socket.create_server((HOST, 1023)).close()
    except OSError as error:
        return error.errno == errno.EADDRINUSE
    return True
