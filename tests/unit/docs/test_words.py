"""The figures on the project's text count words and leave code out."""

import pytest

from tests import words
from tests.words import comments, docs, docstrings, figures, table


def test_pronouns_and_saying_are_counted_by_word() -> None:
    count, pronouns, saying = figures(iter(["AWS says that it's", "Nodes told nobody so"]))
    assert count == 8
    assert (pronouns, saying) == (100 * 3 / 8, 100_000 * 2 / 8)


def test_code_and_the_targets_of_links_are_no_words() -> None:
    text = 'def f():\n    """Read `it` and [this](that.md)."""\n    return 1  # which  # noqa: X1\n'
    assert " ".join(docstrings(text)).split() == ["Read", "and", "[this", "."]
    assert " ".join(comments(text)).split() == ["#", "which"]


def test_every_kind_of_text_has_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "PACKAGES", ("bench",))  # the others take seconds, and `make lint` reads them
    assert len(list(table())) == 4
    assert figures(docs())[0] > 10_000
