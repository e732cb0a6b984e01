"""Raw JSON to and from the API server: explicit time-outs and typed errors."""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import urllib3
from kubernetes.client.api_client import ApiClient
from kubernetes.client.configuration import Configuration
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException

from syncer.cluster.tls import lenient_client, refused_certificate
from syncer.errors import ClusterError, MisconfiguredError
from syncer.version import USER_AGENT

_CONNECT_S = 5.0
_LIST_READ_S = 30.0
# For small objects. A leader abandons its Lease after 6 s without success: two attempts must fit.
_SMALL_S = 2.0
_ERROR_BODY = 64 * 1024
# An object in etcd has at most 1.5 MiB (etcd's --max-request-bytes): a longer line is no event.
_LONGEST_EVENT = 8 * 1024 * 1024
# A starting API server refuses all requests until its roles are loaded (observed: for 50 ms).
_STARTING_S = 10.0
# The interval for rereading credentials while the server accepts none.
_RENEW_EVERY_S = 5.0
_JSON = "application/json"
# An answer with the metadata of the object alone; a server that does not have it answers with the object.
_METADATA = f"{_JSON};as=PartialObjectMetadata;g=meta.k8s.io;v=v1,{_JSON}"


class RefusedError(ClusterError):
    """An answer other than 200, or an ERROR event; `status` is the HTTP code."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status

    @property
    def final(self) -> bool:
        """Whether the server would refuse the same request again, until a user changes the cause."""
        return 400 <= self.status < 500 and self.status not in {401, 429}  # noqa: PLR2004


class GoneError(RefusedError):
    """410: the requested version is compacted away; only a fresh list helps."""


class GarbledError(ClusterError):
    """A malformed answer, or a contradiction of an earlier answer; only a fresh list helps."""


class Stream:
    """One open watch. `close` may be called from another thread and ends the watch at once."""

    def __init__(
        self, response: urllib3.BaseHTTPResponse, decode: Callable[[bytes], Any] = json.loads
    ) -> None:
        self._response = response
        self._decode = decode

    def events(self) -> Iterator[dict[str, Any]]:
        """Yield events until the server ends the watch; ClusterError for a broken connection."""
        rest = b""
        try:
            for piece in self._response.stream(None, decode_content=True):
                *lines, rest = (rest + piece).split(b"\n")
                for line in filter(None, lines):
                    yield _event(line, self._decode)
                if len(rest) > _LONGEST_EVENT:
                    raise GarbledError("watch event has no line end")
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise ClusterError(f"watch connection failed: {_one_line(error)}") from None
        finally:
            self._response.close()

    def allow_silence(self, seconds: float) -> None:
        """Set the read time-out from now on, in seconds."""
        connection: Any = self._response.connection
        socket = getattr(connection, "sock", None)
        if socket is not None:  # otherwise the server will close the connection; the first limit stays
            socket.settimeout(seconds)

    def close(self) -> None:
        """Shut the socket: a waiting read ends now."""
        with contextlib.suppress(OSError, ValueError, RuntimeError, AttributeError):
            self._response.shutdown()


class Api:
    """The API server, by one connection pool. The methods block and need separate threads."""

    def __init__(
        self, configuration: Configuration, renewed: Callable[[], Configuration] | None = None
    ) -> None:
        """Create the client; `renewed` rereads the configuration after the server rejects the credentials."""
        self._renewed = renewed
        self._renewed_at = time.monotonic()
        self._silent_at = float("-inf")
        self._renewing = threading.Lock()
        self._client = _client(configuration)

    def get(
        self, path: str, query: Mapping[str, str], decode: Callable[[bytes], Any] = json.loads
    ) -> dict[str, Any]:
        """Return the JSON object at `path`; GoneError, RefusedError or ClusterError otherwise."""
        answer = self._request("GET", path, query, timeout=(_CONNECT_S, _LIST_READ_S))
        return _document("GET", path, answer, decode)

    def small(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        content_type: str = _JSON,
        *,
        dry: bool = False,
        metadata_only: bool = False,
    ) -> dict[str, Any]:
        """Read or write one small object, with a short time-out; return the resulting object.

        `content_type` is the type of `body`; for a PATCH, the kind of patch. With `dry` the server stores
        nothing; with `metadata_only` the result may be without the content. Errors as in `get`, except a 403
        shortly after a missing answer: a ClusterError, like a missing answer.
        """
        try:
            answer = self._request(
                method,
                path,
                {"dryRun": "All"} if dry else {},
                body=body,
                content_type=content_type,
                accept=_METADATA if metadata_only else _JSON,
                timeout=(_SMALL_S, _SMALL_S),
            )
        except RefusedError as error:
            if error.status == 403 and time.monotonic() < self._silent_at + _STARTING_S:  # noqa: PLR2004
                raise ClusterError(str(error)) from None
            raise
        return _document(method, path, answer)

    def watch(
        self,
        path: str,
        query: Mapping[str, str],
        silence: float,
        decode: Callable[[bytes], Any] = json.loads,
    ) -> Stream:
        """Open a watch of `path`, with a time-out after `silence` seconds without data."""
        response = self._request("GET", path, {**query, "watch": "1"}, timeout=(_CONNECT_S, silence))
        return Stream(response, decode)

    def _request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        *,
        body: Mapping[str, Any] | None = None,
        content_type: str = _JSON,
        accept: str = _JSON,
        timeout: tuple[float, float],
    ) -> urllib3.BaseHTTPResponse:
        typed = {} if body is None else {"Content-Type": content_type}
        client = self._client
        try:
            method, url, headers, _, _ = client.param_serialize(
                method,
                path,
                query_params=list(query.items()),
                header_params={"Accept": accept, **typed},
                auth_settings=["BearerToken"],
            )
            answer = client.call_api(method, url, headers, body, _request_timeout=timeout)
        except (urllib3.exceptions.HTTPError, ApiException, ConfigException, OSError) as error:
            self._silent_at = time.monotonic()
            raise ClusterError(f"{method} {path}: {refused_certificate(error) or _one_line(error)}") from None
        response: urllib3.BaseHTTPResponse = answer.response
        if response.status == 401:  # noqa: PLR2004
            self._renew()
        if response.status not in {200, 201}:
            raise _refusal(method, path, response)
        return response

    def _renew(self) -> None:
        """Read the credentials again for the next request: a token, a certificate or a plugin's output."""
        with self._renewing:
            now = time.monotonic()
            if self._renewed is None or now - self._renewed_at < _RENEW_EVERY_S:
                return
            self._renewed_at = now
            with contextlib.suppress(MisconfiguredError):  # the file is being written: retry later
                self._client = _client(self._renewed())


