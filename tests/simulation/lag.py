"""How far DescribeTargetHealth lags behind what was written, in seconds for each read."""

import random
from collections.abc import Callable, Mapping

from syncer.model import TargetGroupArn

Lag = Callable[[TargetGroupArn], float]


def none(_: TargetGroupArn) -> float:
    """Each read shows the state of its moment."""
    return 0.0


def fixed(seconds: float) -> Lag:
    """Each read shows what was `seconds` before."""
    return lambda _: seconds


def per_group(seconds: Mapping[TargetGroupArn, float]) -> Lag:
    """Each group lags by itself; those that are not named do not."""
    return lambda arn: seconds.get(arn, 0.0)


def at_random(longest: float, seed: int) -> Lag:
    """Each read lags by chance, up to `longest` seconds: a later read may show an older state."""
    chance = random.Random(seed)  # noqa: S311
    return lambda _: chance.uniform(0.0, longest)
