"""Calls beyond AWS's rates."""

import random

import pytest

from sandbox.elbv2.errors import Refusal
from sandbox.elbv2.throttle import RATES, Rates, Throttle, refuse_share


def allowed(throttle: Throttle, action: str, at: float, rates: Rates = RATES) -> int:
    """How many of 1,000 calls at one moment get through."""
    for count in range(1000):
        try:
            throttle.spend(action, rates, at)
        except Refusal:
            return count
    return 1000


def test_a_full_bucket_gives_its_size_at_once_and_then_its_rate() -> None:
    throttle = Throttle()
    assert [allowed(throttle, "RegisterTargets", at) for at in (0.0, 0.5, 1000.0)] == [20, 2, 20]


def test_registering_and_deregistering_share_a_bucket_and_reading_has_its_own() -> None:
    throttle = Throttle()
    assert allowed(throttle, "DeregisterTargets", 0.0) == 20
    assert allowed(throttle, "RegisterTargets", 0.0) == 0
    assert allowed(throttle, "DescribeTargetHealth", 0.0) == 200


def test_an_action_without_a_bucket_is_never_throttled() -> None:
    throttle = Throttle()
    assert allowed(throttle, "CreateListener", 0.0) == 1000
    assert allowed(throttle, "RegisterTargets", 0.0, {}) == 1000


def test_the_refusal_is_awss() -> None:
    with pytest.raises(Refusal, match="ThrottlingException: Rate exceeded"):
        Throttle().spend("RegisterTargets", {"Register*": (1.0, 0.0)}, 0.0)


def test_changed_rates_start_with_full_buckets() -> None:
    throttle = Throttle()
    allowed(throttle, "RegisterTargets", 0.0)
    throttle.refill()
    assert allowed(throttle, "RegisterTargets", 0.0) == 20


@pytest.mark.parametrize(("share", "least", "most"), [(0.0, 0, 0), (0.3, 200, 400), (1.0, 1000, 1000)])
def test_a_share_of_the_calls_is_refused(share: float, least: int, most: int) -> None:
    chance, refused = random.Random(4), 0  # noqa: S311
    for _ in range(1000):
        try:
            refuse_share(share, chance)
        except Refusal:
            refused += 1
    assert least <= refused <= most
