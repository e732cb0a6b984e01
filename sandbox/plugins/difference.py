"""Changes between two property maps, in the terms of the engine's detailed diff."""

import enum
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.plugins.values import reveal

_PLAIN_KEY = re.compile(r"[A-Za-z_$][\w$]*")
_ABSENT = object()


class Change(enum.Enum):
    """The kind of a change; the values are those of PropertyDiff.Kind without the replace bit."""

    ADD = 0
    DELETE = 2
    UPDATE = 4


Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The response to Diff: every changed path, and the paths that force a replacement."""

    changes: Mapping[Path, Change] = field(default_factory=dict)
    replaces: frozenset[Path] = frozenset()
    delete_before_replace: bool = False
    stables: tuple[str, ...] = ()

    @property
    def fields(self) -> list[str]:
        """Return the changed top-level properties."""
        return sorted({str(path[0]) for path in self.changes})

    @property
    def replaced_fields(self) -> list[str]:
        """Return the changed top-level properties with a change that forces a replacement."""
        return sorted({str(path[0]) for path in self.replaces})


def compare(old: Any, new: Any) -> dict[Path, Change]:
    """Return every path at which `new` differs from `old`; an unknown new value is an update.

    Secrets are compared by content. Lists are compared by position, as displayed by the engine.
    """
    return dict(_compare((), reveal(old), reveal(new)))


def without(changes: Mapping[Path, Change], ignored: Iterable[str]) -> dict[Path, Change]:
    """Return `changes` without paths at or below one of the `ignored` property paths (`ignore_changes`)."""
    skipped = [parse(path) for path in ignored]
    return {
        path: change for path, change in changes.items() if not any(_below(path, skip) for skip in skipped)
    }


def show(path: Path) -> str:
    """Format a property path like the engine: spec.ports[0], metadata.labels["a/b"]."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _PLAIN_KEY.fullmatch(part):
            text += f".{part}" if text else part
        else:
            quoted = part.replace('"', '\\"')
            text += f'["{quoted}"]'
    return text


def parse(text: str) -> Path:
    """Parse a property path in the engine's notation; `*` matches any single part."""
    parts: list[str | int] = []
    for quoted, index, plain in re.findall(r'\["((?:[^"\\]|\\.)*)"\]|\[(\d+|\*)\]|([^.\[\]]+)', text):
        if index:
            parts.append("*" if index == "*" else int(index))
        else:
            parts.append(quoted.replace('\\"', '"') if quoted else plain)
    return tuple(parts)


def _compare(path: Path, old: Any, new: Any) -> Iterator[tuple[Path, Change]]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            yield from _compare((*path, key), old.get(key, _ABSENT), new.get(key, _ABSENT))
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            yield from _compare((*path, index), _item(old, index), _item(new, index))
    elif _empty(old) and _empty(new):
        return
    elif _empty(old) or _empty(new):
        yield path, Change.ADD if _empty(old) else Change.DELETE
    elif old != new or isinstance(old, bool) != isinstance(new, bool):
        yield path, Change.UPDATE


def _item(items: list[Any], index: int) -> Any:
    return items[index] if index < len(items) else _ABSENT


def _empty(value: Any) -> bool:
    """Return whether a property is null or absent (resource.PropertyMap.Diff ignores nulls)."""
    return value is _ABSENT or value is None


def _below(path: Path, prefix: Path) -> bool:
    return len(path) >= len(prefix) and all(
        want in ("*", have) for have, want in zip(path, prefix, strict=False)
    )
