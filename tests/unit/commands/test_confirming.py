"""What `confirm` says of a confirmation, by what the syncer that answers is."""

from typing import Any

import pytest

from syncer.commands.confirm import _groups, _holder, _other_hold, _then
from syncer.config.settings import load
from tests.simulation.world import HTTP, HTTPS

HOLD = "0123456789ab"


def status(hold: str = HOLD, **changes: Any) -> dict[str, Any]:
    groups = [{"target_group": HTTP, "hold_id": hold}, {"target_group": HTTPS, "hold_id": ""}]
    return {"paused": False, "leader": True, "groups": groups, **changes}


@pytest.mark.parametrize(
    ("said", "then"),
    [
        (status(), "the syncer deregisters the targets within seconds"),
        (status(leader=False), "the leader deregisters the targets within seconds, if the hold is unchanged"),
        ({}, "the leader deregisters the targets within seconds, if the hold is unchanged"),
        (status(paused=True), "the syncer is paused and deregisters no target"),
    ],
)
def test_it_says_what_comes_of_it(said: dict[str, Any], then: str) -> None:
    assert _then(said) == then


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        (status(), ""),
        (status("ba9876543210"), f"unknown hold: {HOLD}; holds of the group: ba9876543210"),
        (status(""), f"unknown hold: {HOLD}; holds of the group: none"),
        (status("ba9876543210", leader=False), ""),  # a standby does not know what the leader remembers
        ({}, ""),
    ],
)
def test_only_the_syncer_that_writes_can_say_that_there_is_no_such_hold(
    said: dict[str, Any], wrong: str
) -> None:
    assert _other_hold(said, (HTTP,), HOLD) == wrong


def test_of_two_regions_groups_that_share_a_name_the_one_that_holds_it_is_meant() -> None:
    other = HTTP.replace("eu-central-1", "eu-west-1")
    settings = load({"NLB_SYNC_TARGET_GROUPS": f"{other}=:30080,{HTTP}=:30080"})
    groups = _groups(settings, HTTP.split("/")[1])
    said = {"leader": True, "groups": [{"target_group": other, "hold_id": ""}, *status()["groups"]]}
    assert _other_hold(said, groups, HOLD) == ""
    assert _holder(said, groups, HOLD) == HTTP
    assert _other_hold(said, groups, "ba9876543210") == (
        f"unknown hold: ba9876543210; holds of the group: {HOLD}"
    )
