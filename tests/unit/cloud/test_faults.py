import pytest

from sandbox.cloud.errors import AwsError
from sandbox.cloud.faults import Faults


def test_faults_take_over_the_named_values_and_keep_the_rest() -> None:
    faults = Faults().changed({"registration_delay_s": 3, "quotas": {"target-groups": 1}})
    assert faults.registration_delay_s == 3
    assert faults.quotas["target-groups"] == 1
    assert faults.quotas["targets-per-target-group"] == 1000
    assert faults.rates == Faults().rates


def test_an_unknown_fault_is_refused_by_its_name() -> None:
    with pytest.raises(AwsError, match="unknown fault: slowness"):
        Faults().changed({"slowness": 1})
