"""The settings of the simulated cloud for tests and users: delays, quotas, rates, injected faults."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from fnmatch import fnmatchcase
from typing import Any

from sandbox.cloud.errors import AwsError, answered
from sandbox.elbv2.account import OVERRIDES
from sandbox.elbv2.throttle import RATES, refuse_share

# source 3: the default quotas of an account.
QUOTAS = {
    "targets-per-target-group": 1000,
    "targets-per-availability-zone-per-network-load-balancer": 500,
    "targets-per-network-load-balancer": 3000,
    "targets-per-network-load-balancer-cross-zone": 500,
    "listeners-per-network-load-balancer": 50,
    "network-load-balancers": 50,
    "target-groups": 3000,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """The behaviour behind `/_sandbox/faults`; the defaults are an account without faults.

    `throttle`, `latency_s` and `errors` are keyed by action name pattern (`RegisterTargets`, `Describe*`).
    """

    registration_delay_s: float = 0.5
    """Seconds before a registered target is health-checked; AWS takes minutes (source 4)."""
    provisioning_s: float = 0.3
    """Seconds before a new load balancer is active."""
    interface_linger_s: float = 0.0
    """Seconds for which the interfaces of a deleted load balancer hold its addresses and security groups;
    AWS takes minutes (terraform-provider-aws#33645)."""
    quotas: dict[str, int] = field(default_factory=lambda: dict(QUOTAS))
    rates: dict[str, tuple[float, float]] | None = field(default_factory=lambda: dict(RATES))
    """Request rates of the account; null switches throttling off."""
    throttle: dict[str, float] = field(default_factory=dict)
    """Share (0 to 1) of the calls that get ThrottlingException at random."""
    latency_s: dict[str, float] = field(default_factory=dict)
    """Seconds that a call takes longer."""
    health_lag_s: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Seconds by which DescribeTargetHealth lags behind changes from now on, by group name pattern: the least
    and the most, drawn for each call. The data plane does not lag."""
    errors: dict[str, str] = field(default_factory=dict)
    """Calls that fail: `Code` or `Code: message`, HTTP 400, or 403 for AccessDenied."""
    deny: list[str] = field(default_factory=list)
    """Actions (`service:Action` patterns) denied to everybody, the administrator too."""
    dns_sync_s: float = 0.3
    """Seconds until a change of Route 53 is INSYNC."""
    poison: dict[str, str] = field(default_factory=dict)
    """Running instances that RegisterTargets refuses, with the error code (InvalidTarget, ...)."""
    zonal_shift: dict[str, str] = field(default_factory=dict)
    """AdministrativeOverride that DescribeTargetHealth reports of targets, by availability zone."""

    def changed(self, wanted: Mapping[str, Any]) -> "Faults":
        """Return a copy with the given keys replaced. Raises AwsError with the name of an unknown key."""
        names = [one.name for one in fields(self)]
        if unknown := sorted(set(wanted) - set(names)):
            raise AwsError("UnknownFault", f"unknown fault: {unknown[0]}; allowed: {', '.join(names)}")
        values = dict(wanted)
        if odd := sorted(set(values.get("zonal_shift", {}).values()) - OVERRIDES.keys()):
            raise AwsError("UnknownState", f"unknown override: {odd[0]}; allowed: {', '.join(OVERRIDES)}")
        if "quotas" in values:
            values["quotas"] = {**self.quotas, **values["quotas"]}
        if values.get("rates"):
            values["rates"] = {
                key: (float(rate), float(size)) for key, (rate, size) in values["rates"].items()
            }
        if "health_lag_s" in values:
            values["health_lag_s"] = {
                name: (float(least), float(most)) for name, (least, most) in values["health_lag_s"].items()
            }
        return replace(self, **values)

    def latency_of(self, action: str) -> float:
        """Return the delay of a call in seconds."""
        return max((s for pattern, s in self.latency_s.items() if fnmatchcase(action, pattern)), default=0.0)

    def refuse(self, service: str, action: str, chance: random.Random) -> None:
        """Raise the AwsError injected into this call, if any."""
        if any(fnmatchcase(f"{service}:{action}", pattern) for pattern in self.deny):
            raise AwsError("AccessDenied", f"{service}:{action} is denied by an injected fault", 403)
        for pattern, share in self.throttle.items():
            if fnmatchcase(action, pattern):
                with answered():
                    refuse_share(share, chance)
        for pattern, text in self.errors.items():
            if fnmatchcase(action, pattern):
                code, _, message = text.partition(": ")
                raise AwsError(code, message or "injected", 403 if code == "AccessDenied" else 400)
