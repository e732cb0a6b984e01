"""Which document is that of a syncer: what else answers at its address has groups of its own."""

from typing import Any

import pytest

from syncer.commands.status import _is_status
from tests.simulation.virtual import virtually
from tests.simulation.world import HTTP, World

GROUP: dict[str, Any] = {
    "target_group": HTTP,
    **{name: [] for name in ("targets", "register", "deregister", "held")},
}
STATUS: dict[str, Any] = {"groups": [GROUP], "nodes": [], "problems": []}
ODD: tuple[Any, ...] = (None, 5, "x", {})


@virtually
async def test_what_a_syncer_answers_is_a_syncers_from_its_first_moment() -> None:
    world = World()
    replica = world.replica()
    assert _is_status(replica.status())
    world.join("a", "b")
    await world.until(lambda: world.filled_with("a", "b"), within=10)
    assert _is_status(replica.status())
    await replica.stop()


@pytest.mark.parametrize(
    "said",
    [
        *(None, 7, "x", [], {}, [STATUS]),
        *(STATUS | {name: odd} for name in STATUS for odd in ODD),
        *(STATUS | {"groups": [odd]} for odd in ODD),
        *(STATUS | {"groups": [GROUP, GROUP | {"target_group": odd}]} for odd in ODD),
        *(STATUS | {"groups": [GROUP | {name: None}]} for name in GROUP),
    ],
)
def test_another_programs_answer_is_not(said: Any) -> None:
    assert _is_status(STATUS)
    assert not _is_status(said)
