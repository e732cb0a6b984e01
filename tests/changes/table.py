"""docs/changes.md: the rows with their measured results."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

PAGE: Final = Path(__file__).parents[2] / "docs" / "changes.md"
BEGIN: Final = "<!-- rows: written by python -m tests.changes -->\n"
END: Final = "<!-- end of rows -->\n"
_COLUMNS: Final = ("change", "result", "resources", "requests failed", "ARN, DNS name and static IPs kept")


def written() -> dict[str, tuple[str, ...]]:
    """Return the cells of each row in the page, by the row's name."""
    _, _, rest = PAGE.read_text().partition(BEGIN)
    lines = rest.partition(END)[0].strip().splitlines()[2:]
    rows = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines]
    return {row[0]: row[1:] for row in rows}


def write(rows: Mapping[str, tuple[str, ...]]) -> None:
    """Write the rows into the page."""
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    head = f"| {' | '.join(_COLUMNS)} |\n{'|---' * len(_COLUMNS)}|\n"
    body = "".join(f"| {' | '.join((name, *cells))} |\n" for name, cells in rows.items())
    PAGE.write_text(f"{before}{BEGIN}\n{head}{body}\n{END}{after}")
