"""Overlay acknowledged writes on the last read, so that a plan needs no read before every write."""

from dataclasses import replace

from syncer.model import Target, TargetHealth, TargetState


def after_register(target: Target, known: TargetHealth | None) -> TargetHealth:
    """Return the target after a successful RegisterTargets: an unregistered target becomes `initial`."""
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
    """Return the target after a successful DeregisterTargets: a registered target becomes `draining`."""
    if not known.registered:
        return known
    return replace(known, state=TargetState.DRAINING, reason="Target.DeregistrationInProgress")
