"""The bench's client of the API server: connections stay open, so a write costs no handshake."""

import http.client
import json
import ssl
import threading
from typing import Any

from sandbox.cluster.rest import STRATEGIC_PATCH, ApiError, admin_context
from sandbox.layout import HOST, Layout

_TIMEOUT_S = 30.0
_JSON = "application/json"


class Api:
    """Send administrator calls from any thread, with a connection per thread."""

    def __init__(self, layout: Layout) -> None:
        self._port = layout.apiserver_port
        self._context = admin_context(layout)
        self._local = threading.local()

    def create(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """POST `body` to a collection; return the created object."""
        return self._document("POST", path, body)

    def get(self, path: str) -> dict[str, Any]:
        """Return the object or list at `path`."""
        return self._document("GET", path)

    def patch(self, path: str, body: dict[str, Any]) -> None:
        """PATCH (strategic merge) the object at `path`."""
        self._request("PATCH", path, json.dumps(body).encode(), STRATEGIC_PATCH)

    def delete(self, path: str) -> None:
        """DELETE the object or collection at `path`; a missing object is no error."""
        try:
            self._request("DELETE", path, None, _JSON)
        except ApiError as error:
            if error.status != http.HTTPStatus.NOT_FOUND:
                raise

    def close(self) -> None:
        """Close this thread's connection."""
        if hasattr(self._local, "connection"):
            self._local.connection.close()
            del self._local.connection

    def _document(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        payload = None if body is None else json.dumps(body).encode()
        answer: dict[str, Any] = json.loads(self._request(method, path, payload, _JSON))
        return answer

    def _request(self, method: str, path: str, payload: bytes | None, kind: str) -> bytes:
        """Return the body. Raises ApiError for a refusal, OSError or HTTPException for no response."""
        reused = hasattr(self._local, "connection")
        try:
            return self._attempt(method, path, payload, kind)
        except (ConnectionError, ssl.SSLError):
            if not reused:
                raise
            return self._attempt(method, path, payload, kind)  # the server has restarted since

    def _attempt(self, method: str, path: str, payload: bytes | None, kind: str) -> bytes:
        connection = self._connection()
        try:
            connection.request(method, path, payload, {"Content-Type": kind})
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            del self._local.connection
            raise
        if answer.status >= http.HTTPStatus.BAD_REQUEST:
            raise ApiError.of(answer.status, content)
        return content

    def _connection(self) -> http.client.HTTPSConnection:
        if not hasattr(self._local, "connection"):
            self._local.connection = http.client.HTTPSConnection(
                HOST, self._port, timeout=_TIMEOUT_S, context=self._context
            )
        connection: http.client.HTTPSConnection = self._local.connection
        return connection
