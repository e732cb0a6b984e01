"""The HTTP server of the simulated AWS: threaded, loopback only, a connection for each request."""

import socket
from typing import Any

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import BaseWSGIServer, make_server

from sandbox.cloud import catalogue
from sandbox.cloud.front import Front
from sandbox.layout import Layout


class _Handler(MotoRequestHandler):
    disable_nagle_algorithm = True  # head and body are two writes: otherwise a call can take 40 ms longer

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing: the front logs writes and refusals."""

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 (werkzeug's name)
        """Log nothing about connections closed by clients."""


def make(bound: socket.socket, layout: Layout) -> BaseWSGIServer:
    """Return a server on a bound socket, not yet serving."""
    catalogue.keep_only_ours()
    host, port = bound.getsockname()
    server = make_server(
        host, port, Front(layout), threaded=True, request_handler=_Handler, fd=bound.fileno()
    )
    server.daemon_threads = True  # type: ignore[attr-defined]  # an idle connection must not delay the exit
    return server
