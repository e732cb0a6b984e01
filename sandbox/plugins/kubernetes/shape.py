"""Comparing an object as the cluster has it with an object as a program asks for it.

The live object is first cut down to the fields of the program's last inputs (provider.go pruneLiveState):
what the server or a controller fills in beside them is nobody's drift.
"""

import base64
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from sandbox.plugins.difference import Change, Path
from sandbox.plugins.values import has_unknown

Object = dict[str, Any]

# metadata that only the server writes (provider.go normalizeInputs)
_SERVERS_METADATA: Final = (
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "uid",
)
_QUANTITY: Final = re.compile(r"([+-]?[0-9.]+)(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|)")
_QUANTITY_PARENTS: Final = frozenset({"limits", "requests", "capacity", "hard", "sizeLimit", "storage"})
_SUFFIXES: Final = {
    "m": Decimal("0.001"),
    "": Decimal(1),
    **{name: Decimal(1000) ** power for power, name in enumerate("kMGTPE", 1)},
    **{f"{name}i": Decimal(1024) ** power for power, name in enumerate("KMGTPE", 1)},
}
_MISSING: Final = object()


def normalised(inputs: Mapping[str, Any]) -> Object:
    """Inputs in the form the server would store: no server-side metadata, a Secret's stringData in data."""
    result = without_server_metadata(inputs)
    if result.get("kind") == "Secret" and result.get("apiVersion") == "v1":
        plain = result.pop("stringData", None)
        if isinstance(plain, Mapping):
            result["data"] = {**(result.get("data") or {}), **{k: _encoded(v) for k, v in plain.items()}}
        elif plain is not None:
            result["data"] = plain
    return result


def without_server_metadata(inputs: Mapping[str, Any]) -> Object:
    """A copy of the inputs without metadata that only the server writes."""
    result = deepcopy(dict(inputs))
    metadata = result.get("metadata")
    if isinstance(metadata, dict):
        for name in _SERVERS_METADATA:
            metadata.pop(name, None)
    return result


def pruned(live: Mapping[str, Any], inputs: Mapping[str, Any]) -> Object:
    """`live` with only those fields that `inputs` has too.

    A zero value of the inputs ("", 0, false, [] or {}) that is missing in `live` is kept: the server stores
    nothing for it, so that its absence is no drift.
    """
    seen = {key: _pruned(live[key], inputs[key]) for key in live if key in inputs}
    return seen | {key: value for key, value in inputs.items() if key not in live and _zero(value)}


def differences(old: Any, new: Any) -> dict[Path, Change]:
    """Every path at which `new` inputs differ from the `old` (pruned) object.

    Quantities are compared by amount ("0.25" is "250m"), and an empty list or map is an absent one, since the
    server drops it.
    """
    return dict(_differences((), old, new))


def _pruned(live: Any, inputs: Any) -> Any:
    if isinstance(live, Mapping) and isinstance(inputs, Mapping):
        return pruned(live, inputs)
    if isinstance(live, list) and isinstance(inputs, list):
        return [_pruned(one, other) for one, other in zip(live, inputs, strict=False)]
    return live


def _zero(value: Any) -> bool:
    return value is not None and not value


def _differences(path: Path, old: Any, new: Any) -> Iterator[tuple[Path, Change]]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            yield from _differences((*path, key), old.get(key, _MISSING), new.get(key, _MISSING))
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            yield from _differences((*path, index), _at(old, index), _at(new, index))
    elif _empty(old) and _empty(new):
        return
    elif old is _MISSING or old is None:
        yield path, Change.ADD
    elif new is _MISSING or new is None:
        yield path, Change.DELETE
    elif not _equal(path, old, new):
        yield path, Change.UPDATE


def _at(items: list[Any], index: int) -> Any:
    return items[index] if index < len(items) else _MISSING


def _empty(value: Any) -> bool:
    return value is _MISSING or value is None or (isinstance(value, (Mapping, list)) and not value)


def _equal(path: Path, old: Any, new: Any) -> bool:
    if isinstance(old, bool) or isinstance(new, bool):
        return old is new
    if old == new:
        return True
    if not _QUANTITY_PARENTS.intersection(map(str, path)):
        return False
    amounts = (_amount(old), _amount(new))
    return amounts[0] is not None and amounts[0] == amounts[1]


def _amount(quantity: Any) -> Decimal | None:
    matched = _QUANTITY.fullmatch(str(quantity))
    try:
        return Decimal(matched[1]) * _SUFFIXES[matched[2]] if matched else None
    except InvalidOperation:
        return None


def _encoded(text: Any) -> Any:
    return text if has_unknown(text) else base64.b64encode(str(text).encode()).decode()
