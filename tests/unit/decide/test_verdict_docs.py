"""docs/verdicts.md shows the rule list of the code and no other."""

from pathlib import Path

from syncer.decide.answers import verdict_table

PAGE = Path(__file__).parents[3] / "docs" / "verdicts.md"


def test_the_page_shows_the_rules_as_they_are() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert verdict_table() in page, f"replace the table in docs/verdicts.md by:\n{verdict_table()}"
