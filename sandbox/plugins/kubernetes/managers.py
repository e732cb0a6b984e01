"""Field managers: creations are plain POSTs, updates server-side applies (pulumi-kubernetes#4278)."""

from collections.abc import Mapping
from typing import Any, Final

CREATOR: Final = "pulumi-kubernetes"  # the manager of every creation (await.go Creation)
_OWN: Final = frozenset({"pulumi-resource-kubernetes", CREATOR, "pulumi-kubernetes.exe"})
# Managers whose fields an update takes over without a conflict (await.go fixCSAFieldManagers); prefixes, and
# the affected operations.
_TAKEN_OVER: Final = (
    ("kubectl", ("Apply", "Update")),
    ("before-first-apply", ("Update",)),
    ("pulumi-kubernetes", ("Update",)),
    ("pulumi-resource-kubernetes", ("Update",)),
)


def forced(live: Mapping[str, Any], *, preview: bool) -> bool:
    """Return whether an apply overwrites conflicts by default (await.go patchForce).

    True without a recorded manager. Also true in a preview while fields belong to a creation: only the real
    update moves such fields to the apply's manager before the apply.
    """
    entries = live["metadata"].get("managedFields") or []
    created = any(one["operation"] == "Update" and one["manager"] in _OWN for one in entries)
    return not entries or (preview and created)


def taken_over(live: Mapping[str, Any], manager: str) -> list[dict[str, Any]] | None:
    """Return `managedFields` with the fields of _TAKEN_OVER moved to `manager`'s Apply; None for no change.

    The API server treats a manager's Update and Apply as two managers: the first apply after a POST would
    conflict with the POST, and would never remove a field.
    """
    entries = live["metadata"].get("managedFields") or []
    ours: dict[str, Any] = {}
    others: list[dict[str, Any]] = []
    for entry in entries:
        mine = entry["manager"] == manager and entry["operation"] == "Apply"
        if not entry.get("subresource") and (mine or _is_taken(entry)):
            ours = _merged(ours, entry.get("fieldsV1") or {})
            template = entry
        else:
            others.append(entry)
    if not any(_is_taken(entry) for entry in entries if not entry.get("subresource")):
        return None
    taken = {**template, "manager": manager, "operation": "Apply", "fieldsV1": ours}
    return [taken, *others]


def _is_taken(entry: Mapping[str, Any]) -> bool:
    return any(
        entry["manager"].startswith(prefix) and entry["operation"] in operations
        for prefix, operations in _TAKEN_OVER
    )


def _merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    keys = {**one, **other}
    return {key: _merged(one.get(key, {}), other.get(key, {})) for key in keys}
