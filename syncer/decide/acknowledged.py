"""What AWS has acknowledged, overlaid on the last reading, so that a plan needs no read before each write."""

from dataclasses import replace

from syncer.model import Target, TargetHealth, TargetState


def after_register(target: Target, known: TargetHealth | None) -> TargetHealth:
    """A target once RegisterTargets has succeeded: what was not registered is `initial` now."""
    if known is not None and known.registered:
        return known
    return TargetHealth(
        target=target,
        state=TargetState.INITIAL,
        reason="Elb.RegistrationInProgress",
        zone="" if known is None else known.zone,
        override="" if known is None else known.override,
    )


def after_deregister(known: TargetHealth) -> TargetHealth:
    """A target once DeregisterTargets has succeeded: what was registered is `draining` now."""
    if not known.registered:
        return known
    return replace(known, state=TargetState.DRAINING, reason="Target.DeregistrationInProgress")
