"""CHANGELOG.md: releases from the newest to the oldest, the newest of them the version of this tree."""

import datetime as dt
import re
from pathlib import Path

from syncer.version import VERSION

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "CHANGELOG.md").read_text()
HEADINGS = re.findall(r"^## (.+)$", PAGE, re.MULTILINE)


def test_what_is_not_released_comes_first() -> None:
    assert HEADINGS[0] == "Unreleased"


def test_the_newest_release_is_the_version() -> None:
    assert HEADINGS[1].partition(" - ")[0] == VERSION


def test_each_release_has_a_date_and_comes_after_the_older_ones() -> None:
    releases = [heading.partition(" - ") for heading in HEADINGS[1:]]
    numbers = [tuple(int(part) for part in name.split(".")) for name, _, _ in releases]
    assert numbers == sorted(set(numbers), reverse=True)
    dates = [dt.date.fromisoformat(date) for _, _, date in releases]
    assert dates == sorted(dates, reverse=True)


def test_the_pages_name_the_wheel_of_this_version() -> None:
    pages = [page.read_text() for page in (ROOT / "docs").glob("*.md")]
    named = [version for page in pages for version in re.findall(r"node_nlb_sync-([\d.]+)-py3", page)]
    assert set(named) == {VERSION}
