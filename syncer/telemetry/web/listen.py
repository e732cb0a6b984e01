"""The sockets of the HTTP server."""

import contextlib
import errno
import os
import socket
from collections.abc import Iterator

from syncer.errors import MisconfiguredError

# The kernel drops connections beyond this queue (capped at net.core.somaxconn).
_BACKLOG = 1024
# The limit of kernel memory for a client that does not read, or sends without end (the kernel doubles the
# value). Memory of sockets counts against the Pod's limit.
_BUFFER_BYTES = 65536
_NO_IPV6 = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)


def listen(address: str, port: int, setting: str) -> list[socket.socket]:
    """Listen on every address of `address`; an empty `address` is every address of this host.

    MisconfiguredError if the address cannot be resolved or bound; `setting` is the variable of the port.
    """
    listeners: list[socket.socket] = []
    try:
        with contextlib.ExitStack() as opened:
            for family, place in _places(address, port):
                try:
                    listener = opened.enter_context(_bound(family, place))
                except OSError as error:
                    if address or family != socket.AF_INET6 or error.errno not in _NO_IPV6:
                        raise
                else:
                    listeners.append(listener)
            opened.pop_all()
    except (OSError, UnicodeError) as error:
        raise MisconfiguredError(
            f"cannot listen on {address or '*'}:{port}: {_why(error)}; set NLB_SYNC_ADDRESS and {setting}"
        ) from None
    return listeners


def _places(address: str, port: int) -> Iterator[tuple[int, tuple[str, int]]]:
    found = socket.getaddrinfo(address or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    for family, _, _, _, place in dict.fromkeys(found):
        yield family, place  # type: ignore[misc]  # typeshed: a place of AF_INET6 has four parts


def _bound(family: int, place: tuple[str, int]) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for buffer in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            listener.setsockopt(socket.SOL_SOCKET, buffer, _BUFFER_BYTES)  # accepted sockets inherit the size
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind(place)
        listener.listen(_BACKLOG)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener


def _why(error: OSError | UnicodeError) -> str:
    if isinstance(error, UnicodeError):
        return "not a host name"
    # An unresolvable name has an error number below 0 and a message of its own.
    number = error.errno or 0
    return (os.strerror(number) if number > 0 else error.strerror or str(error)).lower()
