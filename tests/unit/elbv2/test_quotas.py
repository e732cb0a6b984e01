"""The most targets of a group, a zone and a load balancer."""

from dataclasses import replace

import pytest

from sandbox.elbv2.account import Balancer, Conditions, Quotas
from sandbox.elbv2.errors import Refusal
from sandbox.elbv2.quotas import require_group_places
from tests.unit.elbv2.account import DELAY_S, STATES, A, AnAccount, B, C


def with_quotas(quotas: Quotas, groups: int = 1) -> AnAccount:
    return AnAccount(groups, Conditions(checks=STATES, quotas=quotas))


def test_a_full_group_refuses_a_new_target_and_takes_a_registered_one() -> None:
    account = with_quotas(Quotas(group=1))
    account.register(A)
    with pytest.raises(Refusal, match="TooManyTargets: You cannot have more than 1 targets per target group"):
        account.register(A, B)
    account.register(A)
    assert account.state(0, B) == "absent"


def test_a_registered_target_is_accepted_also_above_the_quota() -> None:
    account = with_quotas(Quotas())
    account.register(A, B)
    account.given = replace(account.given, quotas=Quotas(group=1, balancer=1))
    account.register(A)


def test_draining_targets_count_until_their_end_or_never() -> None:
    account = with_quotas(Quotas(group=1))
    account.register(A)
    account.deregister(A)
    with pytest.raises(Refusal, match="TooManyTargets"):
        account.register(B, at=DELAY_S - 1)
    account.register(B, at=DELAY_S)
    account.deregister(B, at=DELAY_S)
    account.given = replace(account.given, quotas=Quotas(group=1, draining_counts=False))
    account.register(A, at=DELAY_S)
    with pytest.raises(Refusal, match="TooManyTargets"):
        account.register(B, at=DELAY_S)


def test_a_target_in_two_groups_counts_twice_for_the_load_balancer() -> None:
    account = with_quotas(Quotas(balancer=2), groups=2)
    account.register(A, group=0)
    account.register(A, group=1)
    with pytest.raises(Refusal, match="2 targets per network load balancer"):
        account.register(B, group=1)
    account.owner = None
    account.register(B, group=1)


def test_drains_that_are_over_in_another_group_do_not_count() -> None:
    account = with_quotas(Quotas(balancer=1), groups=2)
    account.register(A, group=0)
    account.deregister(A, group=0)
    account.register(B, group=1, at=DELAY_S)


def test_with_cross_zone_only_its_own_quota_applies() -> None:
    account = with_quotas(Quotas(zone=1, balancer=1, cross_zone=2))
    account.owner = Balancer(None, account.groups, cross_zone=True)
    account.register(A, B)
    with pytest.raises(Refusal, match="with cross-zone load balancing enabled"):
        account.register(C)


def test_each_zone_has_its_quota() -> None:
    account = with_quotas(Quotas(zone=1))
    account.register(A, C)
    with pytest.raises(Refusal, match="per Availability Zone"):
        account.register(B)


def test_a_group_joins_a_listener_only_with_places_for_its_targets() -> None:
    account = with_quotas(Quotas(), groups=2)
    account.register(A, group=0)
    account.register(A, B, group=1)
    assert account.owner
    require_group_places(account.owner, account.groups, account, Quotas(balancer=3), 0)
    with pytest.raises(Refusal, match="TooManyTargets"):
        require_group_places(account.owner, account.groups, account, Quotas(balancer=2), 0)
