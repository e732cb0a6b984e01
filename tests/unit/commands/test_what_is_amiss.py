"""What `status` calls amiss, by what the syncer says of itself."""

from typing import Any

import pytest

from syncer.commands.status import _amiss
from tests.simulation.world import HTTP

GOOD = {"target_group": HTTP, "last_good_pass": 990.0}
OLD = {"target_group": HTTP, "last_good_pass": 700.0}


@pytest.mark.parametrize(
    ("said", "amiss"),
    [
        ({"leader": True, "election": "no Lease: no answer"}, []),  # it still holds it
        ({"leader": False, "election": ""}, []),
        (
            {"leader": False, "election": "no Lease: no answer"},
            ["the leader is unknown: no Lease: no answer"],
        ),
        ({"groups": [OLD]}, ["http: the last good pass is 300 s ago"]),
        (
            {"groups": [OLD], "problems": ["GET nodes: no answer"]},
            ["http: the last good pass is 300 s ago: GET nodes: no answer"],
        ),
        ({"leader": False, "groups": [OLD]}, ["http: the last good pass is 300 s ago"]),
        ({"ready": False, "waiting_for": "a list"}, ["not ready: a list"]),
    ],
)
def test_whoever_cannot_do_its_work_is_not_well(said: dict[str, Any], amiss: list[str]) -> None:
    whole = {"ready": True, "now": 1000.0, "groups": [GOOD], "problems": [], **said}
    assert list(_amiss(whole, 180.0)) == amiss
