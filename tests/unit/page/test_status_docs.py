"""docs/status.md shows /status as it is, and explains each member of it."""

import json
import re
from pathlib import Path
from typing import Any

from tests.unit.page.example import example

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "status.md").read_text(encoding="utf-8")


def shape(value: Any) -> Any:
    """Members and their order with what is in them, ages and figures left out."""
    if isinstance(value, dict):
        return [(key, shape(each)) for key, each in value.items()]
    if isinstance(value, list):
        return [shape(each) for each in value]
    return value if isinstance(value, str) else type(value)


def test_the_example_is_what_the_syncer_answers() -> None:
    shown = json.loads(PAGE.partition("```json\n")[2].partition("```")[0])
    assert shape(shown) == shape(example()), (
        f"show this in docs/status.md:\n{json.dumps(example(), indent=1)}"
    )


def test_every_member_is_explained() -> None:
    explained = set(re.findall(r"`(\w+)(?:\[\])?`", PAGE.partition("| member |")[2]))
    answered = set(example()) | {"leader"}
    for group in example()["groups"]:
        answered |= set(group) | set(group["targets"][0])
    for node in example()["nodes"]:
        answered |= set(node)
    assert answered - explained == set()


def test_the_picture_is_small() -> None:
    picture = DOCS / "status.png"
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size < 200 * 1024
