"""Keeps one kind of object known: a staircase of forever, list then watch, one connection, in a thread.

Why not the client's own watch or informer: docs/adr/0004-raw-list-then-watch.md.
"""

import logging
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic

from syncer.cluster.api import Api, GarbledError, GoneError, RefusedError, Stream, page_of
from syncer.cluster.known import Known, Sink, View
from syncer.cluster.pace import Pace
from syncer.errors import ClusterError

log = logging.getLogger(__name__)

_LIST, _WATCH = "list", "watch"
# Without resourceVersion: with 0 the server ignores the limit and sends one page (250 MiB at 5,000 nodes).
_PAGE = 250
# The watch ends by itself before its read time-out, so that only a dead peer reaches that one.
_WATCH_S = (40, 50)
# A watch is silent for this long beyond its own end, 59 s at most, when its peer is dead: keepalive does
# not see a stopped server, and bookmarks come only every 2 minutes.
_SPARE_S = 9.0
# A list that streams is never silent for long; a server that does not know how to stream one may be.
_LIST_SILENCE_S = 5.0
# A watch is not trusted for ever: after an hour the list is read anew.
_TRUST_S = 3600.0
# A second 410 within this time is no compaction but a fault, and is waited out like one.
_GONE_AGAIN_S = 30.0
# How often the list is read while the watch is refused for good.
_LIST_INSTEAD_S = 30.0
# A watch that ends sooner than this without an event has not worked; one that stays open has.
_WORKING_S = 2.0


@dataclass(frozen=True, slots=True)
class Watched:
    """What is listed and watched: the collection's path, its plural for messages, and a field selector."""

    path: str
    plural: str
    field_selector: str = ""


class Reflector(Generic[View]):
    """One thread that follows one collection; `parse` turns an object's JSON into what is kept of it."""

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
        """What keeps the views from being those of now, in one line; may be asked in any thread."""
        if self._works:
            return ""  # a watch that is open and says nothing: nothing happens there
        return self._problems.get(_LIST) or self._problems.get(_WATCH, "")

    @property
    def behind(self) -> float:
        """For how many seconds the views may have been wrong; 0 while a watch is open, `inf` at first."""
        return 0.0 if self._works else time.monotonic() - self._right_at

    @property
    def _works(self) -> bool:
        """Whether a watch has been open for a while."""
        since = self._watching_since
        return since is not None and time.monotonic() - since >= _WORKING_S

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
            except GarbledError as doubt:
                self._forget("doubt", str(doubt))
            except ClusterError as error:
                self._failed(str(error))
            except Exception:  # the thread must not die silently: whatever it was, the list is read anew
                log.exception("unforeseen fault while watching %s", self._watched.plural)
                self._forget("doubt", "an unforeseen fault")

    def _list_then_watch(self) -> None:
        if self._known.version and self._known.age > _TRUST_S:
            self._restarted("aged")
            self._known.forget()
        if not self._known.version and self._by_pages:
            self._list()
        if not self._stopping.is_set():
            self._one_connection()

    def _list(self) -> None:
        """Read every page; one that fails is asked for again, the pages before it are kept."""
        self._asking = _LIST
        self._pace.wait(_LIST)
        try:
            while not self._stopping.is_set():
                if self._next_page():
                    self._page_by_page = False
                    self._recovered(_LIST)
                    return
                if self._page_by_page:
                    self._pace.wait(_LIST)
        except ClusterError as error:
            if not self._continue or isinstance(error, GoneError):
                self._by_pages = False  # the other way may work
            raise

    def _next_page(self) -> bool:
        """Read one page; whether it was the last."""
        answer = self._api.get(self._watched.path, self._page_query())
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
        """One watch, until the server ends it. Its normal end is no event: the next resumes where it was."""
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
        """Take the events of one watch that is to last so many seconds; whether it worked for a while.

        Without a version to go on from it begins with the whole list, one object at a time.
        """
        try:
            self._take_events(lasts)
        finally:
            worked = self._works
            self._stream = self._watching_since = None
            if worked:
                self._recovered(_WATCH)  # however it ended: what comes now is another outage
        return worked

    def _take_events(self, lasts: int) -> None:
        silence = lasts + _SPARE_S
        at_first = silence if self._known.version else _LIST_SILENCE_S
        self._stream = stream = self._api.watch(self._watched.path, self._watch_query(lasts), at_first)
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
                self._recovered(_LIST)
                self._asking = _WATCH

    def _not_streamed(self, error: ClusterError) -> None:
        """The list did not come by a stream: it may come by pages, at once where the server answered so."""
        self._known.forget()
        self._by_pages = True
        self._continue = ""
        if not (isinstance(error, RefusedError) and error.final):
            raise error

    def _lost(self, error: ClusterError) -> None:
        """The watch is refused or broken; where listing is still allowed, the list is read now and then."""
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
        selector = self._watched.field_selector
        return {"fieldSelector": selector} if selector else {}

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
            log.info("%s: the API server answers again", self._watched.plural)
