"""Compare an object in the cluster with the object in a program.

The live object is first reduced to the fields of the program's last inputs (provider.go pruneLiveState):
further fields, filled in by the server or a controller, are not drift.
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

# metadata written only by the server (provider.go normalizeInputs)
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
    """Return inputs in the server's form: no server-side metadata, a Secret's stringData in data."""
    result = without_server_metadata(inputs)
    if result.get("kind") == "Secret" and result.get("apiVersion") == "v1":
        plain = result.pop("stringData", None)
        if isinstance(plain, Mapping):
            result["data"] = {**(result.get("data") or {}), **{k: _encoded(v) for k, v in plain.items()}}
        elif plain is not None:
            result["data"] = plain
    return result


def without_server_metadata(inputs: Mapping[str, Any]) -> Object:
    """Return a copy of the inputs without metadata written only by the server."""
    result = deepcopy(dict(inputs))
    metadata = result.get("metadata")
    if isinstance(metadata, dict):
        for name in _SERVERS_METADATA:
            metadata.pop(name, None)
    return result


def pruned(live: Mapping[str, Any], inputs: Mapping[str, Any]) -> Object:
    """Return `live` with only the fields of `inputs`.

    A zero value of the inputs ("", 0, false, [] or {}) missing in `live` is kept: the server does not store
    zero values, so an absence is not drift.
    """
    seen = {key: _pruned(live[key], inputs[key]) for key in live if key in inputs}
    return seen | {key: value for key, value in inputs.items() if key not in live and _zero(value)}


def differences(old: Any, new: Any) -> dict[Path, Change]:
    """Return every path at which `new` inputs differ from the `old` (pruned) object.

    Quantities are compared by amount ("0.25" is "250m"), and an empty list or map is absent, because the
    server drops empty lists and maps.
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
