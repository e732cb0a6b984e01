"""Edits of a configuration: a value at a path is set or removed."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.changes.stand import Stand

Keys = dict[str, Any]
Edit = Callable[[Keys, "Stand"], None]


def put(path: str, value: Any) -> Edit:
    """Set the value at `path`; a part of the path beside a list is the name of an item.

    A function of the stand gives a value that only the sandbox has, such as an id of AWS.
    """

    def edit(keys: Keys, stand: "Stand") -> None:
        inner, last = _reach(keys, path)
        inner[last] = value(stand) if callable(value) else value

    return edit


def drop(path: str) -> Edit:
    """Remove the key at `path`, if present."""

    def edit(keys: Keys, _: "Stand") -> None:
        inner, last = _reach(keys, path)
        inner.pop(last, None)

    return edit


def each(*edits: Edit) -> Edit:
    """Do several edits in one run of `up`."""

    def edit(keys: Keys, stand: "Stand") -> None:
        for one in edits:
            one(keys, stand)

    return edit


def nothing(_: Keys, __: "Stand") -> None:
    """Leave the configuration as it is: `up` repairs a change by hand."""


def _reach(keys: Keys, path: str) -> tuple[Any, str]:
    *parts, last = path.split(".")
    inner: Any = keys
    for part in parts:
        if isinstance(inner, list):
            inner = next(item for item in inner if item["name"] == part)
        else:
            inner = inner.setdefault(part, {})
    return inner, last
