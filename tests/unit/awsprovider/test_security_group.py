"""How long a security group in use is deleted again."""

import pytest

from sandbox.plugins.aws.security_group import patience


@pytest.mark.parametrize(("timeout_s", "retried_s"), [(0, 900), (1200, 1200), (60, 60), (30, 90), (1, 90)])
def test_a_timeout_below_a_minute_leaves_a_minute_and_a_half(timeout_s: float, retried_s: float) -> None:
    """resourceSecurityGroupDelete: a first minute that is a constant, then at least 30 s."""
    assert patience(timeout_s) == retried_s
