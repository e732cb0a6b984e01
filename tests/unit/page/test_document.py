"""The page as it is sent: one document, nothing to fetch, and a policy that allows just its own script."""

import base64
import hashlib
import re
from importlib import resources

from syncer.page import page

HTML = page().body.decode()
POLICY = dict(page().headers)["Content-Security-Policy"]


def inline(tag: str) -> str:
    return HTML.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0]


def hashed(source: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()


def test_the_policy_allows_exactly_the_inline_style_and_script() -> None:
    assert f"script-src '{hashed(inline('script'))}';" in POLICY
    assert f"style-src '{hashed(inline('style'))}';" in POLICY
    assert "default-src 'none'" in POLICY
    assert "unsafe" not in POLICY
    assert "require-trusted-types-for 'script'" in POLICY


def test_the_page_fetches_nothing_from_anywhere() -> None:
    assert re.findall(r"https?://", HTML) == []
    assert re.findall(r'(?:src|href)="([^"]*)"', HTML) == ["data:,", "/status", "/status"]
    assert re.findall(r"url\(|@import", HTML) == []


def test_no_markup_is_ever_made_of_a_string() -> None:
    script = "".join(
        resources.files("syncer.page").joinpath(name).read_text() for name in ("facts.js", "page.js")
    )
    assert (
        re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|\.style\b", script) == []
    )


def test_the_page_is_small() -> None:
    assert len(page().body) < 32 * 1024
