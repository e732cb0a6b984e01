"""A sentence for every code in an answer: the rules, the holds, AWS's reasons."""

from collections.abc import Mapping

from syncer.decide.answers import sentence_of
from syncer.decide.desired import ZONE_NOT_ENABLED
from syncer.model import OVERRIDE_UNKNOWN, TargetState, Why

NO_NODE = "NoNode"

_BESIDE_THE_RULES: Mapping[str, str] = {
    ZONE_NOT_ENABLED: "a node in a zone that the load balancer does not serve",
    NO_NODE: "a target without a Node",
}

HOLD_TEXTS: Mapping[Why, str] = {
    Why.NO_NODE_LIST: "no complete list of nodes has been read",
    Why.SHARE: "too few other targets would serve; deregistered when more are healthy or the hold is "
    "confirmed",
    Why.LAST_SERVING: "the last serving target",
    Why.AWAITING_SUCCESSOR: "the replacement target is not healthy yet",
    Why.FOREIGN: "not in the ownership registry, or no target of the registry is healthy yet",
    Why.ADD_ONLY: "NLB_SYNC_OWNERSHIP=add-only removes no target",
    Why.POISON: "quarantined, AWS refused the target; retried later",
    Why.QUOTA: "the group has no free place for the target",
    Why.CONTESTED: "quarantined, a conflicting writer undoes the writes; retried later",
}

# AWS's own words, shortened: "Target health reason codes" of the NLB guide.
_AWS_SAYS: Mapping[str, str] = {
    "Elb.RegistrationInProgress": "being registered",
    "Elb.InitialHealthChecking": "the first health checks are under way",
    "Target.FailedHealthChecks": "the health check fails",
    "Target.Timeout": "the health check is not answered in time",
    "Target.ResponseCodeMismatch": "the health check is answered with another code",
    "Target.DeregistrationInProgress": "deregistered; open connections may finish",
    "Target.NotInUse": "no listener uses the group, or its zone is not enabled on the load balancer",
    "Target.InvalidState": "the instance is stopped or terminated",
    "Target.NotRegistered": "not registered",
    "Target.HealthCheckDisabled": "the group has no health check",
    "Elb.InternalError": "AWS has an internal error",
}


# "Zonal shift for your Network Load Balancer" in the NLB guide.
_OVERRIDE_SAYS: Mapping[str, str] = {
    "zonal_shift_active": "a zonal shift moves traffic away: the target does not serve",
    "zonal_shift_delegated_to_dns": "the zonal shift is visible only in ARC: the target does not count as "
    "serving beside targets without a shift",
    OVERRIDE_UNKNOWN: "AWS cannot determine whether a zonal shift applies: the target does not count as "
    "serving, "
    "and is deregistered like a serving target",
}


def meaning_of(reason: str, selector: str = "", place: str = "", *, sent: bool = False) -> str:
    """Return the meaning of a verdict's reason, with the label selector or zone if either decided.

    "" for an unknown code. `sent`: the API server evaluates the selector, so a target without a Node may be
    the target of a Node that does not match.
    """
    text = _BESIDE_THE_RULES.get(reason) or sentence_of(reason)
    if place and reason == ZONE_NOT_ENABLED:
        return f"{text} ({place})"
    if sent and reason == NO_NODE:
        return f"{text} that the label selector matches ({selector})"
    return f"{text} ({selector})" if selector and reason == "SelectorMismatch" else text


def health_text(state: str, reason: str) -> str:
    """Return the meaning of AWS's state and reason for a target."""
    if reason in _AWS_SAYS:
        return _AWS_SAYS[reason]
    return "passes the health check" if state == TargetState.HEALTHY else reason


def override_text(override: str) -> str:
    """Return the meaning of an AdministrativeOverride state for a target; "" for none."""
    return _OVERRIDE_SAYS.get(override, _OVERRIDE_SAYS[OVERRIDE_UNKNOWN]) if override else ""


def hold_text(why: str) -> str:
    """Return the condition that a held target waits for; "" for an unknown code."""
    return HOLD_TEXTS[Why(why)] if why in list(Why) else ""
