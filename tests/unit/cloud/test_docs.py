from dataclasses import fields
from pathlib import Path
from re import MULTILINE, findall

from sandbox.cloud.elbv2.actions import ACTIONS
from sandbox.cloud.faults import Faults

_PAGE = (Path(__file__).parents[3] / "docs" / "sandbox-cloud.md").read_text()


def test_the_page_lists_every_elbv2_action_that_is_answered_and_no_other() -> None:
    listed = _PAGE.partition("<!-- actions -->")[2].partition("<!-- end of actions -->")[0]
    assert findall(r"`(\w+)`", listed) == list(ACTIONS)


def test_the_page_explains_every_fault() -> None:
    explained = set(findall(r"^\| `(\w+)` \|", _PAGE, flags=MULTILINE))
    assert explained == {one.name for one in fields(Faults)}
