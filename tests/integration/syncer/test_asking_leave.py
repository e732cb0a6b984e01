"""`leave` against a real API server and the AWS API over HTTP: one cluster of two hands its group over."""

import json

import pytest

from tests.integration.syncer.household import Household
from tests.integration.syncer.questions import Ask, fill

pytestmark = pytest.mark.toolchain

NOBODY = ("--url", "http://127.0.0.1:9")


@pytest.fixture
def shared(home: Household) -> Household:
    """Two nodes of ours and two of another cluster, which has its own API server."""
    fill(home, "a", "b", "c", "d")
    for other in ("c", "d"):
        home.delete(other)
    return home


def members(home: Household) -> list[set[str]]:
    return [{name for name, _ in home.registered(group)} for group in home.groups]


def test_without_yes_it_only_says_what_would_go(shared: Household, ask: Ask) -> None:
    code, out, _ = ask("leave", *NOBODY)
    assert code == 0
    assert out.splitlines()[-1] == "4 targets would be deregistered at once; nothing was done: add --yes"
    assert members(shared) == [{"a", "b", "c", "d"}] * 2


def test_with_yes_ours_go_and_those_of_the_other_cluster_stay(shared: Household, ask: Ask) -> None:
    code, out, err = ask("leave", "--yes", "--json", "--every", "1", *NOBODY)
    assert code == 0, err
    assert (json.loads(out)["done"], json.loads(out)["deregistered"]) == (True, 4)
    assert members(shared) == [{"c", "d"}] * 2


def test_it_ends_with_1_while_nobody_serves_in_our_place(home: Household, ask: Ask) -> None:
    fill(home, "a", "b")
    code, out, _ = ask("leave", "--yes", "--timeout", "1", "--every", "1", *NOBODY)
    assert code == 1
    assert "Share" in out or "LastServing" in out
    assert [len(each) for each in members(home)] == [1, 1]


def test_a_syncer_at_work_is_not_fought_with(home: Household, ask: Ask) -> None:
    home.join("a", "b")
    syncer = home.syncer()
    home.until(lambda: home.filled_with("a", "b") and syncer.ready, within=20)
    code, out, err = ask("leave", "--yes", "--url", f"http://127.0.0.1:{syncer.port}")
    assert (code, out) == (3, "")
    assert "NLB_SYNC_PAUSED=true" in err
    assert home.filled_with("a", "b")


def test_a_syncer_at_work_elsewhere_is_seen_by_its_lease_and_a_paused_one_has_none(
    home: Household, ask: Ask
) -> None:
    place = {"NLB_SYNC_NAMESPACE": "default", "NLB_SYNC_NAME": home.service}
    home.join("a", "b", "c")
    syncer = home.syncer(**place)
    home.until(lambda: home.filled_with("a", "b", "c") and syncer.ready, within=25)
    code, out, err = ask("leave", "--yes", *NOBODY, **place)
    assert (code, out) == (3, "")
    assert (
        f"which renews the Lease default/{home.service}: set NLB_SYNC_PAUSED=true there, or stop it, first"
        in err
    )
    assert home.filled_with("a", "b", "c")
    assert syncer.stop() == 0
    paused = home.syncer(NLB_SYNC_PAUSED="true", **place)
    home.until(lambda: paused.ready, within=15)
    code, out, err = ask("leave", "--yes", "--timeout", "0", "--url", paused.url, **place)
    assert code == 1, err
    assert [len(each) for each in members(home)] == [2, 2]


@pytest.mark.usefixtures("shared")
def test_a_lease_that_is_not_there_is_said(ask: Ask) -> None:
    code, _, err = ask("leave", "--yes", "--every", "1", *NOBODY, NLB_SYNC_NAMESPACE="default")
    assert code == 0
    assert "there is no Lease default/nlb-sync: only http://127.0.0.1:9 was asked" in err


@pytest.mark.usefixtures("shared")
def test_where_the_lease_cannot_be_looked_at_it_says_what_was_asked(ask: Ask) -> None:
    code, _, err = ask("leave", "--yes", "--every", "1", *NOBODY)
    assert code == 0
    assert "only http://127.0.0.1:9 was asked whether a syncer is at work" in err
