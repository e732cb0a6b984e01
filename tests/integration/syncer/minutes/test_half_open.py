"""Connections on which nobody answers any more: noticed within a minute, and mended."""

import os
import signal
import time

import pytest

from sandbox import process
from tests.integration.syncer.household import Household, Syncer
from tests.integration.syncer.wire import Wire

pytestmark = pytest.mark.toolchain

LOST = 'nlb_sync_watch_restarts_total{reason="lost",resource="nodes"}'


def test_a_stopped_api_server_and_a_forgotten_connection_are_noticed_within_a_minute(home: Household) -> None:
    with Wire(home.layout) as wire:
        home.join("a", "b", "c")
        beside, behind = home.syncer(), home.syncer(KUBECONFIG=wire.kubeconfig())
        home.until(lambda: home.filled_with("a", "b", "c"), within=20)
        home.until(lambda: beside.ready and behind.ready, within=10)
        server = process.find(home.layout, "kube-apiserver")
        assert server is not None
        home.label("a", "beat", "1")  # the last sign of life: from now on nothing comes
        stopped_at = time.monotonic()
        wire.forget()
        os.kill(server.pid, signal.SIGSTOP)
        try:
            home.until(lambda: _has_noticed(beside) and _has_noticed(behind), within=60)
            assert time.monotonic() - stopped_at < 60
            assert beside.get("/healthz")[0] == behind.get("/healthz")[0] == 200
            assert beside.get("/readyz")[0] == behind.get("/readyz")[0] == 200
        finally:
            os.kill(server.pid, signal.SIGCONT)
        home.until(lambda: len(home.node_names()) == 3, within=10)
        home.delete("a")
        home.join("d")
        assert home.until(lambda: _knows(beside, "b", "c", "d"), within=15) < 5
        assert home.until(lambda: _knows(behind, "b", "c", "d"), within=15) < 5
        home.until(lambda: home.filled_with("b", "c", "d"), within=10)
        home.until(lambda: not beside.status["problems"] and not behind.status["problems"], within=5)


def _has_noticed(syncer: Syncer) -> bool:
    return syncer.metric(LOST) >= 1 and bool(syncer.status["problems"])


def _knows(syncer: Syncer, *names: str) -> bool:
    return {each["node"] for each in syncer.status["nodes"]} == set(names)
