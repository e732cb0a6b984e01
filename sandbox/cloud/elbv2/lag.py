"""DescribeTargetHealth that lags behind RegisterTargets and DeregisterTargets, as an injected fault.

A lag of 14 s and more was observed on AWS (aws-sdk-js issue 1593); a later read may show an older state.
"""

import random
from fnmatch import fnmatchcase

from sandbox.cloud.elbv2.records import TargetGroup
from sandbox.cloud.elbv2.store import Elbv2
from sandbox.cloud.query import Structure

_KEPT_S = 900.0


def remember(cloud: Elbv2, group: TargetGroup, answer: Structure) -> None:
    """Keep `answer`, the result of DescribeTargetHealth before the next write."""
    now = cloud.clock()
    group.past = [each for each in group.past if each[0] > now - _KEPT_S]
    group.past.append((now, answer))


def shown(cloud: Elbv2, arn: str, answer: Structure) -> Structure:
    """Return `answer` or an older answer, by the fault `health_lag_s`, at random for each call."""
    group = cloud.group(arn)
    if not (seconds := _lag_of(cloud, group)):
        return answer
    then = cloud.clock() - seconds
    return next((old for until, old in group.past if until > then), answer)


def _lag_of(cloud: Elbv2, group: TargetGroup) -> float:
    for pattern, (least, most) in cloud.faults.health_lag_s.items():
        if fnmatchcase(group.name, pattern):
            return random.uniform(least, most)  # noqa: S311
    return 0.0
