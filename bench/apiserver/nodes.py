"""Requests for Nodes: lists by page, streamed lists, watches, and the writes of the bench's fleet."""

import asyncio
import base64
import json
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus

from bench.apiserver import http
from bench.apiserver.http import Request
from bench.apiserver.selector import matches
from bench.apiserver.store import GoneError, Matches, MissingError, Store
from sandbox.cluster.rest import STRATEGIC_PATCH

PATH = "/api/v1/nodes"
_BOOKMARK_EVERY_S = 60.0
_WATCH_S = 1800.0
# Nodes in a write of a streamed list: 1 MB.
_TOGETHER = 100


class Nodes:
    """Answers requests from the store, and wakes watches after a change."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._news = asyncio.Event()

    def changed(self) -> None:
        """Wake all watches."""
        self._news.set()
        self._news = asyncio.Event()

    async def answer(self, request: Request, writer: asyncio.StreamWriter) -> None:
        """Answer a request for Nodes, with the API server's errors."""
        name = request.path.removeprefix(PATH).strip("/").removesuffix("/status")
        try:
            if request.method == "GET" and not name:
                await self._collection(request.query, writer)
            else:
                http.answer(writer, [self._object(request, name)])
        except MissingError:
            http.refuse(writer, HTTPStatus.NOT_FOUND, f'nodes "{name}" not found')
        except (ValueError, KeyError) as error:
            http.refuse(writer, HTTPStatus.BAD_REQUEST, str(error))
        await writer.drain()

    def _object(self, request: Request, name: str) -> bytes:
        if request.method == "GET":
            return self._store.get(name)
        if request.method == "PATCH" and http.header(request.head, "content-type") != STRATEGIC_PATCH:
            raise ValueError("the bench's API server supports strategic merge patches of Nodes only")
        acts: Mapping[str, Callable[[], bytes]] = {
            "POST": lambda: self._store.create(request.json()),
            "PATCH": lambda: self._store.patch(name, request.json()),
            "DELETE": lambda: self._store.delete(name),
        }
        if request.method not in acts:
            raise ValueError(f"{request.method} of a Node is not supported by the bench's API server")
        content = acts[request.method]()
        self.changed()
        return content

    async def _collection(self, query: Mapping[str, str], writer: asyncio.StreamWriter) -> None:
        if "fieldSelector" in query:
            raise ValueError("field selectors of Nodes are not supported by the bench's API server")
        selected = matches(query.get("labelSelector", ""))
        if query.get("watch") in {"1", "true"}:
            http.begin_chunks(writer)
            await self._watch(query, selected, writer)
            http.chunk(writer, b"")
        else:
            http.answer(writer, self._page(query, selected))

    def _page(self, query: Mapping[str, str], selected: Matches | None) -> list[bytes]:
        """Return a page. All pages have the version of the first page; later pages may be newer."""
        version, after = str(self._store.version), ""
        if token := query.get("continue"):
            version, after = json.loads(base64.urlsafe_b64decode(token))
        items, last = self._store.page(selected, int(query.get("limit", 0)), after)
        metadata = {"resourceVersion": version}
        if last:
            token = base64.urlsafe_b64encode(json.dumps([version, last]).encode()).decode()
            metadata["continue"] = token
        head = f'{{"kind":"NodeList","apiVersion":"v1","metadata":{json.dumps(metadata)},"items":['
        return [head.encode(), b",".join(items), b"]}\n"]

    async def _watch(
        self, query: Mapping[str, str], selected: Matches | None, writer: asyncio.StreamWriter
    ) -> None:
        ends = time.monotonic() + float(query.get("timeoutSeconds", _WATCH_S))
        if query.get("sendInitialEvents") == "true":
            version = self._store.version
            await self._initial(selected, writer)
            http.chunk(writer, _bookmark(version, initial=True))
        else:
            version = int(query.get("resourceVersion") or 0) or self._store.version
        bookmark = time.monotonic() + _BOOKMARK_EVERY_S
        while True:
            news = self._news
            try:
                lines = self._store.since(version, selected)
            except GoneError:
                gone = http.failure(HTTPStatus.GONE, f"too old resource version: {version}")
                http.chunk(writer, json.dumps({"type": "ERROR", "object": gone}).encode() + b"\n")
                return
            version = self._store.version
            now = time.monotonic()
            if now >= min(bookmark, ends):
                lines.append(_bookmark(version))
                bookmark = now + _BOOKMARK_EVERY_S
            if lines:
                http.chunk(writer, b"".join(lines))
                await writer.drain()
            if now >= ends:
                return
            await _set(news, min(bookmark, ends) - now)

    async def _initial(self, selected: Matches | None, writer: asyncio.StreamWriter) -> None:
        lines: list[bytes] = []
        for line in self._store.added(selected):
            lines.append(line)
            if len(lines) == _TOGETHER:
                http.chunk(writer, b"".join(lines))
                lines.clear()
                await writer.drain()
        if lines:
            http.chunk(writer, b"".join(lines))


async def _set(news: asyncio.Event, seconds: float) -> None:
    """Wait for the event, at most so long."""
    try:
        await asyncio.wait_for(news.wait(), max(0.0, seconds))
    except TimeoutError:
        return


def _bookmark(version: int, *, initial: bool = False) -> bytes:
    annotations = {"annotations": {"k8s.io/initial-events-end": "true"}} if initial else {}
    node = {"kind": "Node", "apiVersion": "v1", "metadata": {"resourceVersion": str(version), **annotations}}
    return json.dumps({"type": "BOOKMARK", "object": node}).encode() + b"\n"
