"""Strategic merge patches, as far as the bench's fleet writes them."""

from collections.abc import Mapping
from typing import Any

# The merge keys of Kubernetes' API: lists with such a key are merged, others are replaced.
_KEYS = {"conditions": "type", "addresses": "type"}


def merged(old: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """Return `old` with the patch applied; null deletes a field."""
    new = dict(old)
    for name, value in patch.items():
        known = new.get(name)
        if value is None:
            new.pop(name, None)
        elif isinstance(value, Mapping) and isinstance(known, Mapping):
            new[name] = merged(known, value)
        elif name in _KEYS and isinstance(known, list):
            new[name] = _merged_list(known, value, _KEYS[name])
        else:
            new[name] = value
    return new


def _merged_list(old: list[Any], patch: list[Any], key: str) -> list[Any]:
    """Return the entries of both in the API server's order (mergeSortedSlice of k8s.io/apimachinery).

    An entry of `old` alone precedes an entry of the patch only if both are in `old`, in this order.
    """
    entries = {entry[key]: entry for entry in old}
    places = {name: place for place, name in enumerate(entries)}
    waiting = {entry[key]: merged(entries.pop(entry[key], {}), entry) for entry in patch}
    found: list[Any] = []
    for name, entry in waiting.items():
        before = [other for other in entries if places[other] < places.get(name, 0)]
        found += [*(entries.pop(other) for other in before), entry]
    return [*found, *entries.values()]
