"""The pace of requests to the API server: never tight, never long in a short outage."""

import random
import threading
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from syncer.cluster.pace import Pace


class Time:
    """A clock that a wait moves on."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Waiting(threading.Event):
    """A stop event that is never set and whose waits are over at once."""

    def __init__(self, time: Time) -> None:
        super().__init__()
        self.time = time

    def wait(self, timeout: float | None = None) -> bool:
        self.time.now += timeout or 0.0
        return False


def paced(seed: int) -> tuple[Pace, Time]:
    time = Time()
    return Pace(Waiting(time), random.Random(seed), time), time  # noqa: S311


def waited(pace: Pace, time: Time, kind: str) -> float:
    before = time.now
    pace.wait(kind)
    return time.now - before


@given(st.integers(0, 1000))
def test_in_the_first_minute_of_an_outage_a_request_comes_every_one_to_two_seconds(seed: int) -> None:
    pace, time = paced(seed)
    pace.wait("watch")
    starts = [time.now]
    while time.now < 1060:
        pace.failed("watch")
        pace.wait("watch")
        starts.append(time.now)
    gaps = [later - earlier for earlier, later in pairwise(starts)]
    assert min(gaps) >= 1.0
    assert max(gaps) <= 2.0


@given(st.integers(0, 1000))
def test_after_the_first_minute_the_waits_grow_to_half_a_minute_and_no_further(seed: int) -> None:
    pace, time = paced(seed)
    gaps = []
    for _ in range(100):
        pace.failed("list")
        gaps.append(waited(pace, time, "list"))
    assert 15.0 <= gaps[-1] <= 30.0
    pace.succeeded("list")
    assert waited(pace, time, "list") <= 1.0


@given(
    st.integers(0, 1000),
    st.lists(st.tuples(st.sampled_from(["list", "watch"]), st.booleans(), st.floats(0, 20)), max_size=60),
)
def test_no_kind_is_ever_asked_more_than_once_a_second_nor_held_back_for_more_than_30(
    seed: int, requests: list[tuple[str, bool, float]]
) -> None:
    pace, time = paced(seed)
    last: dict[str, float] = {}
    for kind, well, lasts in requests:
        assert waited(pace, time, kind) <= 30.0
        assert time.now - last.get(kind, 0.0) >= 1.0 - 1e-9
        last[kind] = time.now
        time.now += lasts
        (pace.succeeded if well else pace.failed)(kind)


@given(st.integers(0, 1000))
def test_lists_that_go_well_do_not_shorten_the_waits_of_a_watch_that_never_does(seed: int) -> None:
    pace, time = paced(seed)
    gaps = []
    for _ in range(100):
        gaps.append(waited(pace, time, "list"))
        pace.succeeded("list")
        pace.wait("watch")
        pace.failed("watch")
    assert max(gaps[:20]) <= 2.0
    assert gaps[-1] >= 15.0


def test_a_request_that_is_due_does_not_wait() -> None:
    pace, time = paced(1)
    pace.wait("watch")
    time.now += 45
    assert waited(pace, time, "watch") == 0.0
