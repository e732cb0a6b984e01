"""Raw JSON to and from the API server: explicit time-outs, errors by their meaning."""

import contextlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import urllib3
from kubernetes.client.api_client import ApiClient
from kubernetes.client.configuration import Configuration
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException

from syncer.errors import ClusterError

_CONNECT_S = 5.0
_LIST_READ_S = 30.0
# Longer than the 50 s that a watch may last by its own wish, so that only a dead peer reaches it:
# keepalive does not see a stopped server, and bookmarks come only every 2 minutes.
_WATCH_READ_S = 60.0
# Of small objects. A Lease is given up after 6 s without success: within that, two attempts must fit.
_SMALL_S = 2.0
_ERROR_BODY = 64 * 1024
_JSON = "application/json"


class RefusedError(ClusterError):
    """An answer other than 200, or an ERROR event; `status` is the HTTP code."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class GoneError(RefusedError):
    """410: the version asked for is compacted away; only a fresh list helps."""


class Stream:
    """One open watch. `close` may be called from another thread and ends it at once."""

    def __init__(self, response: urllib3.BaseHTTPResponse) -> None:
        self._response = response

    def events(self) -> Iterator[dict[str, Any]]:
        """Each event until the server ends the watch; ClusterError when it breaks off instead."""
        rest = b""
        try:
            for piece in self._response.stream(None, decode_content=True):
                *lines, rest = (rest + piece).split(b"\n")
                for line in lines:
                    yield json.loads(line)
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise ClusterError(f"the watch broke off: {_one_line(error)}") from None
        finally:
            self._response.close()

    def close(self) -> None:
        """Shut the socket: a read that waits ends now."""
        with contextlib.suppress(OSError, ValueError, RuntimeError, AttributeError):
            self._response.shutdown()


class Api:
    """The API server, by one connection pool. Its methods block: they are for threads of their own."""

    def __init__(self, configuration: Configuration) -> None:
        self._client = ApiClient(configuration)
        self._client.user_agent = "node-nlb-sync"

    def get(self, path: str, query: Mapping[str, str]) -> dict[str, Any]:
        """The JSON object at `path`; GoneError, RefusedError or ClusterError otherwise."""
        answer = self._request("GET", path, query, timeout=(_CONNECT_S, _LIST_READ_S))
        return _document("GET", path, answer)

    def small(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, content_type: str = _JSON
    ) -> dict[str, Any]:
        """Read or write one small object, soon or not at all; the object as it is then.

        `content_type` is that of `body`; for a PATCH it says which kind of patch it is. Errors as in `get`.
        """
        answer = self._request(
            method, path, {}, body=body, content_type=content_type, timeout=(_SMALL_S, _SMALL_S)
        )
        return _document(method, path, answer)

    def watch(self, path: str, query: Mapping[str, str]) -> Stream:
        """An open watch of `path`."""
        return Stream(
            self._request("GET", path, {**query, "watch": "1"}, timeout=(_CONNECT_S, _WATCH_READ_S))
        )

    def _request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        *,
        body: Mapping[str, Any] | None = None,
        content_type: str = _JSON,
        timeout: tuple[float, float],
    ) -> urllib3.BaseHTTPResponse:
        typed = {} if body is None else {"Content-Type": content_type}
        try:
            method, url, headers, _, _ = self._client.param_serialize(
                method,
                path,
                query_params=list(query.items()),
                header_params={"Accept": _JSON, **typed},
                auth_settings=["BearerToken"],
            )
            answer = self._client.call_api(method, url, headers, body, _request_timeout=timeout)
        except (urllib3.exceptions.HTTPError, ApiException, ConfigException, OSError) as error:
            raise ClusterError(f"{method} {path}: {_one_line(error)}") from None
        response: urllib3.BaseHTTPResponse = answer.response
        if response.status not in {200, 201}:
            raise _refusal(method, path, response)
        return response


def _document(method: str, path: str, response: urllib3.BaseHTTPResponse) -> dict[str, Any]:
    try:
        answer = json.loads(response.data)
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        raise ClusterError(f"{method} {path}: {_one_line(error)}") from None
    if not isinstance(answer, dict):
        raise ClusterError(f"{method} {path}: the answer is not a JSON object")
    return answer


def refusal(status: int, message: str) -> RefusedError:
    """The error for an HTTP status, be it of an answer or of an ERROR event in a watch."""
    return GoneError(status, message) if status == 410 else RefusedError(status, message)  # noqa: PLR2004


def _refusal(method: str, path: str, response: urllib3.BaseHTTPResponse) -> RefusedError:
    body = b""
    with contextlib.suppress(urllib3.exceptions.HTTPError, OSError):
        body = response.read(_ERROR_BODY)
    response.close()
    try:
        said = str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        said = body.decode(errors="replace")[:200]
    return refusal(response.status, f"{method} {path}: HTTP {response.status}: {' '.join(said.split())}")


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"
