"""The states of a target: by time, instance, listener, zone and check results."""

from dataclasses import replace

import pytest

from sandbox.elbv2 import actions
from sandbox.elbv2.account import Balancer, Conditions, Delayed, Instance, Reported
from tests.unit.elbv2.account import DELAY_S, STATES, A, AnAccount, B, C


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (0.0, ("initial", "Elb.RegistrationInProgress")),
        (4.9, ("initial", "Elb.RegistrationInProgress")),
        (5.0, ("initial", "Elb.InitialHealthChecking")),
        (20.0, ("healthy", "")),
    ],
)
def test_a_registered_target_is_initial_then_healthy(at: float, expected: tuple[str, str]) -> None:
    account = AnAccount()
    account.register(A)
    assert account.states(at) == {(A, 80): expected}


def test_a_draining_target_is_absent_after_the_delay() -> None:
    account = AnAccount()
    account.register(A)
    account.deregister(A, at=30)
    assert account.states(30 + DELAY_S - 1) == {(A, 80): ("draining", "Target.DeregistrationInProgress")}
    assert account.state(30 + DELAY_S) == "absent"


def test_the_delay_in_force_at_the_deregistration_applies() -> None:
    account = AnAccount()
    account.register(A)
    account.deregister(A)
    account.groups[0].deregistration_delay_s = 0.0
    assert account.state(DELAY_S - 1) == "draining"


def test_a_second_deregistration_does_not_prolong_the_drain() -> None:
    account = AnAccount()
    account.register(A)
    account.deregister(A, at=0)
    account.deregister(A, at=200)
    assert account.state(DELAY_S) == "absent"


def test_a_draining_target_that_is_registered_starts_afresh_and_stays() -> None:
    account = AnAccount()
    account.register(A)
    account.deregister(A, at=100)
    account.register(A, at=150)
    assert [account.state(at) for at in (150, 170, 100 + DELAY_S)] == ["initial", "healthy", "healthy"]


def test_registering_a_registered_target_changes_nothing() -> None:
    account = AnAccount()
    account.register(A)
    account.register(A, A, at=19)
    assert account.state(20) == "healthy"


def test_an_id_alone_is_the_target_on_the_groups_port() -> None:
    account = AnAccount()
    account.register(A)
    account.register(A, port=30080)
    account.deregister(A)
    assert {key: state for key, (state, _) in account.states(60).items()} == {
        (A, 80): "draining",
        (A, 30080): "healthy",
    }


def test_an_asked_target_that_is_not_registered_is_unused() -> None:
    account = AnAccount()
    assert account.states(0, 0, B) == {(B, 80): ("unused", "Target.NotRegistered")}


def test_the_instance_the_listener_the_zone_and_aws_come_before_the_checks() -> None:
    account = AnAccount()
    account.register(A)
    account.given = Conditions(checks=STATES, internal_error=True)
    assert account.states(60) == {(A, 80): ("unavailable", "Elb.InternalError")}
    account.owner = Balancer({"1b"}, account.groups)
    assert account.states(60) == {(A, 80): ("unused", "Target.NotInUse")}
    account.owner = None
    assert account.states(60) == {(A, 80): ("unused", "Target.NotInUse")}
    account.instances[A] = Instance("terminated", "1a", "vpc-1")
    assert account.states(60) == {(A, 80): ("unused", "Target.InvalidState")}
    account.deregister(A, at=60)
    assert account.state(60) == "draining"


def test_a_started_instance_is_checked_afresh() -> None:
    account = AnAccount()
    account.register(A)
    account.instances[A] = Instance("running", "1a", "vpc-1", started_at=100)
    assert [account.state(at) for at in (101, 120)] == ["initial", "healthy"]


def test_a_failing_target_lingers_as_unhealthy_draining() -> None:
    account = AnAccount(conditions=Conditions(checks=Delayed(20, failing={A})))
    account.groups[0].lingering_s = 10
    account.register(A)
    assert [account.state(at) for at in (19, 20, 29, 30)] == [
        "initial",
        "unhealthy.draining",
        "unhealthy.draining",
        "unhealthy",
    ]


def test_a_zonal_shift_overrides_the_targets_of_the_zone() -> None:
    account = AnAccount()
    account.register(A, C)
    group = account.groups[0]
    assert {override for *_, override in actions.describe(account, group, 0)} == {""}
    account.given = replace(account.given, shifts={"1b": "zonal_shift_active"})
    found = {key[0]: override for key, _, _, override in actions.describe(account, group, 0)}
    assert found == {A: "no_override", C: "zonal_shift_active"}


def reported() -> AnAccount:
    account = AnAccount(conditions=Conditions(checks=Reported(registration_s=1.0)))
    account.register(A)
    return account


def report(account: AnAccount, state: str, at: float, reason: str = "") -> bool:
    return actions.record(account, account.groups[0], (A, 80), (state, at, reason))


def test_a_reported_result_counts_only_under_health_checks() -> None:
    account = reported()
    assert not report(account, "healthy", 0.5)
    assert report(account, "healthy", 1.0)
    assert account.state(1.0) == "healthy"
    account.deregister(A, at=2)
    assert not report(account, "unhealthy", 3)
    assert account.state(3) == "draining"


def test_only_a_changed_result_is_a_change_and_another_reason_does_not_prolong_the_lingering() -> None:
    account = reported()
    account.groups[0].lingering_s = 10
    assert [report(account, "unhealthy", 5), report(account, "unhealthy", 6)] == [True, False]
    assert report(account, "unhealthy", 14, "Target.Timeout")
    assert account.states(14.9) == {(A, 80): ("unhealthy.draining", "Target.Timeout")}
    assert account.state(15) == "unhealthy"


def test_an_unused_target_forgets_its_result() -> None:
    account = reported()
    report(account, "healthy", 5)
    actions.reset_unused(account, account.groups[0], 6)
    assert account.state(6) == "healthy"
    owner, account.owner = account.owner, None
    actions.reset_unused(account, account.groups[0], 7)
    account.owner = owner
    assert account.state(8) == "initial"


def test_the_next_change_is_the_first_time_at_which_time_alone_changes_a_state() -> None:
    account = AnAccount()
    account.register(A)
    group = account.groups[0]
    assert [actions.next_change(account, group, at) for at in (0, 5, 20)] == [5, 20, float("inf")]
    account.deregister(A, at=20)
    assert actions.next_change(account, group, 20) == 20 + DELAY_S
