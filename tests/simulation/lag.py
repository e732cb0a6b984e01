"""Lags of DescribeTargetHealth for simulation runs."""

import random
from collections.abc import Mapping

from sandbox.elbv2.lag import Lag
from syncer.model import TargetGroupArn

none = Lag()


def fixed(seconds: float) -> Lag:
    """Every read lags by `seconds`."""
    return Lag({"*": (seconds, seconds)})


def per_group(seconds: Mapping[TargetGroupArn, float]) -> Lag:
    """The named groups lag."""
    return Lag({arn: (each, each) for arn, each in seconds.items()})


def at_random(longest: float, seed: int) -> Lag:
    """Each read lags by up to `longest` seconds: a later read may show an older state."""
    return Lag({"*": (0.0, longest)}, random.Random(seed))  # noqa: S311
