"""Where a simulated (address, port) really listens on this machine.

On Linux every 127.x.y.z answers, so an address stands for itself.
Where only 127.0.0.1 does (macOS), each pair gets a port of its own there, kept in a file that all processes
of the sandbox share. Where ports below 1024 may not be bound, they move up by 8000: 80 is 8080, 443 is 8443.
"""

import errno
import fcntl
import json
import os
import socket
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from sandbox.layout import HOST, Layout

LOW_PORT_OFFSET = 8000
_UNUSED = "127.64.0.5"  # in none of the sandbox's subnets
_FIRST_LOW_PORT = 1024  # ip(7), ip_unprivileged_port_start
_SINGLE_FIRST, _SINGLE_COUNT = 21000, 9000  # clear of the layout's own ports and of NodePorts (30000-32767)


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
        if port < _FIRST_LOW_PORT and not self.low_ports:
            port += LOW_PORT_OFFSET
        if self.every_address:
            return Address(ip, port)
        return Address(HOST, self._own_port(f"{ip}:{port}"))

    def taken(self, port: int) -> bool:
        """Whether a program that listens on all of this machine's addresses keeps everybody from `port`."""
        return not _can_bind(*(self.place(_UNUSED, port) if self.every_address else (HOST, port)))

    def source(self, ip: str) -> tuple[str, int] | None:
        """What to bind a connection's near end to, so that it comes from `ip`; None where it cannot."""
        return (ip, 0) if self.every_address else None

    def _own_port(self, name: str) -> int:
        with self._locked() as ports:
            if name not in ports:
                taken = set(ports.values())
                start = zlib.crc32(name.encode()) % _SINGLE_COUNT
                candidates = (_SINGLE_FIRST + (start + step) % _SINGLE_COUNT for step in range(_SINGLE_COUNT))
                ports[name] = next(p for p in candidates if p not in taken and _can_bind(HOST, p))
            return ports[name]

    @contextmanager
    def _locked(self) -> Iterator[dict[str, int]]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            text = file.read()
            ports: dict[str, int] = json.loads(text) if text else {}
            before = dict(ports)
            yield ports
            if ports != before:
                file.truncate(0)
                file.write(json.dumps(ports, indent=1))


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
