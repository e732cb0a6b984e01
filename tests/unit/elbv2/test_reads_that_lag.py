"""DescribeTargetHealth of a past time."""

import random
from itertools import pairwise

from sandbox.elbv2.lag import KEPT_S, Lag
from sandbox.elbv2.targets import Target, TargetKey, Targets
from tests.unit.elbv2.account import DELAY_S, A, AnAccount


def test_a_read_shows_the_state_of_its_time() -> None:
    account = AnAccount()
    account.register(A, at=10)
    account.deregister(A, at=100)
    shown = [account.state(at, lag_s=14) for at in (23.9, 24, 43.9, 44, 113.9, 114)]
    assert shown == ["absent", "initial", "initial", "healthy", "healthy", "draining"]
    assert account.state(100 + DELAY_S) == "absent"
    assert account.state(100 + DELAY_S + 13, lag_s=14) == "draining"
    assert account.state(100 + DELAY_S + 14, lag_s=14) == "absent"


def test_every_past_state_of_a_random_history_can_be_read() -> None:
    chance = random.Random(3)  # noqa: S311
    targets, now = Targets(history=True), 0.0
    keys: list[TargetKey] = [(f"i-{number}", 80) for number in range(6)]
    seen: list[tuple[float, dict[TargetKey, Target]]] = []
    for _ in range(200):
        now += chance.choice([0.5, 3.0])
        batch = chance.sample(keys, 2)
        if chance.random() < 0.5:
            targets.register(batch, now)
        else:
            targets.deregister(batch, now, 20.0)
        targets.end_drains(now)
        seen.append((now, dict(targets.present)))
    for (at, then), (following, _) in pairwise(seen):
        alive = {key: one for key, one in then.items() if (one.draining_until or following) >= following}
        just_before = targets.at(following - 0.01)
        assert {key: just_before[key] for key in alive} == alive
        assert targets.at(at) == then


def test_changes_are_kept_for_a_quarter_of_an_hour() -> None:
    account = AnAccount()
    account.register(A)
    account.deregister(A, at=KEPT_S)
    assert account.state(KEPT_S, lag_s=10 * KEPT_S) == "initial"


def test_a_lag_is_drawn_for_each_read_of_a_named_group() -> None:
    lag = Lag({"web-*": (2.0, 6.0)}, random.Random(1))  # noqa: S311
    drawn = {lag.of("web-1") for _ in range(20)}
    assert len(drawn) > 1
    assert all(2.0 <= each <= 6.0 for each in drawn)
    assert lag.of("api") == 0.0
