"""Write the files generated from the keys' declarations (`python -m infra.reference`).

The table of docs/keys.md, the `config:` of Pulumi.yaml, the JSON Schema for editors, infra/args.py, and the
component's schema for other languages.
"""

import os
import sys
from pathlib import Path
from typing import Final

from .host import NodeNlbProvider
from .keytable import table
from .schemas import editor_schema, project_config
from .typed import arguments

PROJECT: Final = Path(__file__).parent.parent
PAGE: Final = PROJECT / "docs" / "keys.md"
ARGS: Final = PROJECT / "infra" / "args.py"
BEGIN: Final = "<!-- keys: written by python -m infra.reference -->\n"
END: Final = "<!-- end of keys -->\n"
KEYS: Final = "  # Written by python -m infra.reference: a wrong type is refused before anything runs.\n"


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
