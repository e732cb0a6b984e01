"""What is known of one collection: a view of each object, and the version at which they are right."""

import logging
import re
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, Protocol, TypeVar

from syncer.cluster.api import GarbledError, refusal

log = logging.getLogger(__name__)

View = TypeVar("View")
View_contra = TypeVar("View_contra", contravariant=True)

# By this annotation a bookmark says that a streamed list is complete (KEP-3157).
_LIST_ENDS = "k8s.io/initial-events-end"
_VERSION = re.compile(r"[0-9]{1,40}")


class DoubtError(GarbledError):
    """What the server says does not fit what it said before."""


class Sink(Protocol[View_contra]):
    """Where changes go. Called in the reflector's thread."""

    def replaced(self, views: "Mapping[str, View_contra]") -> None:
        """A complete list."""

    def changed(self, name: str, view: View_contra | None) -> None:
        """One object as it is now, None when it is gone."""

    def restarted(self, plural: str, reason: str) -> None:
        """A watch ended; `reason` is one of `syncer.telemetry.counters.RESTART_REASONS`."""


class Known(Generic[View]):
    """The views of one collection. A list is drafted beside them and takes their place when it is complete.

    `parse` turns an object's JSON into what is kept of it. `version` is where a watch goes on, "" while only
    a list helps; the views stay as they are meanwhile.
    """

    def __init__(self, plural: str, parse: Callable[[Mapping[str, Any]], View], sink: Sink[View]) -> None:
        self._plural = plural
        self._parse = parse
        self._sink = sink
        self._views: dict[str, View] = {}
        self._draft: dict[str, View] = {}
        self.version = ""
        self._listed_at = float("-inf")

    @property
    def age(self) -> float:
        """Seconds since the last complete list."""
        return time.monotonic() - self._listed_at

    def forget(self) -> None:
        """Nothing that was said since the last complete list is to be trusted: only a list helps."""
        self.version = ""
        self._draft = {}

    def take_page(self, items: Iterable[Any]) -> None:
        """A part of a list."""
        for item in items:
            self._keep(item, self._draft)

    def complete(self, version: str) -> None:
        """The list is complete, and right at `version`."""
        if version in {"", "0"}:
            raise DoubtError(f"the list of {self._plural} has no resourceVersion")
        self._views, self._draft = self._draft, {}
        self.version, self._listed_at = version, time.monotonic()
        self._sink.replaced(dict(self._views))

    def take(self, event: Mapping[str, Any]) -> None:
        """One event of a watch, or of the list that such a one begins with."""
        kind, item = event.get("type"), event.get("object")
        if not isinstance(item, dict):
            raise GarbledError(f"a watch event of {self._plural} has no object")
        if kind == "ERROR":
            code = item.get("code")
            raise refusal(code if isinstance(code, int) else 0, str(item.get("message") or "watch error"))
        metadata = _metadata(item)
        version = str(metadata.get("resourceVersion") or "")
        if self.version and _older(version, self.version, equal=kind != "BOOKMARK"):
            raise DoubtError(f"version {version} came after {self.version}: the history changed")
        if kind == "BOOKMARK":
            if not self.version and _LIST_ENDS in (metadata.get("annotations") or {}):
                self.complete(version)
        elif kind in {"ADDED", "MODIFIED"}:
            self._update(item)
        elif kind == "DELETED":
            self._remove(str(metadata.get("name") or ""))
        if self.version:
            self.version = version or self.version

    def _update(self, item: Mapping[str, Any]) -> None:
        if not self.version:
            self._keep(item, self._draft)
        elif (name := self._keep(item, self._views)) is not None:
            self._sink.changed(name, self._views[name])

    def _remove(self, name: str) -> None:
        if not self.version:
            self._draft.pop(name, None)
        elif self._views.pop(name, None) is not None:
            self._sink.changed(name, None)

    def _keep(self, item: Any, views: dict[str, View]) -> str | None:
        """Parse one object into `views`; its name, or None when it says nothing new or is malformed.

        A malformed object harms only itself: what was last known of it stays.
        """
        name = str(_metadata(item).get("name") or "")
        known = self._views.get(name)
        try:
            view = self._parse(item)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            log.warning("%s %s is malformed: %s", self._plural, name, error)
            if known is not None:
                views[name] = known
            return None
        if known is not None and known == view:
            # Most events are heartbeats: nothing that a verdict needs has changed. And the same view in the
            # old list and in the new one is kept once.
            views[name] = known
            return None
        views[name] = view
        return name


def _metadata(item: Any) -> Mapping[str, Any]:
    metadata = item.get("metadata") if isinstance(item, dict) else None
    return metadata if isinstance(metadata, dict) else {}


def _older(version: str, known: str, *, equal: bool) -> bool:
    """Whether `version` is not newer than `known`. Versions are comparable numbers since Kubernetes 1.35."""
    if not (_VERSION.fullmatch(version) and _VERSION.fullmatch(known)):
        return False
    return int(version) < int(known) or (equal and int(version) == int(known))
