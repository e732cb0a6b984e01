"""docs/stories.md shows the stories that are played, with their figures."""

from pathlib import Path

from tests.unit.decide.stories import STORIES, as_markdown

PAGE = Path(__file__).parents[3] / "docs" / "stories.md"


def test_the_page_shows_the_stories_as_they_are_played() -> None:
    table = as_markdown(STORIES)
    assert table in PAGE.read_text(encoding="utf-8"), f"replace the table in docs/stories.md by:\n{table}"
