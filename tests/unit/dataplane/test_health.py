import pytest

from sandbox.dataplane.health import FAILED, Streak, matches
from sandbox.dataplane.world import HealthCheck

CHECK = HealthCheck(
    protocol="HTTP", port=None, path="/", interval=5, timeout=2, healthy=3, unhealthy=2, matcher="200-399"
)


@pytest.mark.parametrize(
    ("matcher", "code", "expected"),
    [
        ("200", 200, True),
        ("200", 201, False),
        ("200-399", 302, True),
        ("200-399", 404, False),
        ("200,204", 204, True),
        ("200,300-302", 301, True),
    ],
)
def test_a_matcher_is_a_list_of_codes_and_ranges(matcher: str, code: int, *, expected: bool) -> None:
    assert matches(matcher, code) is expected


def settle(outcomes: list[str]) -> list[str | None]:
    streak = Streak()
    return [streak.add(outcome, CHECK) for outcome in outcomes]


def test_a_target_is_healthy_after_as_many_passes_in_a_row_as_the_threshold_says() -> None:
    assert settle(["", "", ""]) == [None, None, ""]


def test_a_failure_in_between_starts_the_count_again() -> None:
    assert settle(["", "", FAILED, "", "", ""])[-2:] == [None, ""]


def test_a_healthy_target_stays_healthy_until_the_unhealthy_threshold_is_met() -> None:
    assert settle(["", "", "", FAILED]) == [None, None, "", ""]
    assert settle(["", "", "", FAILED, FAILED])[-1] == FAILED


def test_failures_of_different_kinds_count_together() -> None:
    assert settle(["Target.Timeout", FAILED])[-1] == FAILED
