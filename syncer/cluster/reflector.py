"""Keeps one kind of object known: a staircase of forever, list then watch, one connection, in a thread.

Why not the client's own watch or informer: docs/adr/0004-raw-list-then-watch.md.
"""

import logging
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from syncer.cluster.api import Api, GoneError, RefusedError, Stream, refusal
from syncer.cluster.pace import Pace
from syncer.errors import ClusterError

log = logging.getLogger(__name__)

View = TypeVar("View")
View_contra = TypeVar("View_contra", contravariant=True)

# Without resourceVersion: with 0 the server ignores the limit and sends one page (250 MiB at 5,000 nodes).
_PAGE = 250
# The watch ends by itself before the 60 s read time-out, so that only a dead peer reaches that one.
_WATCH_S = (40, 50)
# A watch is not trusted for ever: after an hour the list is read anew.
_TRUST_S = 3600.0
# A second 410 within this time is no compaction but a fault, and is waited out like one.
_GONE_AGAIN_S = 30.0
# How often the list is read while the watch is refused for good.
_LIST_INSTEAD_S = 30.0
# A connection that ends sooner than this without an event has not worked.
_WORKING_S = 5.0


@dataclass(frozen=True, slots=True)
class Watched:
    """What is listed and watched: the collection's path, its plural for messages, and a field selector."""

    path: str
    plural: str
    field_selector: str = ""


class _DoubtError(ClusterError):
    """What the server says does not fit what it said before."""


class Sink(Protocol[View_contra]):
    """Where changes go. Called in the reflector's thread."""

    def replaced(self, views: "Mapping[str, View_contra]") -> None:
        """A complete list."""

    def changed(self, name: str, view: View_contra | None) -> None:
        """One object as it is now, None when it is gone."""

    def restarted(self, plural: str, reason: str) -> None:
        """A watch ended; `reason` is one of `syncer.tally.RESTART_REASONS`."""


