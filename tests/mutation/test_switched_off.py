"""No safety rule is only written down: with any part of one switched off a story fails."""

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from syncer.errors import SyncerError
from tests.mutation.table import SWITCHES, as_markdown
from tests.mutation.ways import Switch

PAGE = Path(__file__).parents[2] / "docs" / "stories.md"


def switch_off(switch: Switch, monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace what `where` names; AttributeError where nothing stands there any more."""
    module, _, path = switch.where.partition(":")
    holder: Any = import_module(module)
    *outer, name = path.split(".")
    for each in outer:
        holder = getattr(holder, each)
    monkeypatch.setattr(holder, name, switch.off(getattr(holder, name)))


@pytest.mark.parametrize("switch", SWITCHES, ids=lambda switch: switch.rule.replace(" ", "-"))
def test_with_this_part_off_its_story_fails(switch: Switch, monkeypatch: pytest.MonkeyPatch) -> None:
    switch.story()
    switch_off(switch, monkeypatch)
    with pytest.raises((AssertionError, KeyError, SyncerError)):  # what is not told is looked up in vain
        switch.story()


def test_every_rule_has_a_row_and_no_row_stands_twice() -> None:
    rules = [switch.rule for switch in SWITCHES]
    assert {rule[0] for rule in rules} >= set("123456789")
    assert len(set(rules)) == len(rules)


def test_what_is_not_there_cannot_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = Switch(rule="0", where="syncer.decide.brake:Brake.renamed", off=lambda _: None, story=print)
    with pytest.raises(AttributeError):
        switch_off(gone, monkeypatch)


def test_the_page_shows_the_table() -> None:
    assert as_markdown() in PAGE.read_text(encoding="utf-8"), f"show this:\n{as_markdown()}"
