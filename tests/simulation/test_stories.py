"""The stories of the brake, each played once in virtual time, and the table of docs/stories.md."""

from functools import cache
from pathlib import Path

import pytest

from tests.simulation.stories import STORIES, Played, Story, as_markdown, assert_as_told, play

PAGE = Path(__file__).parents[2] / "docs" / "stories.md"


@cache
def played(name: str) -> Played:
    """A story, played once however many tests look at it."""
    return play(next(story for story in STORIES if story.name == name))


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name.replace(" ", "-"))
def test_a_story_ends_well_and_never_has_fewer_serving_targets(story: Story) -> None:
    assert_as_told(story, played(story.name))


@pytest.mark.parametrize(
    "story",
    [story for story in STORIES if not story.deadlines],
    ids=lambda story: story.name.replace(" ", "-"),
)
def test_half_of_what_served_in_the_last_ten_minutes_goes_on_serving(story: Story) -> None:
    served = played(story.name).served
    for second, now in served.items():
        recently = max(n for then, n in served.items() if second - 600 <= then <= second)
        assert 2 * now >= recently, second


def test_the_page_shows_the_stories_as_they_are_played() -> None:
    table = as_markdown(STORIES, lambda story: played(story.name))
    assert table in PAGE.read_text(encoding="utf-8"), f"replace the table in docs/stories.md by:\n{table}"
