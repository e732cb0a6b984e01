"""Renders infra/args.py, the typed arguments of the component, from the keys' own declarations."""

import textwrap
from collections.abc import Iterator
from typing import Final

from .keys import ROOT
from .schemas import needed
from .shapes import Entries, Flag, Optional, Record, Rows, Shape, Text, Whole

HEAD: Final = '''"""The arguments of `NodeNlb`, as types; written from infra/keys.py by infra/reference.py."""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

import pulumi'''
TOP: Final = "NodeNlbArgs"


def arguments() -> str:
    """The module's text: a TypedDict for each kind of object, those that are used first."""
    return "\n\n\n".join([HEAD, *(typed_dict(record) for record in records(ROOT))]) + "\n"


def records(record: Record) -> Iterator[Record]:
    """Every object that `record` is made of, the innermost first, and itself last."""
    for shape in record.fields.values():
        inner = shape.inner if isinstance(shape, Optional) else shape
        if isinstance(inner, Rows | Entries):
            inner = inner.item
        if isinstance(inner, Record):
            yield from records(inner)
    yield record


def name_of(record: Record) -> str:
    """The class of an object: its dataclass's name."""
    return TOP if record is ROOT else record.build.__name__


def typed_dict(record: Record) -> str:
    """One class, with the description of each key below it, where Pulumi's analyzer looks for it."""
    about = record.reason or (record.build.__doc__ or "").partition("\n")[0]
    lines = [f"class {name_of(record)}(TypedDict):", docstring(about), ""]
    for name, shape in record.fields.items():
        python = type_of(shape)
        typed = python if needed(shape) else f"NotRequired[{python}]"
        lines += [f"    {name}: {typed}", docstring(describe(shape))]
    return "\n".join(lines)


def describe(shape: Shape) -> str:
    """Why the key exists and what it may be."""
    why = shape.reason or "A value."
    return why if shape.kind in {"object", "boolean"} else f"{why.rstrip('.')}. Allowed: {shape.allowed}."


def docstring(text: str) -> str:
    """A docstring of a class's body, within the line length."""
    quoted = text.replace("\\", "\\\\").replace('"""', "'''")
    return textwrap.fill(
        f'"""{quoted}"""', 106, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False
    )


def type_of(shape: Shape) -> str:
    """The Python type of a value: what shapes the resource graph is plain, an id or name may be an Output."""
    inner = shape.inner if isinstance(shape, Optional) else shape
    if isinstance(inner, Whole):
        return "int"
    if isinstance(inner, Flag):
        return "bool"
    if isinstance(inner, Rows):
        return f"Sequence[{type_of(inner.item)}]"
    if isinstance(inner, Entries):
        return f"Mapping[str, {type_of(inner.item)}]"
    if isinstance(inner, Record):
        return name_of(inner)
    return "pulumi.Input[str]" if isinstance(inner, Text) and inner.output else "str"
