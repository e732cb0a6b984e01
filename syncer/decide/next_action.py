"""The next action for every target of a plan; the same words in `explain`, `plan`, /status and the page."""

from collections import defaultdict
from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from syncer.model import GroupPlan, Target, Why


class Action(StrEnum):
    """What the syncer does with a target next; a contract, because JSON answers have the words."""

    REGISTER = "register"
    DEREGISTER = "deregister"
    HOLD = "hold"
    NOTHING = "nothing"


class Next(NamedTuple):
    """The next action for a target; `why` is the rule of a hold, else None."""

    action: Action
    why: Why | None = None


_NOTHING = Next(Action.NOTHING)


def next_actions(plan: GroupPlan) -> Mapping[Target, Next]:
    """Return the action of every target that the plan names; any other target has `nothing`."""
    actions = defaultdict(lambda: _NOTHING, dict.fromkeys(plan.register, Next(Action.REGISTER)))
    actions.update(dict.fromkeys(plan.deregister, Next(Action.DEREGISTER)))
    actions.update((held.target, Next(Action.HOLD, held.why)) for held in plan.held)
    return actions
