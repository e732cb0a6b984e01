"""The real syncer, where DescribeTargetHealth lags behind its own writes."""

import json
import time
from urllib.request import Request, urlopen

import pytest

from tests.integration.syncer.household import NODES, Household

pytestmark = pytest.mark.toolchain


def _lag(home: Household, seconds: float) -> None:
    lags = {name: [0, seconds] for name in home.names()} if seconds else {}
    url, body = f"{home.layout.aws_url}/_sandbox/faults", json.dumps({"health_lag_s": lags}).encode()
    with urlopen(Request(url, data=body, method="POST"), timeout=10):  # noqa: S310
        pass


def test_b4_nodes_come_and_go_by_one_write_each_and_nobody_is_blamed(home: Household) -> None:
    home.join("a", "b", "c")
    _lag(home, 20)
    try:
        syncer = home.syncer()
        home.until(lambda: all(len(home.registered(group)) == 3 for group in ("http", "https")), within=120)
        time.sleep(25)
        home.api.patch(
            f"{NODES}/a",
            {"spec": {"taints": [{"key": "ToBeDeletedByClusterAutoscaler", "effect": "NoSchedule"}]}},
        )
        left = {("b", home.node_port("http")), ("c", home.node_port("http"))}
        home.until(lambda: home.registered("http") == left, within=60 + 60)
        time.sleep(25)
        assert home.registered("http") == left
        assert [group["contested"] for group in syncer.status["groups"]] == [[], []]
        assert "contested" not in syncer.log.read_text()
        for operation in ("RegisterTargets", "DeregisterTargets"):
            assert syncer.metric(f'nlb_sync_aws_calls_total{{code="ok",operation="{operation}"}}') <= 3
    finally:
        _lag(home, 0)
