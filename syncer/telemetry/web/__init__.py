"""HTTP for probes, Prometheus and users, in separate threads: no client can slow the controller.

`answer` is the response of a path, `request` the allowed requests, `shared` a large document made once for
all clients, `queries` the answers of a path with a query, `listen` the sockets, `connection` one client, and
`server` all clients of a port.
"""

from syncer.telemetry.web.answer import Answer, Route, Routes, document, text
from syncer.telemetry.web.hosts import Hosts
from syncer.telemetry.web.queries import Queried, SharedQueries
from syncer.telemetry.web.request import RefusedError
from syncer.telemetry.web.server import serving
from syncer.telemetry.web.shared import Shared

__all__ = [
    "Answer",
    "Hosts",
    "Queried",
    "RefusedError",
    "Route",
    "Routes",
    "Shared",
    "SharedQueries",
    "document",
    "serving",
    "text",
]
