"""Labels and annotations of the Kubernetes objects: those of the stack itself, and those of every object."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from syncer.manifests.workload import MANAGED_BY, SKIP_CONTAINERS, STAMP

from .keys import Settings
from .problems import Problem
from .shapes import child

# The creating stack and component of a Service: a stack must not adopt a Service that it would delete. A kept
# Service has no owner.
OWNER: Final = "node-nlb-sync/owner"
SKIP_AWAIT_KEY: Final = "pulumi.com/skipAwait"
# Set on the syncer's objects in any case.
_SYNCER_LABELS: Final = frozenset({"app", "app.kubernetes.io/name", "app.kubernetes.io/instance"})
_SYNCER_ANNOTATIONS: Final = frozenset({STAMP, SKIP_CONTAINERS})
# Set on some object, by default or in any case: the key of a single object is the place for another value.
_LABELS: Final = _SYNCER_LABELS | {MANAGED_BY}
_ANNOTATIONS: Final = _SYNCER_ANNOTATIONS | {
    OWNER,
    SKIP_AWAIT_KEY,
    "prometheus.io/port",
    "prometheus.io/scrape",
}


def own_keys(settings: Settings) -> Iterator[Problem]:
    """Report labels and annotations that the stack sets itself."""
    for key, given, own in (
        ("labels", settings.labels, _LABELS),
        ("annotations", settings.annotations, _ANNOTATIONS),
        ("syncer.labels", settings.syncer.labels, _SYNCER_LABELS),
        ("syncer.annotations", settings.syncer.annotations, _SYNCER_ANNOTATIONS),
    ):
        for name in sorted(own & given.keys()):
            path = child(key, name)
            yield Problem(path, "a key that the stack sets itself", "any other key", f"remove {path}")


def common(settings: Settings) -> dict[str, Any]:
    """Return the labels and annotations of every object, as fields of its metadata."""
    return with_common({}, settings)


def with_common(metadata: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    """Return the metadata with the labels and annotations of every object; those of the metadata win."""
    fields = {"labels": settings.labels, "annotations": settings.annotations}
    return {
        **metadata,
        **{key: {**each, **(metadata.get(key) or {})} for key, each in fields.items() if each},
    }
