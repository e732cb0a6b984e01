"""The words of docs/changes.md from the engine's events and from refusals."""

from typing import Any

import pytest

from tests.changes import measure, table
from tests.changes.edits import drop, put
from tests.changes.rows import ROWS
from tests.changes.stand import Said

GROUP = "urn:pulumi:dev::node-nlb-sync::a:b:C$aws:lb/targetGroup:TargetGroup::node-nlb-80"
SERVICE = "urn:pulumi:dev::node-nlb-sync::a:b:C$kubernetes:core/v1:Service::node-nlb"


def event(urn: str, op: str, *, planning: bool = False) -> dict[str, Any]:
    return {"resOutputsEvent": {"metadata": {"urn": urn, "op": op}, "planning": planning}}


def test_a_replacement_counts_once_and_the_preview_not_at_all() -> None:
    events = [
        event(GROUP, "update", planning=True),
        event(SERVICE, "create-replacement"),
        event(SERVICE, "delete-replaced"),
        event(GROUP, "update"),
        event(GROUP.replace("80", "443"), "update"),
        event(GROUP.replace("80", "8080"), "same"),
        event("urn:pulumi:dev::node-nlb-sync::node-nlb-sync:index:NodeNlb::node-nlb", "update"),
    ]
    assert measure.touched(measure.done(events)) == "Service replaced, TargetGroup updated (2)"


def test_a_refusal_gives_its_fixes_without_ids() -> None:
    line = (
        "error: node-nlb-sync:zones.a: read nothing, and node-nlb-1f2e3d4 is there; fix: set vpc-0123456789"
    )
    assert measure.refusal(Said(1, f"Updating\n{line}\n")) == "refused; set vpc-ID"


@pytest.mark.parametrize("text", ["error: no fix", "Traceback (most recent call last):\n; fix: x"])
def test_an_error_without_a_fix_or_with_a_traceback_fails_the_row(text: str) -> None:
    with pytest.raises(AssertionError):
        measure.refusal(Said(1, text))


def test_a_path_goes_through_objects_and_names_of_items() -> None:
    keys: dict[str, Any] = {"listeners": [{"name": "http"}, {"name": "https", "port": 443}]}
    stand: Any = None
    put("listeners.https.stickiness", True)(keys, stand)
    drop("listeners.https.port")(keys, stand)
    put("loadBalancer.name", "edge")(keys, stand)
    assert keys == {
        "listeners": [{"name": "http"}, {"name": "https", "stickiness": True}],
        "loadBalancer": {"name": "edge"},
    }


def test_names_of_rows_are_unique() -> None:
    names = [row.name for row in ROWS]
    assert len(names) == len(set(names))


def test_the_tables_are_read_as_they_were_written() -> None:
    text = table.rendered({row.name: ("in place", "none", "0", "yes") for row in ROWS})
    assert list(table.parsed(text)) == [row.name for row in ROWS]
