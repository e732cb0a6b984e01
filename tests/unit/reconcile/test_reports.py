"""What is said of the state: metrics, status, readiness and log lines."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator

import pytest

from syncer.errors import UnreachableError
from syncer.model import TargetState, Why
from syncer.telemetry import log
from tests.simulation.cluster import node
from tests.simulation.virtual import run_virtually
from tests.simulation.world import HTTP, World, instance


def samples(page: str) -> dict[str, float]:
    lines = page.splitlines()
    return {
        line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if not line.startswith("#")
    }


def test_every_label_is_there_before_anything_has_happened() -> None:
    async def story() -> dict[str, float]:
        replica = World().replica()
        answer = samples(replica.metrics())
        await replica.stop()
        return answer

    known = run_virtually(story())
    for state in TargetState:
        assert known[f'nlb_sync_targets{{state="{state}",target_group="http"}}'] == 0
    for why in Why:
        assert known[f'nlb_sync_held{{target_group="https",why="{why}"}}'] == 0
    assert known['nlb_sync_passes_total{result="failed",target_group="http"}'] == 0
    assert known['nlb_sync_aws_calls_total{code="ok",operation="RegisterTargets"}'] == 0
    assert known['nlb_sync_watch_restarts_total{reason="gone",resource="nodes"}'] == 0
    assert known["nlb_sync_ready"] == 0


def test_figures_follow_the_world() -> None:
    async def story() -> dict[str, float]:
        world = World()
        world.join("a", "b")
        replica = world.replica()
        await world.until(lambda: len(world.cloud.serving(HTTP)) == 2, within=40)
        await asyncio.sleep(10)
        answer = samples(replica.metrics())
        await replica.stop()
        return answer

    known = run_virtually(story())
    assert known['nlb_sync_targets{state="healthy",target_group="http"}'] == 2
    assert known['nlb_sync_desired{target_group="http"}'] == 2
    assert known['nlb_sync_serving{target_group="http"}'] == 2
    assert known['nlb_sync_changes_total{change="register",target_group="http"}'] == 2
    assert known['nlb_sync_nodes{verdict="in"}'] == 2
    assert known["nlb_sync_ready"] == 1


def test_status_tells_verdicts_targets_and_troubles() -> None:
    async def story() -> None:
        world = World()
        world.join("a")
        replica = world.replica()
        replica.elb.broken["register", HTTP] = UnreachableError("RegisterTargets", "ReadTimeout", "no answer")
        await asyncio.sleep(40)
        told = replica.status()
        json.dumps(told)
        assert told["nodes"] == [
            {
                "node": "a",
                "instance_id": instance("a"),
                "zone": "eu-central-1a",
                "zone_source": "aws",
                "verdict": "in",
                "reason": "Ready",
            }
        ]
        http, https = told["groups"]
        assert http["problem"] == "RegisterTargets: ReadTimeout: no answer"
        assert http["register"] == [{"id": instance("a"), "port": 30080}]
        assert https["problem"] == ""
        assert [each["state"] for each in https["targets"]] == ["healthy"]
        await replica.stop()

    run_virtually(story())


def test_it_is_said_once_when_no_node_at_all_may_be_a_target(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        world = World({"NLB_SYNC_NODE_SELECTOR": "pool=webb"})
        replica = world.replica()
        await asyncio.sleep(10)
        assert "may be a target" not in caplog.text  # a cluster without nodes lacks nothing
        world.join("a", "b")
        await asyncio.sleep(120)
        assert [line for line in caplog.messages if "may be a target" in line] == [
            "no node may be a target: 2 SelectorMismatch"
        ]
        world.cluster.put(node("c", instance("c"), labels={"pool": "webb"}, ready=False))
        await asyncio.sleep(10)
        world.cluster.delete("c")
        await asyncio.sleep(10)
        assert caplog.text.count("may be a target") == 2
        await replica.stop()

    run_virtually(story())


def test_a_node_in_a_zone_that_is_not_served_is_out_wherever_it_is_told() -> None:
    async def story() -> None:
        world = World({"NLB_SYNC_ZONES": "eu-central-1a"})
        world.join("a")
        world.cloud.launch(instance("b"))
        world.cluster.put(node("b", instance("b"), zone="eu-central-1b"))
        replica = world.replica()
        await world.until(lambda: world.filled_with("a"), within=10)
        told = replica.status()
        assert [(each["verdict"], each["reason"]) for each in told["nodes"]] == [
            ("in", "Ready"),
            ("out", "ZoneNotEnabled"),
        ]
        assert told["sentences"]["ZoneNotEnabled"] == "a node in a zone that the load balancer does not serve"
        known = samples(replica.metrics())
        assert (known['nlb_sync_nodes{verdict="in"}'], known['nlb_sync_nodes{verdict="out"}']) == (1, 1)
        await replica.stop()

    run_virtually(story())


def test_a_service_without_the_port_is_named_and_nothing_is_registered(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def story() -> None:
        world = World({"NLB_SYNC_TARGET_GROUPS": f"{HTTP}=edge/ingress:http"})
        world.join("a")
        replica = world.replica()
        await asyncio.sleep(60)
        told = replica.status()["groups"][0]
        assert told["waiting_for"] == "a NodePort named http of the Service edge/ingress"
        assert told["last_good_pass"] is None
        (line,) = [line for line in caplog.messages if "edge/ingress" in line]
        assert line == (
            "http: nothing is registered: the Service edge/ingress has no NodePort named http; "
            "the Service is missing, or has no TCP port; give the port a NodePort, or set another port"
        )
        assert world.cloud.calls["register"] == 0
        world.cluster.expose("edge/ingress", "http", 30080)
        await world.until(lambda: world.cloud.registered(HTTP) == world.targets("a"), within=1)
        await world.until(lambda: bool(replica.status()["groups"][0]["last_good_pass"]), within=1)
        await replica.stop()

    run_virtually(story())


def test_ready_means_a_complete_list_and_a_pass_over_each_group() -> None:
    async def story() -> None:
        world = World()
        world.join("a")
        replica = world.replica()
        assert replica.unready() == "no complete list of nodes yet"
        await asyncio.sleep(1)
        assert replica.unready() == ""
        await replica.stop()

    run_virtually(story())


def test_a_selector_that_would_empty_the_groups_is_not_ready() -> None:
    async def story() -> None:
        world = World()
        world.join("a", "b", "c", "d")
        replica = world.replica()
        await world.until(lambda: len(world.cloud.serving(HTTP)) == 4, within=40)
        await replica.stop()
        wrong = World({"NLB_SYNC_NODE_SELECTOR": "role=misspelt"}).settings
        world.settings = wrong
        heir = world.replica()
        await asyncio.sleep(60)
        assert heir.unready() == "every removal since start is held as doubtful: http, https"
        assert world.filled_with("a", "b", "c", "d")
        await heir.stop()

    run_virtually(story())


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    root, ours = logging.getLogger(), logging.getLogger("syncer")
    before = (root.handlers[:], root.level, ours.level, logging.getLogger("urllib3").level)
    stream = io.StringIO()
    log.configure("info", ['s3cr3t/with"quote'], stream)
    yield stream
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    ours.setLevel(before[2])
    logging.getLogger("urllib3").setLevel(before[3])


def test_a_line_is_json_with_what_was_added_to_it(lines: io.StringIO) -> None:
    log.reconcile_id.set("0badcafe")
    logging.getLogger("syncer.x").info("%s: register %d", "http", 3, extra={"group": "http"})
    written = json.loads(lines.getvalue())
    assert written["message"] == "http: register 3"
    assert (written["level"], written["group"], written["reconcile"]) == ("info", "http", "0badcafe")
    assert written["time"].endswith("Z")


def test_a_secret_is_masked_wherever_it_turns_up(lines: io.StringIO) -> None:
    fault = RuntimeError('signed with s3cr3t/with"quote')
    message = 'key s3cr3t/with"quote'
    logging.getLogger("botocore").error(message, exc_info=fault, extra={"key": 's3cr3t/with"quote'})
    assert "s3cr3t" not in lines.getvalue()
    assert json.loads(lines.getvalue())["key"] == "***"
