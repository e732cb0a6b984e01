"""The nodes process's client of the API server: JSON calls, and caches updated by list-then-watch."""

import asyncio
import json
import logging
import math
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, Self

import aiohttp

from sandbox.cluster.rest import STRATEGIC_PATCH, ApiError, admin_context, parsed_object
from sandbox.layout import Layout
from sandbox.retry import Retry

log = logging.getLogger(__name__)

Object = dict[str, Any]

_CALL_TIMEOUT_S = 30.0
# A watch ends after this time and is followed by a fresh list, so that a missed event is corrected.
_WATCH_S = 300
_RETRY_FIRST_S, _RETRY_MAX_S = 0.2, 5.0
_LINE_LIMIT = 4 * 1024 * 1024  # an object is one line; etcd refuses more than 1.5 MiB


class Kube:
    """Administrator calls to the API server on a shared connection pool; use as a context manager."""

    def __init__(self, layout: Layout) -> None:
        self._base = layout.apiserver_url
        self._context = admin_context(layout)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=self._context, limit=32),
            timeout=aiohttp.ClientTimeout(total=_CALL_TIMEOUT_S),
            read_bufsize=_LINE_LIMIT,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session:
            await self._session.close()

    async def get(self, path: str) -> Object:
        """Return the object or list at `path`."""
        return await self.request("GET", path)

    async def create(self, path: str, body: Object) -> Object:
        """POST `body` to a collection or subresource."""
        return await self.request("POST", path, body)

    async def patch(self, path: str, body: Object, kind: str = STRATEGIC_PATCH) -> Object:
        """PATCH the object at `path`; `kind` is the patch's content type."""
        return await self.request("PATCH", path, body, kind)

    async def delete(self, path: str, body: Object | None = None) -> Object:
        """DELETE the object at `path`; `body` is DeleteOptions."""
        return await self.request("DELETE", path, body)

    async def request(
        self, method: str, path: str, body: Any = None, content_type: str = "application/json"
    ) -> Object:
        """Make a call.

        Raises ApiError for a status of 400 and above or an answer without a JSON object, otherwise
        ClientError or TimeoutError.
        """
        async with self._open.request(
            method,
            self._base + path,
            data=None if body is None else json.dumps(body),
            headers={"Content-Type": content_type},
        ) as answer:
            content = await answer.read()
            if answer.status >= 400:  # noqa: PLR2004 (HTTP: first error status)
                raise ApiError.of(answer.status, content)
            return parsed_object(answer.status, content)

    async def watch(self, path: str, version: str) -> AsyncIterator[tuple[str, Object]]:
        """Yield events of the collection at `path` after `version`, until the server ends the watch."""
        timeout = aiohttp.ClientTimeout(total=_WATCH_S + 30, sock_connect=5)
        params = {"watch": "1", "resourceVersion": version, "timeoutSeconds": str(_WATCH_S)}
        async with self._open.get(self._base + path, params=params, timeout=timeout) as answer:
            if answer.status >= 400:  # noqa: PLR2004
                raise ApiError.of(answer.status, await answer.read())
            async for line in answer.content:
                event = json.loads(line)
                if event["type"] == "ERROR":
                    raise ApiError.of(event["object"].get("code", 0), json.dumps(event["object"]).encode())
                yield event["type"], event["object"]

    @property
    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("Kube is used outside its context")
        return self._session


class EndedEarlyError(Exception):
    """The API server ended a watch right after its start."""


@dataclass(slots=True)
class Cache:
    """All objects of a collection by (namespace, name), kept current; each change calls `changed`.

    `items` is None until the first complete list.
    """

    kube: Kube
    path: str
    changed: Callable[[], None]
    items: dict[tuple[str, str], Object] | None = field(default=None, init=False)
    _watching_since: float = field(default=math.inf, init=False)

    async def run(self) -> None:
        """List, watch, and start again after the end or failure of the watch, until cancelled."""
        retry = Retry(f"watch of {self.path}", log, _RETRY_FIRST_S, _RETRY_MAX_S)
        while True:
            self._watching_since = math.inf
            failure: Exception = EndedEarlyError()
            try:
                await self._list_then_watch()
            except Exception as error:  # noqa: BLE001  (retried after any answer of the API server)
                failure = error
            # The early end of a watch, with or without an error, is a failure; the end of a longer watch is
            # not.
            if time.monotonic() - self._watching_since > _RETRY_MAX_S:
                retry.succeeded()
                await asyncio.sleep(_RETRY_FIRST_S)
            else:
                await asyncio.sleep(retry.failed(failure))

    async def _list_then_watch(self) -> None:
        listed = await self.kube.get(self.path)
        self.items = {_key(item): item for item in listed["items"]}
        self._watching_since = time.monotonic()
        self.changed()
        async for kind, item in self.kube.watch(self.path, listed["metadata"]["resourceVersion"]):
            if kind == "DELETED":
                self.items.pop(_key(item), None)
            else:
                self.items[_key(item)] = item
            self.changed()


def _key(item: Object) -> tuple[str, str]:
    return item["metadata"].get("namespace", ""), item["metadata"]["name"]
