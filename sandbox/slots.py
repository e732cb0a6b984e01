"""Assigns ports and loopback addresses to each sandbox of this machine, separate from all other programs.

The machine has a fixed number of slots: 16 ports and a 127.x.0.0/15 for each slot. The listening socket of
the slot's first port, the simulated AWS's, is the claim: the kernel gives the socket to a single process,
`make up` passes the socket to the cloud process without a gap, and the claim ends with any end of this
process.
"""

import socket
import zlib
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from sandbox.errors import SandboxError
from sandbox.layout import HOST, PORTS, Layout

_FIRST_PORT: Final = 18_000
_PORTS_EACH: Final = 16
_BLOCKS: Final = range(66, 254, 2)  # outside of 127.0.0.0/16, the machine's own, and the tests' networks
_LOCAL_PORTS: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")  # ip(7)
_LOCAL_PORTS_ELSEWHERE: Final = range(49_152, 65_536)  # RFC 6335, macOS


def claim(stored: Layout) -> tuple[Layout, socket.socket]:
    """Choose a slot, preferably the stored slot; return the slot and its socket.

    Raises SandboxError if no slot is free.
    """
    for layout in _in_order(stored):
        held = _hold(layout)
        if held:
            return layout, held
    last = _FIRST_PORT + len(_BLOCKS) * _PORTS_EACH - 1
    raise SandboxError(
        f"no free ports for a sandbox: each group of {_PORTS_EACH} between {_FIRST_PORT} and {last} has one "
        "that is taken; stop a program that listens there, or run `make down` in another clone"
    )


def _in_order(stored: Layout) -> list[Layout]:
    """Return all slots: the stored slot first, then from a start by directory, so that clones differ.

    Slots in the kernel's range of client ports come last, because any connection may take such a port.
    """
    first = zlib.crc32(str(stored.directory).encode()) % len(_BLOCKS)
    numbers = [*range(first, len(_BLOCKS)), *range(first)]
    slots = [_slot(stored.directory, number) for number in numbers]
    given = _given_by_the_kernel()
    slots.sort(key=lambda slot: any(port in given for port in slot.ports().values()))
    return [stored, *(slot for slot in slots if slot != stored)] if stored in slots else slots


def _slot(directory: Path, number: int) -> Layout:
    first = _FIRST_PORT + number * _PORTS_EACH
    ports = {name: first + offset for offset, name in enumerate(PORTS)}
    return Layout(directory=directory, block=_BLOCKS[number], **ports)


def _hold(layout: Layout) -> socket.socket | None:
    """Return the socket that claims a slot; None if any of its ports is in use."""
    with ExitStack() as held:
        try:
            bound = [
                held.enter_context(socket.create_server((HOST, port))) for port in layout.ports().values()
            ]
        except OSError:
            return None
        return bound[0].dup()


def _given_by_the_kernel() -> range:
    try:
        first, last = map(int, _LOCAL_PORTS.read_text().split())
    except (OSError, ValueError):
        return _LOCAL_PORTS_ELSEWHERE
    return range(first, last + 1)
