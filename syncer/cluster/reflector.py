"""Keep a kind of object current in a thread, by nested steps: forever, list then watch, one connection.

Why not the client's own watch or informer: docs/adr/0004-raw-list-then-watch.md.
"""

import json
import logging
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic

from syncer.cluster.api import Api, GarbledError, GoneError, RefusedError, Stream, page_of
from syncer.cluster.decode import Decode
from syncer.cluster.known import Known, Sink, View
from syncer.cluster.pace import Pace
from syncer.errors import ClusterError

log = logging.getLogger(__name__)

_LIST, _WATCH = "list", "watch"
# Without resourceVersion: with 0 the server ignores the limit and sends one page (250 MiB at 5,000 nodes).
_PAGE = 250
# The watch ends before its read time-out, so that only a dead peer causes the time-out.
_WATCH_S = (40, 50)
# Spare silence after the watch's own end, 59 s at most in all, until a peer counts as dead: keepalive does
# not detect a stopped server, and bookmarks come only every 2 minutes.
_SPARE_S = 9.0
# A streamed list is never silent for long; a server without streamed lists may be.
_LIST_SILENCE_S = 5.0
# Trust in a watch is limited: after an hour the list is read again.
_TRUST_S = 3600.0
# A second 410 within this time is no compaction but a fault, with the waits of a fault.
_GONE_AGAIN_S = 30.0
# The interval of list reads while the watch is refused for good.
_LIST_INSTEAD_S = 30.0
# A watch that ends sooner without an event has not worked; a watch open for longer has.
_WORKING_S = 2.0


@dataclass(frozen=True, slots=True)
class Watched:
    """The watched collection: path, plural for messages, selectors, and decoders of its JSON.

    The API server reports an object that stops matching a selector as DELETED.
    """

    path: str
    plural: str
    field_selector: str = ""
    label_selector: str = ""
    page: Decode = json.loads
    event: Decode = json.loads


