"""The `pulumi.com/` annotations by which a program steers one object (metadata/overrides.go)."""

import os
from collections.abc import Mapping
from typing import Any

from sandbox.plugins.values import Unknown


def value(obj: Mapping[str, Any], name: str) -> str:
    """The annotation `pulumi.com/NAME`, "" where it is absent or not known yet."""
    metadata = obj.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, Mapping) else None
    found = annotations.get(f"pulumi.com/{name}") if isinstance(annotations, Mapping) else None
    return "" if found is None or isinstance(found, Unknown) else str(found)


def skips_waiting(obj: Mapping[str, Any]) -> bool:
    """Whether nothing waits for the object to become ready."""
    return value(obj, "skipAwait").lower() == "true"


def timeout(obj: Mapping[str, Any], custom_s: float, default_s: float) -> float:
    """Seconds to wait: the resource option customTimeouts, else the annotation, else the default."""
    if custom_s:
        return custom_s
    given = value(obj, "timeoutSeconds")
    return float(given) if given.isdigit() else default_s


def forces(obj: Mapping[str, Any]) -> bool:
    """Whether an update may take fields from other managers (await.go patchForce)."""
    if os.environ.get("PULUMI_K8S_ENABLE_PATCH_FORCE") == "true":
        return True
    return value(obj, "patchForce").lower() == "true"


def propagation(obj: Mapping[str, Any]) -> str:
    """How dependents go on deletion: first of all (Foreground) unless the object says otherwise."""
    asked = value(obj, "deletionPropagationPolicy").lower()
    return {"orphan": "Orphan", "background": "Background"}.get(asked, "Foreground")
