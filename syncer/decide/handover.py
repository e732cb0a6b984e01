"""What a syncer wants that hands its groups over: none of its own nodes, under the same safety rules."""

from dataclasses import replace
from math import inf

from syncer.decide.policy import Ownership, PlanPolicy
from syncer.model import Desired, Standing

LEAVING = "HandedOver"


def without_us(desired: Desired) -> Desired:
    """Every node that is in is leaving, with no deadline: it waits for the others for as long as it takes."""
    wishes = {
        instance: replace(wish, standing=Standing.LEAVING, reason=LEAVING, deadline=False)
        if wish.standing is Standing.IN
        else wish
        for instance, wish in desired.wishes.items()
    }
    return replace(desired, wanted=frozenset(), over_quota=frozenset(), wishes=wishes)


def handover_policy(policy: PlanPolicy) -> PlanPolicy:
    """Only our own targets, and never below the floor of the beginning.

    In `exclusive` those of the other cluster would go too; and a base that sinks after ten minutes would let
    ours go with nobody in their place.
    """
    return replace(policy, ownership=Ownership.TRACKED, base_window=inf)
