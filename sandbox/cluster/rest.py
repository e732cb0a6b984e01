"""A client of the API server (plain JSON over HTTPS), for the sandbox's own commands and tests."""

import http.client
import json
import ssl
from dataclasses import dataclass
from typing import Any

from sandbox import trust
from sandbox.cluster.pki import Pki
from sandbox.errors import SandboxError
from sandbox.layout import HOST, Layout

_TIMEOUT_S = 30.0
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"


class ApiError(SandboxError):
    """The API server refused a call; the message is the server's, in one line."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason

    @classmethod
    def of(cls, status: int, body: bytes) -> "ApiError":
        """Return the error of an answer (a `Status` object, or any text from an earlier stage)."""
        try:
            said = json.loads(body)
            return cls(status, said.get("reason", ""), said.get("message", ""))
        except (ValueError, AttributeError):
            return cls(status, "", body.decode(errors="replace").strip() or f"HTTP {status}")


class ApiServerDownError(SandboxError, ConnectionError):
    """The API server does not answer; the message contains the remedy."""


@dataclass(frozen=True, slots=True)
class Rest:
    """Administrator calls to the API server of a sandbox, with a new connection for each call."""

    layout: Layout

    def get(self, path: str) -> dict[str, Any]:
        """Return the object or list at `path`."""
        return self.request("GET", path)

    def create(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """POST `body` to a collection."""
        return self.request("POST", path, body)

    def patch(
        self, path: str, body: dict[str, Any] | list[Any], kind: str = STRATEGIC_PATCH
    ) -> dict[str, Any]:
        """PATCH the object at `path`; `kind` is the patch's content type."""
        return self.request("PATCH", path, body, kind)

    def delete(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """DELETE the object at `path`; `body` is DeleteOptions."""
        return self.request("DELETE", path, body)

    def request(
        self, method: str, path: str, body: Any = None, content_type: str = "application/json"
    ) -> dict[str, Any]:
        """Make a call.

        Raises ApiError for a status of 400 and above or an answer without a JSON object, ApiServerDownError
        or OSError for a missing answer.
        """
        connection = http.client.HTTPSConnection(
            HOST, self.layout.apiserver_port, timeout=_TIMEOUT_S, context=admin_context(self.layout)
        )
        try:
            payload = None if body is None else json.dumps(body)
            connection.request(method, path, payload, {"Content-Type": content_type})
            answer = connection.getresponse()
            content = answer.read()
        except http.client.HTTPException as error:
            raise ApiError(0, "BadAnswer", f"response of the API server is not HTTP: {error!r}") from error
        except ConnectionRefusedError:
            raise ApiServerDownError(
                f"the sandbox's API server does not answer on {self.layout.apiserver_url}; run `make up`"
            ) from None
        finally:
            connection.close()
        if answer.status >= http.HTTPStatus.BAD_REQUEST:
            raise ApiError.of(answer.status, content)
        return parsed_object(answer.status, content)


def parsed_object(status: int, content: bytes) -> dict[str, Any]:
    """Return the JSON object of an answer. Raises ApiError for other content."""
    try:
        parsed = json.loads(content)
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict):
        raise ApiError(status, "BadAnswer", f"response of {len(content)} bytes is not a JSON object")
    return parsed


def admin_context(layout: Layout) -> ssl.SSLContext:
    """Return the administrator's TLS context: the cluster's CA and the admin certificate."""
    pki = Pki(layout.pki)
    admin = pki.pair("admin")
    context = trust.context(pki.ca)
    context.load_cert_chain(admin.certificate, admin.key)
    return context
