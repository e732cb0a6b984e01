"""The table of docs/keys.md: a row for every key of the stack configuration."""

import json
from collections.abc import Iterator
from typing import Any

from .effects import effect
from .keys import ROOT
from .shapes import REQUIRED, Entries, Optional, Record, Rows, Shape, camel


def table() -> str:
    """Return a Markdown table with a row per key."""
    head = ["| key | type | default | allowed | why | a change |", "|---|---|---|---|---|---|"]
    return "\n".join(
        [*head, *(row for name, shape in ROOT.fields.items() for row in rows(camel(name), shape))]
    )


def rows(path: str, shape: Shape) -> Iterator[str]:
    """Yield the key, then the keys inside; maps of plain strings have no rows inside."""
    inner = shape.inner if isinstance(shape, Optional) else shape
    cells = (f"`{path}`", inner.kind, default(shape), shape.allowed, inner.reason, effect(path))
    yield "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"
    if isinstance(inner, Rows):
        inner, path = inner.item, f"{path}[]"
    elif isinstance(inner, Entries):
        inner, path = inner.item, f"{path}.*"
    if isinstance(inner, Record):
        for name, field in inner.fields.items():
            yield from rows(f"{path}.{camel(name)}", field)


def default(shape: Shape) -> str:
    """Return the meaning of an absent key."""
    if shape.default is REQUIRED:
        return "required"
    if shape.default is None:
        return "absent"
    return "" if isinstance(shape, Record) else f"`{compact(shape.default)}`"


def compact(value: Any) -> str:
    """Return a default on a single line; strings without quotes."""
    return value if isinstance(value, str) else json.dumps(value)
