"""Links between the project's pages lead to files that exist, and decisions have numbers of their own."""

import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    missing = [target for target in LINK.findall(page.read_text()) if not (page.parent / target).exists()]
    assert missing == []


def test_every_decision_has_a_number_of_its_own_and_wears_it() -> None:
    decisions = sorted((ROOT / "docs/adr").glob("*.md"))
    assert max(Counter(page.name[:4] for page in decisions).values()) == 1
    for page in decisions:
        assert page.read_text().startswith((f"# {page.name[:4]} ", f"# {page.name[:4]}: ")), page.name
