"""Convert the component's arguments to the spelling of the stack configuration, for a common reader."""

from collections.abc import Mapping
from typing import Any

from .shapes import Entries, Optional, Record, Rows, Shape, Whole, camel


def as_config(raw: Any, shape: Shape) -> Any:
    """Return `raw` with declared keys in camel case (`subnet_id` -> `subnetId`); all else is unchanged.

    A whole number passed as a float becomes an integer: the engine's wire format has only doubles.
    """
    inner = shape.inner if isinstance(shape, Optional) else shape
    if isinstance(inner, Whole) and isinstance(raw, float) and raw.is_integer():
        return int(raw)
    if isinstance(inner, Rows) and isinstance(raw, (list, tuple)):
        return [as_config(item, inner.item) for item in raw]
    if isinstance(inner, Entries) and isinstance(raw, Mapping):
        return {key: as_config(value, inner.item) for key, value in raw.items()}
    if isinstance(inner, Record) and isinstance(raw, Mapping):
        names = {camel(name): field for name, field in inner.fields.items()}
        spelled = {camel(key) if key in inner.fields else key: value for key, value in raw.items()}
        return {
            key: as_config(value, names[key]) if key in names else value for key, value in spelled.items()
        }
    return raw
