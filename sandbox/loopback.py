"""Where a simulated (address, port) really listens on this machine.

On Linux every 127.x.y.z answers, so an address stands for itself.
Where only 127.0.0.1 does (macOS), each pair gets a port of its own there.
Where ports below 1024 may not be bound, they move up by 8000: 80 is 8080, 443 is 8443.
Where another program has a port on every address (0.0.0.0), the pair gets another port.
The listening process decides; a file that all processes of the sandbox share keeps the exceptions.
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
_UNUSED = "127.64.0.5"  # in none of the sandbox's subnets
_FIRST_LOW_PORT = 1024  # ip(7), ip_unprivileged_port_start
_ATTEMPTS = 100


class Address(NamedTuple):
    """An address and a port that can be bound or connected to as they are."""

    ip: str
    port: int

    def __str__(self) -> str:
        return f"{self.ip}:{self.port}"


@dataclass(frozen=True, slots=True)
class Loopback:
    """The mapping of one sandbox. `place` is the same in every process and over restarts."""

    path: Path
    every_address: bool
    low_ports: bool

    @classmethod
    def of(cls, layout: Layout) -> "Loopback":
        """Probe what this machine allows; SANDBOX_LOOPBACK=single asks for 127.0.0.1 only."""
        single = os.environ.get("SANDBOX_LOOPBACK") == "single"
        return cls(
            path=layout.loopback_map,
            every_address=not single and _can_bind(_UNUSED, 0),
            low_ports=_low_ports_allowed(),
        )

    def place(self, ip: str, port: int) -> Address:
        """Where the simulated `ip`:`port` listens, and where its clients connect."""
        moved = self._recorded().get(f"{ip}:{port}")
        if moved:
            return Address(ip if self.every_address else HOST, moved)
        if self.every_address:
            return Address(ip, self._allowed(port))
        return Address(HOST, self._own_port(f"{ip}:{port}"))

    def listen(self, ip: str, port: int, backlog: int = 100) -> socket.socket:
        """A socket that listens for `ip`:`port`, moved to another port where a program has that one.

        Raises OSError where the address cannot be bound or no port is free.
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

    def reserve(self, ip: str, port: int) -> Address:
        """Where a program that binds for itself can listen for `ip`:`port` now."""
        with self.listen(ip, port) as listening:
            return Address(*listening.getsockname())

    def source(self, ip: str) -> tuple[str, int] | None:
        """What to bind a connection's near end to, so that it comes from `ip`; None where it cannot."""
        return (ip, 0) if self.every_address else None

    def _allowed(self, port: int) -> int:
        return port + LOW_PORT_OFFSET if port < _FIRST_LOW_PORT and not self.low_ports else port

    def _candidates(self, first: int, port: int, ports: dict[str, int]) -> Iterable[int]:
        yield first
        if self.every_address and port < _FIRST_LOW_PORT:
            yield port + LOW_PORT_OFFSET
        for _ in range(_ATTEMPTS):
            by_chance = random.choice(FREE_PORTS)  # noqa: S311 - so that two who choose at once do not meet
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
    """The records; none where a process was killed while it wrote them: the next listener decides again."""
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
    """Whether a port below 1024 may be bound; one that is merely in use counts as allowed."""
    try:
        socket.create_server((HOST, 1023)).close()
    except OSError as error:
        return error.errno == errno.EADDRINUSE
    return True