def _client(configuration: Configuration) -> ApiClient:
    """Return the client; MisconfiguredError for an invalid proxy, without its value: a possible password."""
    try:
        client = lenient_client(configuration)
    except (urllib3.exceptions.HTTPError, ValueError, ImportError) as error:
        raise MisconfiguredError(
            "the proxy for the API server, of HTTPS_PROXY, HTTP_PROXY or ALL_PROXY, cannot be used "
            f"({type(error).__name__}); allowed: a URL such as http://HOST:3128"
        ) from None
    client.user_agent = USER_AGENT
    return client


def _event(line: bytes, decode: Callable[[bytes], Any]) -> dict[str, Any]:
    try:
        event = decode(line)
    except (RecursionError, ValueError) as error:
        raise GarbledError(f"watch event is not JSON: {_one_line(error)}") from None
    if not isinstance(event, dict):
        raise GarbledError("watch event is not a JSON object")
    return event


def _document(
    method: str,
    path: str,
    response: urllib3.BaseHTTPResponse,
    decode: Callable[[bytes], Any] = json.loads,
) -> dict[str, Any]:
    try:
        answer = decode(response.data)
    except (urllib3.exceptions.HTTPError, OSError, RecursionError, ValueError) as error:
        raise ClusterError(f"{method} {path}: {_one_line(error)}") from None
    if not isinstance(answer, dict):
        raise ClusterError(f"{method} {path}: response is not a JSON object")
    return answer


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list. `rest` is the next page's `continue`; "" on the last, with the list's `version`."""

    items: list[Any]
    rest: str
    version: str


def page_of(plural: str, answer: Mapping[str, Any], requested: str) -> Page:
    """Return the page for the token `requested`; GarbledError if malformed or with the same `continue`."""
    metadata, items = answer.get("metadata"), answer.get("items") or []
    if not (isinstance(metadata, dict) and isinstance(items, list)):
        raise GarbledError(f"API server returned a malformed {plural} list")
    rest = str(metadata.get("continue") or "")
    if rest and rest == requested:
        raise GarbledError(f"{plural} list: the API server repeated its `continue` token")
    return Page(items, rest, str(metadata.get("resourceVersion") or ""))


def refusal(status: int, message: str) -> RefusedError:
    """Return the error for an HTTP status, of an answer or of an ERROR event in a watch."""
    return GoneError(status, message) if status == 410 else RefusedError(status, message)  # noqa: PLR2004


def _refusal(method: str, path: str, response: urllib3.BaseHTTPResponse) -> RefusedError:
    body = b""
    with contextlib.suppress(urllib3.exceptions.HTTPError, OSError):
        body = response.read(_ERROR_BODY)
    response.close()
    try:
        text = str(json.loads(body)["message"])
    except (ValueError, KeyError, RecursionError, TypeError):
        text = body.decode(errors="replace")[:200]
    return refusal(response.status, f"{method} {path}: HTTP {response.status}: {' '.join(text.split())}")


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"
