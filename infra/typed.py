"""Render infra/args.py, the typed arguments of the component, from the keys' declarations."""

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
    """Return the module's text: a TypedDict per kind of object, inner objects first."""
    return "\n\n\n".join([HEAD, *(typed_dict(record) for record in records(ROOT))]) + "\n"


def records(record: Record) -> Iterator[Record]:
    """Yield every object inside `record`, the innermost first, and `record` last."""
    for shape in record.fields.values():
        inner = shape.inner if isinstance(shape, Optional) else shape
        if isinstance(inner, Rows | Entries):
            inner = inner.item
        if isinstance(inner, Record):
            yield from records(inner)
    yield record


def name_of(record: Record) -> str:
    """Return the class name of an object: the name of the dataclass."""
    return TOP if record is ROOT else record.build.__name__


def typed_dict(record: Record) -> str:
    """Return a class with a description below every key, as expected by Pulumi's analyzer."""
    about = record.reason or (record.build.__doc__ or "").partition("\n")[0]
    lines = [f"class {name_of(record)}(TypedDict):", docstring(about), ""]
    for name, shape in record.fields.items():
        python = type_of(shape)
        if isinstance(shape, Optional) and shape.default is not None:
            python = f"{python} | None"
        typed = python if needed(shape) else f"NotRequired[{python}]"
        lines += [f"    {name}: {typed}", docstring(describe(shape))]
    return "\n".join(lines)


def describe(shape: Shape) -> str:
    """Return the purpose of the key and its allowed values."""
    why = shape.reason or "A value."
    return why if shape.kind in {"object", "boolean"} else f"{why.rstrip('.')}. Allowed: {shape.allowed}."


def docstring(text: str) -> str:
    """Return a docstring for a class body, within the line length."""
    quoted = text.replace("\\", "\\\\").replace('"""', "'''")
    return textwrap.fill(
        f'"""{quoted}"""', 106, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False
    )


def type_of(shape: Shape) -> str:
    """Return the Python type; plain for values that shape the resource graph, else maybe an Output."""
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
