"""HTTP for probes, Prometheus and people, in threads of its own: no client can slow the controller down.

`answer` is what a path returns, `request` what a client may send, `shared` a large document that is made once
for all, `listen` the sockets, `connection` one client, and `server` all clients of a port.
"""

from syncer.telemetry.web.answer import Answer, Route, Routes, document, text
from syncer.telemetry.web.hosts import Hosts
from syncer.telemetry.web.server import serving
from syncer.telemetry.web.shared import Shared

__all__ = ["Answer", "Hosts", "Route", "Routes", "Shared", "document", "serving", "text"]
