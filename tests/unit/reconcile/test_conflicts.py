"""A conflict (rule 7): another writer undoes the syncer's writes; found the third time, then left alone."""

from syncer.decide.listing import Listing
from syncer.model import InstanceId, Target, TargetHealth, TargetState
from syncer.reconcile.conflicts import LAG_CAUSE, Conflicts
from syncer.reconcile.own_writes import OwnWrites, Undone

ONE, TWO, THREE = (Target(InstanceId(f"i-{number:017x}"), 30080) for number in (1, 2, 3))


def listed(*targets: Target, state: TargetState = TargetState.HEALTHY) -> dict[Target, TargetHealth]:
    return {target: TargetHealth(target=target, state=state) for target in targets}


def undone(contested: Conflicts, at: float, *targets: Target, registered: bool = True) -> list[str]:
    """These writes are found undone; the causes of the conflicts that begin with it."""
    writes = [Undone(target, registered) for target in targets or (ONE,)]
    return [each.cause for each in contested.undone(writes, at, listed(THREE))]


def test_the_third_time_within_ten_minutes_makes_it_contested_for_ten_minutes() -> None:
    contested = Conflicts()
    assert [len(undone(contested, at)) for at in (1, 201, 401)] == [0, 0, 1]
    assert contested.releases(402) == {ONE: 599}
    assert contested.releases(1001) == {}


def test_times_further_apart_make_no_contest() -> None:
    contested = Conflicts()
    assert not any(undone(contested, at) for at in range(0, 6000, 310))


def test_the_cause_is_named_by_what_is_undone() -> None:
    causes = [
        [undone(contested, at, registered=registered) for at in (0, 60, 120)][-1]
        for contested, registered in ((Conflicts(), True), (Conflicts(), False))
    ]
    assert "detaches its instances" in causes[0][0]
    assert "attached to the target group" in causes[1][0]


def test_b4_all_targets_of_a_group_at_once_are_reported_as_lag_and_some_of_them_are_not() -> None:
    for standing, is_lag in (((), True), ((THREE,), False)):
        contested, causes = Conflicts(), list[str]()
        for at in (0, 60, 120):
            writes = [Undone(target, registered=True) for target in (ONE, TWO)]
            causes = [each.cause for each in contested.undone(writes, at, listed(*standing))]
        assert [cause == LAG_CAUSE for cause in causes] == [is_lag, is_lag]
    assert "Auto Scaling" not in LAG_CAUSE


def test_b4_who_is_found_to_lag_first_is_reported_as_lag_when_the_last_one_is() -> None:
    contested = Conflicts()
    for at, target in ((0, ONE), (60, ONE), (120, ONE), (130, TWO), (190, TWO), (250, TWO)):
        contested.undone([Undone(target, registered=True)], at, {})
    assert {each.cause for each in contested.now(260).values()} == {LAG_CAUSE}


def test_a_read_that_began_before_the_write_says_nothing_of_it() -> None:
    writes = OwnWrites()
    for at in range(0, 60, 10):
        writes.wrote(ONE, None, at, registered=True)
        assert writes.read(at - 1, {}, Listing())[1] == []


def test_what_stands_is_not_counted_and_what_nobody_writes_again_counts_once() -> None:
    writes = OwnWrites()
    writes.wrote(ONE, None, 0, registered=True)
    for at in range(1, 60):
        assert writes.read(at, listed(ONE, state=TargetState.UNHEALTHY_DRAINING), Listing())[1] == []
    found = [each for at in range(60, 120) for each in writes.read(at, {}, Listing())[1]]
    assert found == [Undone(ONE, registered=True)]
