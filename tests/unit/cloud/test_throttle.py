import pytest

from sandbox.cloud.errors import AwsError
from sandbox.cloud.faults import Faults
from sandbox.cloud.throttle import Throttle

_RATES = {"RegisterTargets,DeregisterTargets": (4.0, 20.0), "Describe*": (50.0, 200.0)}


def test_a_full_bucket_gives_its_size_at_once_and_then_its_rate() -> None:
    throttle = Throttle()
    assert _allowed(throttle, "RegisterTargets", at=0.0) == 20
    assert _allowed(throttle, "RegisterTargets", at=0.5) == 2
    assert _allowed(throttle, "RegisterTargets", at=1000.0) == 20


def test_registering_and_deregistering_share_a_bucket_and_reading_has_its_own() -> None:
    throttle = Throttle()
    assert _allowed(throttle, "DeregisterTargets", at=0.0) == 20
    assert _allowed(throttle, "RegisterTargets", at=0.0) == 0
    assert _allowed(throttle, "DescribeTargetHealth", at=0.0) == 200


def test_an_action_without_a_bucket_and_an_account_without_rates_are_never_throttled() -> None:
    throttle = Throttle()
    assert _allowed(throttle, "CreateListener", at=0.0) == 1000
    assert _allowed(throttle, "RegisterTargets", at=0.0, rates=None) == 1000


def test_faults_take_over_the_named_values_and_keep_the_rest() -> None:
    faults = Faults().changed({"registration_delay_s": 3, "quotas": {"target-groups": 1}})
    assert faults.registration_delay_s == 3
    assert faults.quotas["target-groups"] == 1
    assert faults.quotas["targets-per-target-group"] == 1000
    assert faults.rates == Faults().rates


def test_an_unknown_fault_is_refused_by_its_name() -> None:
    with pytest.raises(AwsError, match="unknown fault: slowness"):
        Faults().changed({"slowness": 1})


def _allowed(
    throttle: Throttle, action: str, at: float, rates: dict[str, tuple[float, float]] | None = _RATES
) -> int:
    """How many of 1,000 calls at one moment get through."""
    for count in range(1000):
        try:
            throttle.spend(action, rates, at)
        except AwsError:
            return count
    return 1000