class Reflector(Generic[View]):
    """A thread that follows a collection; `parse` turns an object's JSON into a view."""

    def __init__(
        self, api: Api, watched: Watched, parse: Callable[[Mapping[str, Any]], View], sink: Sink[View]
    ) -> None:
        self._api = api
        self._watched = watched
        self._sink = sink
        self._known = Known(watched.plural, parse, sink)
        self._stopping = threading.Event()
        self._rng = random.Random()  # noqa: S311 - spreads requests, protects nothing
        self._pace = Pace(self._stopping, self._rng)
        self._continue = ""
        self._by_pages = False
        self._page_by_page = False
        self._asking = _LIST
        self._problems: dict[str, str] = {}
        self._stream: Stream | None = None
        self._watching_since: float | None = None
        self._right_at = float("-inf")
        self._thread = threading.Thread(target=self.forever, name=f"watch-{watched.plural}", daemon=True)

    @property
    def problem(self) -> str:
        """Why the views are not current, in one line; callable from any thread."""
        if self._works:
            return ""  # an open watch without events: no change
        return self._problems.get(_LIST) or self._problems.get(_WATCH, "")

    @property
    def behind(self) -> float:
        """Seconds for which the views may have been wrong; 0 while a watch is open, `inf` at first."""
        return 0.0 if self._works else time.monotonic() - self._right_at

    @property
    def _works(self) -> bool:
        """Whether a watch has been open for a while."""
        since = self._watching_since
        return since is not None and time.monotonic() - since >= _WORKING_S

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End at once, even a waiting read; returns without waiting for the thread."""
        self._stopping.set()
        if stream := self._stream:
            stream.close()

    def forever(self) -> None:
        """List and watch until stopped; a fault leads to a wait, a doubt to a fresh list."""
        while not self._stopping.is_set():
            try:
                self._list_then_watch()
            except GoneError as gone:
                self._forget("gone", str(gone))
            except GarbledError as doubt:
                self._forget("doubt", str(doubt))
            except ClusterError as error:
                self._failed(str(error))
            except Exception:  # the thread must not die silently: the list is read again
                log.exception("unexpected error while watching %s", self._watched.plural)
                self._forget("doubt", "an unexpected error")

    def _list_then_watch(self) -> None:
        if self._known.version and self._known.age > _TRUST_S:
            self._restarted("aged")
            self._known.forget()
        if not self._known.version and self._by_pages:
            self._list()
        if not self._stopping.is_set():
            self._one_connection()

    def _list(self) -> None:
        """Read every page; a failed page is read again, the earlier pages are kept."""
        self._asking = _LIST
        self._pace.wait(_LIST)
        try:
            while not self._stopping.is_set():
                if self._next_page():
                    self._page_by_page = False
                    self._listed()
                    return
                if self._page_by_page:
                    self._pace.wait(_LIST)
        except ClusterError as error:
            if not self._continue or isinstance(error, GoneError):
                self._by_pages = False  # the streamed list may work
            raise

    def _next_page(self) -> bool:
        """Read one page; return whether the page was the last."""
        answer = self._api.get(self._watched.path, self._page_query(), self._watched.page)
        page = page_of(self._watched.plural, answer, self._continue)
        self._known.take_page(page.items)
        self._continue = page.rest
        if not page.rest:
            self._known.complete(page.version)
        return not page.rest

    def _page_query(self) -> dict[str, str]:
        return {
            **self._selection(),
            "limit": str(_PAGE),
            **({"continue": self._continue} if self._continue else {}),
        }

    def _one_connection(self) -> None:
        """Follow one watch until its end. A normal end is no fault: the next watch resumes there."""
        self._asking = _WATCH if self._known.version else _LIST
        self._pace.wait(_WATCH)
        if self._stopping.is_set():
            return
        try:
            worked = self._follow(self._rng.randint(*_WATCH_S))
        except ClusterError as error:
            if not self._known.version:
                self._not_streamed(error)
                return
            if not isinstance(error, GoneError | GarbledError):
                self._lost(error)
            raise
        if not self._known.version:
            self._known.forget()
            self._by_pages = True
            return
        if not worked:
            self._pace.failed(_WATCH)
        self._restarted("expired")

    def _follow(self, lasts: int) -> bool:
        """Apply the events of one watch of `lasts` seconds; return whether the watch worked for a while.

        Without a version the watch begins with the whole list, one object at a time.
        """
        try:
            self._take_events(lasts)
        finally:
            worked = self._works
            self._stream = self._watching_since = None
            if worked:
                self._recovered(_WATCH)  # whatever the end: a later failure is another outage
        return worked

    def _take_events(self, lasts: int) -> None:
        silence = lasts + _SPARE_S
        at_first = silence if self._known.version else _LIST_SILENCE_S
        watched = self._watched
        stream = self._api.watch(watched.path, self._watch_query(lasts), at_first, watched.event)
        self._stream = stream
        if self._stopping.is_set():
            stream.close()
        if self._known.version:
            self._watching_since = time.monotonic()
        for event in stream.events():
            listed = bool(self._known.version)
            self._known.take(event)
            if listed:
                self._recovered(_WATCH)
            elif self._known.version:
                stream.allow_silence(silence)
                self._watching_since = time.monotonic()
                self._listed()
                self._asking = _WATCH

    def _not_streamed(self, error: ClusterError) -> None:
        """Switch to pages after a failed streamed list, at once where the refusal is final."""
        self._known.forget()
        self._by_pages = True
        self._continue = ""
        if not (isinstance(error, RefusedError) and error.final):
            raise error

    def _lost(self, error: ClusterError) -> None:
        """Count a refused or broken watch; while lists are still allowed, read the list at intervals."""
        refused = isinstance(error, RefusedError)
        self._restarted("refused" if refused else "lost")
        if isinstance(error, RefusedError) and error.final and self._known.age > _LIST_INSTEAD_S:
            self._known.forget()

    def _watch_query(self, lasts: int) -> dict[str, str]:
        version = self._known.version
        streamed = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan"}
        return {
            **self._selection(),
            **({"resourceVersion": version} if version else streamed),
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(lasts),
        }

    def _selection(self) -> dict[str, str]:
        selectors = {
            "fieldSelector": self._watched.field_selector,
            "labelSelector": self._watched.label_selector,
        }
        return {name: selector for name, selector in selectors.items() if selector}

    def _listed(self) -> None:
        """Note a complete list; an empty one may be the effect of a label selector with a typo."""
        self._recovered(_LIST)
        if self._watched.label_selector and self._known.empty:
            log.warning(
                "the API server returned no %s for the label selector %s",
                self._watched.plural,
                self._watched.label_selector,
            )

    def _forget(self, reason: str, why: str) -> None:
        self._report(why)
        self._restarted(reason)
        self._page_by_page = bool(self._continue)
        self._continue = ""
        if self._known.age < _GONE_AGAIN_S or self._asking == _LIST:
            self._pace.failed(self._asking)
        self._known.forget()

    def _failed(self, why: str) -> None:
        self._report(why)
        self._pace.failed(self._asking)

    def _restarted(self, reason: str) -> None:
        if not self._stopping.is_set():
            self._sink.restarted(self._watched.plural, reason)

    def _report(self, problem: str) -> None:
        if not self._stopping.is_set() and problem != self._problems.get(self._asking):
            log.warning("%s: %s", self._watched.plural, problem)
            self._problems[self._asking] = problem

    def _recovered(self, kind: str) -> None:
        self._pace.succeeded(kind)
        self._right_at = time.monotonic()
        if self._problems.pop(kind, None):
            log.info("%s: the API server responds again", self._watched.plural)
