"""Render Kubernetes objects with expressions as templates of a Helm chart, for infra/helmchart.py.

The input is an object per identity kind; `merged` combines the variants into an object with conditions.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

KIND: Final = "$.Values.identity.kind"
_PLAIN: Final = re.compile(r"[A-Za-z/][\w./-]*", re.ASCII)
_WORDS: Final = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})


@dataclass(frozen=True, slots=True)
class Expr:
    """A value of the template language."""

    code: str

    def __add__(self, suffix: str) -> "Expr":
        """Return the text with a suffix, for names."""
        return Expr(f"print {self.code} {json.dumps(suffix)}")


@dataclass(frozen=True, slots=True)
class IfSet(Expr):
    """A field that is omitted for an empty value."""


@dataclass(frozen=True, slots=True)
class Spread:
    """A map inside another map: fields before are defaults; the map must not contain the fields after."""

    code: str


@dataclass(frozen=True, slots=True)
class Each:
    """An entry per `$name` and `$value` of a map."""

    code: str
    entry: Any


@dataclass(frozen=True, slots=True)
class Items:
    """The field of a list's entry to be repeated per item of a list."""

    code: str


@dataclass(frozen=True, slots=True)
class When:
    """A part for some identity kinds only."""

    kinds: tuple[str, ...]
    value: Any


@dataclass(frozen=True, slots=True)
class If:
    """A field under a condition."""

    code: str
    value: Any


@dataclass(frozen=True, slots=True)
class Choice:
    """A text that differs by identity kind."""

    values: tuple[tuple[str, str], ...]


def merged(variants: Mapping[str, Any]) -> Any:
    """Merge the variants of several identity kinds into a single object."""
    nodes = list(variants.values())
    if all(node == nodes[0] for node in nodes):
        return nodes[0]
    if all(isinstance(node, dict) for node in nodes):
        return dict(_union({kind: list(node.items()) for kind, node in variants.items()}))
    if all(isinstance(node, list) for node in nodes):
        keyed = {kind: list(zip(_keys(node), node, strict=True)) for kind, node in variants.items()}
        return [value for _, value in _union(keyed)]
    return Choice(tuple((kind, str(node)) for kind, node in variants.items()))


def _keys(items: Sequence[Any]) -> list[Any]:
    """Return the keys of a list's entries: the expression of a loop, the name, or the position."""
    return [
        item.code if isinstance(item, Each) else item.get("name", place) if isinstance(item, dict) else place
        for place, item in enumerate(items)
    ]


def _union(variants: Mapping[str, list[tuple[Any, Any]]]) -> list[tuple[Any, Any]]:
    order: list[Any] = []
    for entries in variants.values():
        place = 0
        for key, _ in entries:
            if key not in order:
                order.insert(place, key)
            place = order.index(key) + 1
    found = {kind: dict(entries) for kind, entries in variants.items()}
    return [
        (key, _of_some({kind: each[key] for kind, each in found.items() if key in each}, found))
        for key in order
    ]


def _of_some(having: Mapping[str, Any], every: Mapping[str, Any]) -> Any:
    value = merged(having)
    return value if len(having) == len(every) else When(tuple(having), value)


def lines(node: Any, indent: int = 0) -> list[str]:
    """Return a map or list as lines of a template."""
    pad = " " * indent
    if isinstance(node, dict):
        return [line for key, value in _guarded(node) for line in _field(key, value, pad)]
    found = []
    for kinds, items in groupby(node, lambda each: each.kinds if isinstance(each, When) else None):
        inner = [line for each in items for line in _entry(each, pad)]
        found += inner if kinds is None else [f"{{{{- if {_condition(kinds)} }}}}", *inner, "{{- end }}"]
    return found


def _entry(item: Any, pad: str) -> list[str]:
    """Return an entry of a list, or a loop of entries."""
    if isinstance(item, When):
        return _item(item.value, pad)
    if isinstance(item, Each):
        opened = f"{{{{- range $name, $value := {item.code} }}}}"
        return [opened, *_item(item.entry, pad), "{{- end }}"]
    values = item.values() if isinstance(item, dict) else ()
    if repeated := [each for each in values if isinstance(each, Items)]:
        return [f"{{{{- range $item := {repeated[0].code} }}}}", *_item(item, pad), "{{- end }}"]
    return _item(item, pad)


def _guarded(node: Mapping[Any, Any]) -> Iterable[tuple[Any, Any]]:
    """Yield the fields; a field before a spread map has the map as guard."""
    spread = next((key for key in node if isinstance(key, Spread)), None)
    before = spread is not None
    for key, value in node.items():
        if key is spread:
            before = False
        yield ((spread, key) if before else key), value


def _field(key: Any, value: Any, pad: str) -> list[str]:
    if isinstance(key, tuple):
        spread, name = key
        opened = f"{{{{- if not (hasKey {spread.code} {json.dumps(name)}) }}}}"
        return [opened, *_field(name, value, pad), "{{- end }}"]
    if isinstance(key, Spread):
        return [f"{{{{- with {key.code} }}}}", f"{{{{- toYaml . | nindent {len(pad)} }}}}", "{{- end }}"]
    if isinstance(value, When):
        return [f"{{{{- if {_condition(value.kinds)} }}}}", *_field(key, value.value, pad), "{{- end }}"]
    if isinstance(value, If):
        return [f"{{{{- if {value.code} }}}}", *_field(key, value.value, pad), "{{- end }}"]
    if isinstance(value, dict) and len(value) == 1 and isinstance(next(iter(value)), Spread):
        value = IfSet(next(iter(value)).code)
    if isinstance(value, IfSet):
        return [f"{{{{- with {value.code} }}}}", f"{pad}{key}: {{{{ toJson . }}}}", "{{- end }}"]
    if isinstance(value, (dict, list)) and value:
        return [f"{pad}{key}:", *lines(value, len(pad) + 2)]
    return [f"{pad}{key}: {scalar(value)}"]


def _item(item: Any, pad: str) -> list[str]:
    if not isinstance(item, dict):
        return [f"{pad}- {scalar(item)}"]
    first, *rest = lines(item, len(pad) + 2)
    return [f"{pad}- {first.strip()}", *rest]


def scalar(value: Any) -> str:
    """Format a value on a single line."""
    if isinstance(value, Expr):
        return f"{{{{ toJson ({value.code}) }}}}"
    if isinstance(value, Items):
        return "{{ $item }}"
    if isinstance(value, Choice):
        table = " ".join(f"{json.dumps(kind)} {json.dumps(text)}" for kind, text in value.values)
        return f"{{{{ get (dict {table}) {KIND} | toJson }}}}"
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return json.dumps(value)


def _condition(kinds: Sequence[str]) -> str:
    if len(kinds) == 1:
        return f"eq {KIND} {json.dumps(kinds[0])}"
    return f"has {KIND} (list {' '.join(map(json.dumps, kinds))})"
