"""The desired state of a syncer that hands over: no node of its own, under the same safety rules."""

from dataclasses import replace
from math import inf

from syncer.decide.policy import Ownership, PlanPolicy
from syncer.model import Desired, Standing

LEAVING = "HandedOver"


def without_us(desired: Desired) -> Desired:
    """Mark every wanted node as leaving without a deadline, so the removal waits without a time limit."""
    intents = {
        instance: replace(intent, standing=Standing.LEAVING, reason=LEAVING, deadline=False)
        if intent.standing is Standing.IN
        else intent
        for instance, intent in desired.intents.items()
    }
    return replace(desired, wanted=frozenset(), over_quota=frozenset(), next_in_line=(), intents=intents)


def handover_policy(policy: PlanPolicy) -> PlanPolicy:
    """Restrict the policy to owned targets, with a floor that never sinks.

    In `exclusive` the other cluster's targets would be removed too. A base that sinks after ten minutes would
    allow removals without replacements.
    """
    return replace(policy, ownership=Ownership.TRACKED, base_window=inf)
