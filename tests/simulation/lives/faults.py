"""What may go wrong at AWS: calls that fail, and states in which it is."""

import math
from collections.abc import Callable
from typing import Any

from sandbox.elbv2.lag import Lag
from syncer.errors import (
    AccessDeniedError,
    AwsError,
    CredentialsExpiredError,
    ThrottledError,
    UnreachableError,
)
from syncer.model import InstanceId
from tests.simulation import lag
from tests.simulation.cloud import MemoryCloud
from tests.simulation.world import HTTP, HTTPS


def _denied(call: str) -> AwsError:
    return AccessDeniedError(call, "AccessDenied", "no policy allows it", f"elasticloadbalancing:{call}")


FAULTS: dict[str, Callable[[str], AwsError]] = {
    "throttled": lambda call: ThrottledError(call, "ThrottlingException", "Rate exceeded"),
    "silent": lambda call: UnreachableError(call, "ReadTimeout", "no answer"),
    "denied": _denied,
    "expired": lambda call: CredentialsExpiredError(call, "ExpiredToken", "expired"),
    "inner": lambda call: AwsError(call, "InternalFailure", "an internal error"),
}


def _groups(**changes: Any) -> Callable[[MemoryCloud], None]:
    def change(cloud: MemoryCloud) -> None:
        for group in cloud.groups.values():
            for name, value in changes.items():
                setattr(group, name, value)

    return change


def _all(**changes: Any) -> Callable[[MemoryCloud], None]:
    def change(cloud: MemoryCloud) -> None:
        for name, value in changes.items():
            setattr(cloud, name, value)

    return change


def _crowd(cloud: MemoryCloud) -> None:
    cloud.crowded |= {InstanceId(key[0]) for group in cloud.groups.values() for key in group.targets.present}


def _full_but_for_drains(cloud: MemoryCloud) -> None:
    _groups(quota=3)(cloud)
    cloud.draining_counts = False


# None of them is longer than what the syncer allows for (60 s), with the time that a call takes.
LAGS: dict[str, Callable[[], Lag]] = {
    "none": lambda: lag.none,
    "14 s": lambda: lag.fixed(14.0),
    "50 s": lambda: lag.fixed(50.0),
    "one group": lambda: lag.per_group({HTTP: 40.0}),
    "the other group": lambda: lag.per_group({HTTP: 5.0, HTTPS: 45.0}),
    "by chance": lambda: lag.at_random(20.0, seed=1),
    "by chance, long": lambda: lag.at_random(50.0, seed=2),
}

TROUBLES: dict[str, Callable[[MemoryCloud], None]] = {
    "an internal error": _all(confused=True),
    "slow": _all(latency=4.0),
    "in too many groups": _crowd,
    "refusals name no ids": _all(names_refused=False),
    "groups are full": _groups(quota=3),
    "groups are full, but for what drains": _full_but_for_drains,
    "the load balancer is full": _all(quota=7),
    "no listener": _groups(listening=False),
    "a zone is not served": _all(zones={"eu-central-1a", "eu-central-1b"}),
    "unhealthy ones linger": _groups(lingering_s=math.inf),
    "what drains is gone soon": _groups(deregistration_delay_s=10.0),
}
