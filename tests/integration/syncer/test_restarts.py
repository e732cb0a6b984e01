"""An API server that is away, forgets its history or comes back as another version."""

import signal

import pytest

from sandbox import cluster as control
from sandbox import process
from sandbox.cluster import commands
from tests.integration.syncer.household import Household

pytestmark = pytest.mark.toolchain

GONE = 'nlb_sync_watch_restarts_total{reason="gone",resource="nodes"}'


def test_an_api_server_that_is_away_at_start_is_waited_for(home: Household) -> None:
    home.join("a")
    process.stop(home.layout, "kube-apiserver", grace_s=1)
    try:
        syncer = home.syncer()
        home.until(lambda: "refused" in syncer.get("/readyz")[1], within=15)
        assert syncer.get("/healthz")[0] == 200
        assert "/api/v1/nodes" in syncer.get("/readyz")[1]
    finally:
        control.start(home.layout, home.tools, ["kube-apiserver"])
    assert home.until(lambda: home.filled_with("a"), within=20) < 6
    home.until(lambda: syncer.ready and not syncer.status["problems"], within=5)


def test_a_restart_of_the_api_server_costs_no_target(home: Household) -> None:
    home.join("a", "b", "c")
    syncer = home.syncer()
    home.until(lambda: home.filled_with("a", "b", "c"), within=20)
    process.stop(home.layout, "kube-apiserver", grace_s=0)
    home.until(lambda: bool(syncer.status["problems"]), within=10)
    assert {name for name, _ in home.registered("http")} == {"a", "b", "c"}
    assert syncer.get("/healthz")[0] == 200
    control.start(home.layout, home.tools, ["kube-apiserver"])
    home.delete("a")
    home.join("d")
    assert home.until(lambda: home.filled_with("b", "c", "d"), within=15) < 5
    home.until(lambda: not syncer.status["problems"], within=5)


def test_what_is_compacted_away_is_listed_again(home: Household) -> None:
    home.join("a", "b", "c", "d")
    syncer = home.syncer()
    home.until(lambda: home.filled_with("a", "b", "c", "d"), within=20)
    # An API server that has just started knows no history but etcd's, and that is cut.
    process.stop(home.layout, "kube-apiserver", grace_s=1)
    syncer.signal(signal.SIGSTOP)
    control.start(home.layout, home.tools, ["kube-apiserver"])
    home.delete("a")
    home.join("e")
    home.compact()
    syncer.signal(signal.SIGCONT)
    assert home.until(lambda: home.filled_with("b", "c", "d", "e"), within=15) < 8
    assert syncer.metric(GONE) >= 1
    home.until(lambda: not syncer.status["problems"], within=5)


def test_an_api_server_that_streams_no_list_is_read_by_pages(
    home: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.join("a", "b")
    flags = commands._apiserver
    monkeypatch.setattr(
        commands,
        "_apiserver",
        lambda layout, pki: [*flags(layout, pki), "--feature-gates=WatchList=false"],
    )
    control.restart(home.layout, home.tools, "kube-apiserver")
    try:
        syncer = home.syncer()
        home.until(lambda: home.filled_with("a", "b"), within=20)
        home.join("c")
        home.until(lambda: home.filled_with("a", "b", "c"), within=5)
        assert not syncer.status["problems"]
    finally:
        monkeypatch.undo()
        control.restart(home.layout, home.tools, "kube-apiserver")
