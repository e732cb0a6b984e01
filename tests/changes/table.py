"""docs/changes.md: the rows with their measured results."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.changes.rows import SECTIONS

PAGE: Final = Path(__file__).parents[2] / "docs" / "changes.md"
BEGIN: Final = "<!-- rows: written by python -m tests.changes -->\n"
END: Final = "<!-- end of rows -->\n"
_COLUMNS: Final = ("change", "result", "resources", "requests failed", "ARN, DNS name, static IPs kept")

Cells = tuple[str, ...]


def written() -> dict[str, Cells]:
    """Return the cells of each row in the page, by the row's name."""
    _, _, rest = PAGE.read_text().partition(BEGIN)
    return parsed(rest.partition(END)[0])


def parsed(text: str) -> dict[str, Cells]:
    """Return the rows of the tables in a text."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    rows = [tuple(cell.strip() for cell in line[1:-1].split(" | ")) for line in lines]
    return {row[0]: row[1:] for row in rows if len(row) == len(_COLUMNS) and row != _COLUMNS}


def write(rows: Mapping[str, Cells]) -> None:
    """Write the rows into the page."""
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}{rendered(rows)}\n{END}{after}")


def rendered(rows: Mapping[str, Cells]) -> str:
    """Return a table for each section."""
    text = ""
    for title, every in SECTIONS.items():
        text += f"\n## {title}\n\n| {' | '.join(_COLUMNS)} |\n{'|---' * len(_COLUMNS)}|\n"
        text += "".join(
            f"| {' | '.join((row.name, *rows[row.name]))} |\n" for row in every if row.name in rows
        )
    return text
