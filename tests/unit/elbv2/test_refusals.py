"""Refused targets: the whole call, its code, and the named ids."""

from dataclasses import replace

import pytest

from sandbox.elbv2.account import Conditions, Instance
from sandbox.elbv2.errors import Refusal
from tests.unit.elbv2.account import STATES, A, AnAccount, B, C

GHOST = "i-00000000000000bad"


def refused(account: AnAccount, *ids: str, port: int | None = None) -> Refusal:
    """The refusal of a registration, which must change nothing."""
    before = account.states(0)
    with pytest.raises(Refusal) as caught:
        account.register(*ids, port=port)
    assert account.states(0) == before
    return caught.value


@pytest.mark.parametrize(
    ("one", "instance", "sentence"),
    [
        (GHOST, None, "The following instances do not exist"),
        ("mi-0123", Instance("running", "1a", "vpc-1"), "The following instances do not exist"),
        (
            B,
            Instance("stopped", "1a", "vpc-1"),
            "The following targets are not in a running state and cannot",
        ),
        (
            B,
            Instance("pending", "1a", "vpc-1"),
            "The following targets are not in a running state and cannot",
        ),
        (
            B,
            Instance("running", "1a", "vpc-2"),
            "The following targets are not in the target group VPC 'vpc-1'",
        ),
    ],
)
def test_one_bad_instance_refuses_the_call(one: str, instance: Instance | None, sentence: str) -> None:
    account = AnAccount()
    if instance:
        account.instances[one] = instance
    refusal = refused(account, A, one)
    assert (refusal.code, refusal.ids) == ("InvalidTarget", frozenset({one}))
    assert refusal.message.startswith(sentence)
    assert refusal.message.endswith(f": '{one}'")


def test_an_instance_in_too_many_groups_is_refused_with_its_own_code() -> None:
    account = AnAccount(
        conditions=Conditions(
            checks=STATES, refused={B: "TooManyRegistrationsForTargetId", C: "InvalidTarget"}
        )
    )
    refusal = refused(account, A, B, C)
    assert (refusal.code, refusal.ids) == ("TooManyRegistrationsForTargetId", frozenset({B}))


def test_a_stuck_target_refuses_the_deregistration() -> None:
    account = AnAccount(conditions=Conditions(checks=STATES, stuck={B}))
    account.register(A, B)
    with pytest.raises(Refusal, match="InvalidTarget") as caught:
        account.deregister(A, B)
    assert caught.value.ids == {B}
    assert account.state(60) == "healthy"


def test_a_refusal_may_name_no_ids() -> None:
    account = AnAccount()
    account.given = replace(account.given, names_ids=False)
    refusal = refused(account, A, GHOST)
    assert (refusal.ids, GHOST in refusal.message) == (frozenset(), False)


def test_a_group_of_addresses_takes_no_instance() -> None:
    account = AnAccount()
    account.groups[0].target_type = "ip"
    assert refused(account, A).code == "ValidationError"


def test_an_empty_or_large_call_and_a_wrong_port_are_invalid() -> None:
    account = AnAccount(conditions=Conditions(checks=STATES, largest_batch=2))
    assert {refused(account, *ids).code for ids in ([], [A, B, C])} == {"ValidationError"}
    assert {refused(account, A, port=port).code for port in (0, 65_536)} == {"ValidationError"}
    account.register(A, B)
