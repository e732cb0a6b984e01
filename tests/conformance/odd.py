"""What may stand in a document where something else is expected, and where."""

import json
from collections.abc import Iterator
from typing import Any

from tests.conformance.documents import Json

ODD: list[Any] = [
    *(None, True, 0, -1, 10**30, 1.5, float("nan")),
    *("", " ", "x", "\ud800", "\x1b[31m", "two\nlines", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59"),
    *([], [None], [[]], {}, {"kind": []}, [{"key": 3}], [{"type": "Ready"}]),
]

Path_ = tuple[str | int, ...]


def paths(value: Any, above: Path_ = ()) -> Iterator[Path_]:
    """Every place in a document."""
    yield above
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, each in inner:
        yield from paths(each, (*above, step))


def changed(document: Json, path: Path_, odd: Any) -> Any:
    """A copy of the document with that place replaced."""
    copy: Any = {"root": json.loads(json.dumps(document))}
    whole = ("root", *path)
    inner = copy
    for step in whole[:-1]:
        inner = inner[step]
    inner[whole[-1]] = odd
    return copy["root"]
