"""Write the files generated from the keys' declarations (`python -m infra.reference`).

The table of docs/stack.md, the `config:` of Pulumi.yaml, the JSON Schema for editors, infra/args.py, and the
component's schema for other languages.
"""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from .effects import effect
from .host import NodeNlbProvider
from .keys import ROOT
from .schemas import editor_schema, project_config
from .shapes import REQUIRED, Entries, Optional, Record, Rows, Shape, camel
from .typed import arguments

PROJECT: Final = Path(__file__).parent.parent
PAGE: Final = PROJECT / "docs" / "stack.md"
ARGS: Final = PROJECT / "infra" / "args.py"
BEGIN: Final = "<!-- keys: written by python -m infra.reference -->\n"
END: Final = "<!-- end of keys -->\n"
KEYS: Final = "  # Written by python -m infra.reference: a wrong type is refused before anything runs.\n"


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


def with_table(page: str) -> str:
    """Return the page with the table between the two marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}\n\n{END}{after}"


def with_config(project: str) -> str:
    """Return Pulumi.yaml with the keys, the last part of the file."""
    before, mark, _ = project.partition(KEYS)
    return f"{before}{mark}{project_config()}"


def written() -> dict[Path, str]:
    """Return every generated file with its text."""
    project = PROJECT / "Pulumi.yaml"
    return {
        PAGE: with_table(PAGE.read_text()),
        project: with_config(project.read_text()),
        PROJECT / "docs" / "stack.schema.json": editor_schema(),
        ARGS: arguments(),
        PROJECT / "plugin" / "schema.json": NodeNlbProvider().schema or "",
    }


if __name__ == "__main__":
    stale = ARGS.read_text() != arguments()
    for path, text in written().items():
        path.write_text(text)
    if stale:  # the plugin's schema was generated from the old arguments, imported by this process
        os.execv(sys.executable, [sys.executable, "-m", "infra.reference"])  # noqa: S606
