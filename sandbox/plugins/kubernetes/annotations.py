"""The `pulumi.com/` annotations with options for an object (metadata/overrides.go)."""

import os
from collections.abc import Mapping
from typing import Any

from sandbox.plugins.values import Unknown


def value(obj: Mapping[str, Any], name: str) -> str:
    """Return the annotation `pulumi.com/NAME`; "" where absent or not known yet."""
    metadata = obj.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, Mapping) else None
    found = annotations.get(f"pulumi.com/{name}") if isinstance(annotations, Mapping) else None
    return "" if found is None or isinstance(found, Unknown) else str(found)


def skips_waiting(obj: Mapping[str, Any]) -> bool:
    """Return whether the wait for readiness is skipped."""
    return value(obj, "skipAwait").lower() == "true"


def timeout(obj: Mapping[str, Any], custom_s: float, default_s: float) -> float:
    """Return the wait in seconds: option customTimeouts, else the annotation, else the default."""
    if custom_s:
        return custom_s
    given = value(obj, "timeoutSeconds")
    return float(given) if given.isdigit() else default_s


def forces(obj: Mapping[str, Any]) -> bool:
    """Return whether an update may take fields from other managers (await.go patchForce)."""
    if os.environ.get("PULUMI_K8S_ENABLE_PATCH_FORCE") == "true":
        return True
    return value(obj, "patchForce").lower() == "true"


def propagation(obj: Mapping[str, Any]) -> str:
    """Return the propagation of a deletion: dependents first (Foreground) unless set by the object."""
    asked = value(obj, "deletionPropagationPolicy").lower()
    return {"orphan": "Orphan", "background": "Background"}.get(asked, "Foreground")
