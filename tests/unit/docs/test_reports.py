"""docs/reports.md names a regression test for each reported fault, and each test exists."""

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
ROW = re.compile(
    r"^\| (?P<id>[A-Z]\d+) \| (?P<report>[^|]+) \| (?P<fault>[^|]+) \| (?P<tests>[^|]+) \|$", re.MULTILINE
)
TEST = re.compile(r"\[`(?P<name>test_\w+)`\]\(\.\./(?P<path>tests/[\w/]+\.py)\)")
DEFINED = re.compile(r"^ *(?:async )?def (test_\w+)\(", re.MULTILINE)
NAME = re.compile(r"test_(?P<id>[bcnlsz]\d+)_")


def rows() -> dict[str, list[tuple[str, str]]]:
    """The tests of each row as (path, function name), by the row's id."""
    page = (ROOT / "docs/reports.md").read_text()
    return {
        row["id"]: [(each["path"], each["name"]) for each in TEST.finditer(row["tests"])]
        for row in ROW.finditer(page)
    }


@cache
def functions_in(path: Path) -> frozenset[str]:
    """The names of the test functions in a file."""
    return frozenset(DEFINED.findall(path.read_text()))


@pytest.mark.parametrize("row", sorted(rows()))
def test_each_row_names_tests_that_exist_and_carry_its_id(row: str) -> None:
    named = rows()[row]
    assert named
    for path, name in named:
        assert name in functions_in(ROOT / path), f"{path} has no {name}"
        assert name.startswith(f"test_{row.lower()}_")


def test_each_test_that_carries_an_id_has_a_row() -> None:
    names = {name for path in (ROOT / "tests").rglob("test_*.py") for name in functions_in(path)}
    assert {found["id"].upper() for name in names if (found := NAME.match(name))} == set(rows())
