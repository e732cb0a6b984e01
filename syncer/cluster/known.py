"""The observed state of a collection: the objects' views, and the version of the views."""

import logging
import re
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, Protocol, TypeVar

from syncer.cluster.api import GarbledError, refusal

log = logging.getLogger(__name__)

View = TypeVar("View")
View_contra = TypeVar("View_contra", contravariant=True)

# The annotation of the bookmark that completes a streamed list (KEP-3157).
_LIST_ENDS = "k8s.io/initial-events-end"
_VERSION = re.compile(r"[0-9]{1,40}")


class DoubtError(GarbledError):
    """The server's data contradicts earlier data."""


class Sink(Protocol[View_contra]):
    """The receiver of changes. Called in the reflector's thread."""

    def replaced(self, views: "Mapping[str, View_contra]") -> None:
        """Replace all views by a complete list."""

    def changed(self, name: str, view: View_contra | None) -> None:
        """Store an object's new view, None for a deleted object."""

    def restarted(self, plural: str, reason: str) -> None:
        """Count an ended watch; `reason` is one of `syncer.telemetry.counters.RESTART_REASONS`."""


class Known(Generic[View]):
    """The views of one collection. A new list is drafted separately and replaces the views when complete.

    `parse` turns an object's JSON into its view. A watch resumes at `version`, "" while only a list helps;
    meanwhile the views stay unchanged.
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

    @property
    def empty(self) -> bool:
        """Whether no object is known."""
        return not self._views

    def forget(self) -> None:
        """Trust no data since the last complete list: only a list helps."""
        self.version = ""
        self._draft = {}

    def take_page(self, items: Iterable[Any]) -> None:
        """Add a part of a list to the draft."""
        for item in items:
            self._keep(item, self._draft)

    def complete(self, version: str) -> None:
        """Replace the views by the complete list, as of `version`."""
        if version in {"", "0"}:
            raise DoubtError(f"{self._plural} list has no resourceVersion")
        self._views, self._draft = self._draft, {}
        self.version, self._listed_at = version, time.monotonic()
        self._sink.replaced(dict(self._views))

    def take(self, event: Mapping[str, Any]) -> None:
        """Apply one event of a watch, or of the watch's initial list."""
        kind, item = event.get("type"), event.get("object")
        if not isinstance(item, dict):
            raise GarbledError(f"watch event of {self._plural} has no object")
        if kind == "ERROR":
            code = item.get("code")
            raise refusal(code if isinstance(code, int) else 0, str(item.get("message") or "watch error"))
        metadata = _metadata(item)
        version = str(metadata.get("resourceVersion") or "")
        if self.version and _older(version, self.version, equal=kind != "BOOKMARK"):
            raise DoubtError(
                f"resourceVersion {version} follows {self.version}: the API server's history changed"
            )
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
        """Parse an object into `views`; return the name, or None for an unchanged or malformed object.

        A malformed object affects no other object, and the last view stays.
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
            # Most events are heartbeats: no field of the view has changed. And an equal view in the old and
            # the new list is stored once.
            views[name] = known
            return None
        views[name] = view
        return name


def _metadata(item: Any) -> Mapping[str, Any]:
    metadata = item.get("metadata") if isinstance(item, dict) else None
    return metadata if isinstance(metadata, dict) else {}


def _older(version: str, known: str, *, equal: bool) -> bool:
    """Return whether `version` is older than `known`, or equal with `equal`.

    Versions are comparable numbers since Kubernetes 1.35.
    """
    if not (_VERSION.fullmatch(version) and _VERSION.fullmatch(known)):
        return False
    return int(version) < int(known) or (equal and int(version) == int(known))
