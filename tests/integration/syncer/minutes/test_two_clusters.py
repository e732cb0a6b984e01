"""Two clusters behind the same target groups: a syncer in each, on an API server of its own."""

import pytest

from tests.integration.syncer.household import Household, Syncer

pytestmark = pytest.mark.toolchain


def _all(home: Household, neighbour: Household, group: str = "http") -> set[tuple[str, int]]:
    """Who is registered, by name, from whichever cluster."""
    names = {instance: name for each in (home, neighbour) for name, instance in each.instances.items()}
    return {(names.get(name, name), port) for name, port in home.registered(group)}


def _of(cluster: Household, *names: str, group: str = "http") -> set[tuple[str, int]]:
    return {(name, cluster.node_port(group)) for name in names}


def _contested(syncer: Syncer) -> set[str]:
    return {each["cause"] for group in syncer.status["groups"] for each in group["contested"]}


def test_two_syncers_that_track_their_own_share_a_group_in_peace(
    home: Household, neighbour: Household
) -> None:
    home.join("east-1", "east-2")
    neighbour.join("west-1", "west-2")
    syncers = [cluster.syncer(NLB_SYNC_OWNERSHIP="tracked") for cluster in (home, neighbour)]

    def both(east: set[tuple[str, int]], west: set[tuple[str, int]]) -> bool:
        return _all(home, neighbour) == east | west

    east, west = _of(home, "east-1", "east-2"), _of(neighbour, "west-1", "west-2")
    home.until(lambda: both(east, west), within=20)
    home.delete("east-1")
    home.until(lambda: both(_of(home, "east-2"), west), within=10)
    neighbour.join("west-3")
    west |= _of(neighbour, "west-3")
    home.until(lambda: both(_of(home, "east-2"), west), within=10)
    # One begins anew, with nothing remembered: what it does not know is not its own.
    syncers[1].stop()
    neighbour.delete("west-3")
    again = neighbour.syncer(NLB_SYNC_OWNERSHIP="tracked")
    home.until(lambda: again.ready, within=15)
    home.stays(lambda: _of(home, "east-2") < _all(home, neighbour), for_s=12)
    assert not (_contested(syncers[0]) | _contested(again))


def test_an_exclusive_syncer_on_a_shared_group_ends_as_contested_and_not_in_an_endless_fight(
    home: Household, neighbour: Household
) -> None:
    home.join("east-1", "east-2", "east-3")
    neighbour.join("west-1")
    tracked = neighbour.syncer(NLB_SYNC_OWNERSHIP="tracked")
    home.until(lambda: _all(home, neighbour) == _of(neighbour, "west-1"), within=20)
    exclusive = home.syncer(NLB_SYNC_OWNERSHIP="exclusive")
    # What AWS shows within a minute of a write proves no other writer, so three times take minutes.
    home.until(lambda: bool(_contested(tracked) or _contested(exclusive)), within=300)
    assert any("another cluster's syncer" in cause for cause in _contested(tracked) | _contested(exclusive))
    home.until(lambda: _all_contested(tracked) or _all_contested(exclusive), within=100)
    sent = _writes(tracked), _writes(exclusive)
    assert max(sent) <= 2 * 4  # in each of the two groups: its own, and three times the other's
    home.stays(lambda: _of(home, "east-1", "east-2", "east-3") <= _all(home, neighbour), for_s=12)
    assert (_writes(tracked), _writes(exclusive)) == sent


def _all_contested(syncer: Syncer) -> bool:
    return all(group["contested"] for group in syncer.status["groups"])


def _writes(syncer: Syncer) -> float:
    """How many writes the syncer has sent."""
    return sum(
        syncer.metric(f'nlb_sync_aws_calls_total{{code="ok",operation="{operation}"}}')
        for operation in ("RegisterTargets", "DeregisterTargets")
    )
