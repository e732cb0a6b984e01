"""The UDP server behind a node's NodePorts: it sends each datagram back, after the name of the node."""

import asyncio
import contextlib
import socket
from collections.abc import Callable

from sandbox.loopback import Loopback

_LARGEST = 65535


class Echo:
    """A UDP port of a machine; `serving` is false while the machine does not answer."""

    def __init__(
        self, name: str, ip: str, port: int, loopback: Loopback, serving: Callable[[], bool]
    ) -> None:
        self._name, self._serving = name, serving
        self._socket: socket.socket = loopback.bind_datagrams(ip, port)
        asyncio.get_running_loop().add_reader(self._socket, self._received)

    def close(self) -> None:
        """Close the port."""
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()

    def _received(self) -> None:
        with contextlib.suppress(OSError):
            data, client = self._socket.recvfrom(_LARGEST)
            if self._serving():
                self._socket.sendto(self._name.encode() + b" " + data, client)