class Reflector(Generic[View]):
    """One thread that follows one collection; `parse` turns an object's JSON into what is kept of it."""

    def __init__(
        self, api: Api, watched: Watched, parse: Callable[[Mapping[str, Any]], View], sink: Sink[View]
    ) -> None:
        self._api = api
        self._watched = watched
        self._parse = parse
        self._sink = sink
        self._stopping = threading.Event()
        self._rng = random.Random()  # noqa: S311 - spreads requests, protects nothing
        self._pace = Pace(self._stopping, self._rng)
        self._views: dict[str, View] = {}
        self._partial: dict[str, View] = {}
        self._continue = ""
        self._version = ""
        self._listed_at = float("-inf")
        self._stream: Stream | None = None
        self._thread = threading.Thread(target=self.forever, name=f"watch-{watched.plural}", daemon=True)
        self.problem = ""

    def start(self) -> None:
        """Begin in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """End at once, also a read that waits; returns without waiting for the thread."""
        self._stopping.set()
        if stream := self._stream:
            stream.close()

    def forever(self) -> None:
        """List and watch until stopped; a fault is waited out, a doubt ends in a fresh list."""
        while not self._stopping.is_set():
            try:
                self._list_then_watch()
            except GoneError as gone:
                self._forget("gone", str(gone))
            except _DoubtError as doubt:
                self._forget("doubt", str(doubt))
            except ClusterError as error:
                self._report(str(error))
                self._pace.failed()
            except Exception:  # the thread must not die silently: whatever it was, the list is read anew
                log.exception("unforeseen fault while watching %s", self._watched.plural)
                self._forget("doubt", "an unforeseen fault")
                self._pace.failed()

    def _list_then_watch(self) -> None:
        if self._version == "":
            self._list()
        elif time.monotonic() - self._listed_at > _TRUST_S:
            self._sink.restarted(self._watched.plural, "aged")
            self._version = ""
            return
        self._one_connection()

    def _list(self) -> None:
        """Read every page; one that fails is asked for again, the pages before it are kept."""
        self._pace.wait("list")
        while not self._stopping.is_set():
            page = self._api.get(self._watched.path, self._page_query())
            for item in page.get("items") or ():
                self._keep(item, self._partial)
            metadata = page.get("metadata") or {}
            self._continue = metadata.get("continue") or ""
            if not self._continue:
                self._accept(str(metadata.get("resourceVersion") or ""))
                return

    def _page_query(self) -> dict[str, str]:
        query = {"limit": str(_PAGE)}
        if self._watched.field_selector:
            query["fieldSelector"] = self._watched.field_selector
        if self._continue:
            query["continue"] = self._continue
        return query

    def _accept(self, version: str) -> None:
        complete, self._partial = self._partial, {}
        if version in {"", "0"}:
            raise ClusterError(f"the list of {self._watched.plural} has no resourceVersion")
        self._views, self._version, self._listed_at = complete, version, time.monotonic()
        self._recovered()
        self._sink.replaced(dict(complete))

    def _one_connection(self) -> None:
        """One watch, until the server ends it. Its normal end is no event: the next resumes where it was."""
        self._pace.wait("watch")
        if self._stopping.is_set():
            return
        started = time.monotonic()
        try:
            self._stream = stream = self._api.watch(self._watched.path, self._watch_query())
            if self._stopping.is_set():
                stream.close()
            for event in stream.events():
                self._take(event)
                self._recovered()
        except (GoneError, _DoubtError):
            raise
        except RefusedError as error:
            self._restarted("refused")
            self._list_instead(error.status)
            raise
        except ClusterError:
            self._restarted("lost")
            raise
        finally:
            self._stream = None
        if time.monotonic() - started >= _WORKING_S:
            self._recovered()
        else:
            self._pace.failed()
        self._restarted("expired")

    def _list_instead(self, status: int) -> None:
        """Where listing is allowed and watching is not, read the list now and then."""
        final = 400 <= status < 500 and status != 429  # noqa: PLR2004
        if final and time.monotonic() - self._listed_at > _LIST_INSTEAD_S:
            self._version = ""

    def _watch_query(self) -> dict[str, str]:
        query = {
            "resourceVersion": self._version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(self._rng.randint(*_WATCH_S)),
        }
        if self._watched.field_selector:
            query["fieldSelector"] = self._watched.field_selector
        return query

    def _take(self, event: Mapping[str, Any]) -> None:
        kind, item = event.get("type"), event.get("object")
        if not isinstance(item, dict):
            raise ClusterError(f"a watch event of {self._watched.plural} has no object")
        if kind == "ERROR":
            raise refusal(int(item.get("code") or 0), str(item.get("message") or "watch error"))
        version = str((item.get("metadata") or {}).get("resourceVersion") or "")
        if _older(version, self._version, equal=kind != "BOOKMARK"):
            raise _DoubtError(f"version {version} came after {self._version}: the history changed")
        if kind in {"ADDED", "MODIFIED"}:
            self._update(item)
        elif kind == "DELETED":
            name = str(item["metadata"]["name"])
            if self._views.pop(name, None) is not None:
                self._sink.changed(name, None)
        self._version = version or self._version

    def _update(self, item: Mapping[str, Any]) -> None:
        name = self._keep(item, self._views, only_changed=True)
        if name is not None:
            self._sink.changed(name, self._views[name])

    def _keep(
        self, item: Mapping[str, Any], views: dict[str, View], *, only_changed: bool = False
    ) -> str | None:
        """Parse one object into `views`; its name, or None when it is malformed or (asked so) unchanged.

        A malformed object harms only itself: what was last known of it stays.
        """
        name = str((item.get("metadata") or {}).get("name") or "")
        try:
            view = self._parse(item)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            log.warning("%s %s is malformed: %s", self._watched.plural, name, error)
            if name in self._views:
                views[name] = self._views[name]
            return None
        if only_changed and views.get(name) == view:
            return None  # most events are heartbeats: nothing that a verdict needs has changed
        views[name] = view
        return name

    def _forget(self, reason: str, why: str) -> None:
        self._report(why)
        self._restarted(reason)
        self._version = self._continue = ""
        self._partial = {}
        if time.monotonic() - self._listed_at < _GONE_AGAIN_S:
            self._pace.failed()

    def _restarted(self, reason: str) -> None:
        if not self._stopping.is_set():
            self._sink.restarted(self._watched.plural, reason)

    def _report(self, problem: str) -> None:
        if not self._stopping.is_set() and problem != self.problem:
            log.warning("%s: %s", self._watched.plural, problem)
            self.problem = problem

    def _recovered(self) -> None:
        self._pace.succeeded()
        if self.problem:
            log.info("%s: the API server answers again", self._watched.plural)
            self.problem = ""


def _older(version: str, known: str, *, equal: bool) -> bool:
    """Whether `version` is not newer than `known`. Versions are comparable numbers since Kubernetes 1.35."""
    if not (version.isdigit() and known.isdigit()):
        return False
    return int(version) < int(known) or (equal and int(version) == int(known))
