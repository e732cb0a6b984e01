"""/metrics: complete from the start, true to the world, and as docs/metrics.md says."""

import asyncio
import re
from pathlib import Path

import pytest
import yaml
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from syncer.errors import ThrottledError
from syncer.model import Target, Why
from syncer.telemetry.counters import RESTART_REASONS, Histogram
from syncer.telemetry.metrics import as_markdown
from syncer.version import VERSION
from tests.simulation.cluster import node
from tests.simulation.virtual import EPOCH, run_virtually
from tests.simulation.world import HTTP, PORTS, World, instance

DOCS = Path(__file__).parents[3] / "docs" / "metrics.md"
ALERTS = DOCS.parent / "examples" / "alerts.yaml"


def samples(page: str) -> dict[str, float]:
    lines = page.splitlines()
    return {
        line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if not line.startswith("#")
    }


def test_the_page_of_docs_shows_every_metric_as_it_is() -> None:
    async def story() -> str:
        replica = World().replica()
        table = as_markdown(replica.observe(), replica.counters)
        await replica.stop()
        return table

    table = run_virtually(story())
    assert table in DOCS.read_text(encoding="utf-8"), f"replace the table in docs/metrics.md by:\n{table}"


def test_every_metric_has_its_values_before_anything_has_happened() -> None:
    async def story() -> dict[str, float]:
        replica = World().replica()
        answer = samples(replica.metrics())
        await replica.stop()
        return answer

    known = run_virtually(story())
    for name in ("registered", "draining", "serving", "floor", "desired", "poison", "contested", "blind"):
        assert known[f'nlb_sync_{name}{{target_group="http"}}'] == 0
    for reason in ("Target.NotInUse", "Target.InvalidState", "Target.IpUnusable"):
        assert known[f'nlb_sync_unused{{reason="{reason}",target_group="https"}}'] == 0
    for name in ("registered", "healthy"):
        assert known[f'nlb_sync_ready_to_{name}_seconds_count{{target_group="http"}}'] == 0
        assert known[f'nlb_sync_ready_to_{name}_seconds_bucket{{le="+Inf",target_group="http"}}'] == 0
    assert known["nlb_sync_leader"] == 1
    assert known["nlb_sync_paused"] == 0
    assert known[f'nlb_sync_build_info{{version="{VERSION}"}}'] == 1


# What dashboards rely on: each metric, and the values of its labels beside the groups.
PROMISED: dict[str, dict[str, set[str]]] = {
    "desired": {},
    "registered": {},
    "serving": {},
    "draining": {},
    "floor": {},
    "poison": {},
    "contested": {},
    "blind": {},
    "last_good_pass_age_seconds": {},
    "unused": {"reason": {"Target.NotInUse", "Target.InvalidState"}},
    "held": {"why": set(Why)},
    "passes_total": {"result": {"ok", "failed"}},
    "ready_to_registered_seconds_bucket": {"le": {"+Inf", "1.0", "120.0"}},
    "ready_to_healthy_seconds_bucket": {"le": {"+Inf", "1.0", "120.0"}},
}


def families(text: str) -> list[Metric]:
    """The page as Prometheus reads it; each name once, each series once."""
    found = list(text_string_to_metric_families(text))
    series = [(each.name, *sorted(each.labels.items())) for family in found for each in family.samples]
    assert len({family.name for family in found}) == len(found)
    assert len(set(series)) == len(series)
    return found


def test_every_promised_metric_is_there_from_the_start_for_each_group() -> None:
    async def story() -> str:
        replica = World().replica()
        text = replica.metrics()
        await replica.stop()
        return text

    found = families(run_virtually(story()))
    assert all(family.documentation and family.type != "unknown" for family in found)
    samples = [each for family in found for each in family.samples]
    for name, labels in PROMISED.items():
        ours = [each.labels for each in samples if each.name == f"nlb_sync_{name}"]
        for group in ("http", "https"):
            of_group = [each for each in ours if each["target_group"] == group]
            assert of_group, name
            for label, values in labels.items():
                assert values <= {each[label] for each in of_group}, (name, label)
    whole = {each.name: each.value for each in samples if not each.labels}
    assert {"nlb_sync_leader", "nlb_sync_paused", "nlb_sync_ready"} <= set(whole)
    calls = {(each.labels["operation"], each.labels["code"]) for each in samples if "code" in each.labels}
    assert {("RegisterTargets", "InvalidTarget"), ("DescribeTargetHealth", "ThrottlingException")} <= calls
    ends = {each.labels["reason"] for each in samples if each.name == "nlb_sync_watch_restarts_total"}
    assert ends == set(RESTART_REASONS)


def test_every_alert_asks_for_series_that_are_there_from_the_start_and_is_explained() -> None:
    async def story() -> str:
        replica = World().replica()
        text = replica.metrics()
        await replica.stop()
        return text

    series = [
        (each.name, each.labels) for family in families(run_virtually(story())) for each in family.samples
    ]
    rules = [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]
    for rule in rules:
        assert f"| `{rule['alert']}` |" in DOCS.read_text(), "explain it in docs/metrics.md"
        asked = re.findall(r"(nlb_sync_\w+)(?:\{(\w+)(=~?)\"([^\"]*)\"\})?", rule["expr"])
        assert asked
        for name, label, sign, value in asked:
            for one in value.split("|") if sign == "=~" else [value]:
                assert any(n == name and (not label or labels[label] == one) for n, labels in series), rule
    names = {rule["alert"] for rule in rules}
    assert set(re.findall(r"^\| `(Nlb\w+)` \|", DOCS.read_text(), re.MULTILINE)) == names


def test_no_series_appears_or_goes_when_much_happens() -> None:
    async def story() -> tuple[str, str]:
        world = World({"NLB_SYNC_TARGET_LIMIT": "3"})
        world.join("a", "b", "c", "d", "e")
        replica = world.replica()
        before = replica.metrics()
        replica.elb.faults.append(ThrottledError("RegisterTargets", "ThrottlingException", "Rate exceeded"))
        await world.until(lambda: len(world.cloud.serving(HTTP)) == 3, within=90)
        world.cluster.put(node("a", instance("a"), taints=["karpenter.sh/disrupted"]))
        world.cloud.running.pop(instance("b"))
        world.cluster.delete("c")
        await asyncio.sleep(30)
        after = replica.metrics()
        await replica.stop()
        return before, after

    def series(text: str) -> set[tuple[str, ...]]:
        ours = (each for family in families(text) for each in family.samples if "process_" not in each.name)
        return {(each.name, *(f"{k}={v}" for k, v in sorted(each.labels.items()))) for each in ours}

    before, after = run_virtually(story())
    assert series(before) == series(after)


def test_a_node_that_turns_ready_is_timed_until_it_is_registered_and_healthy() -> None:
    async def story() -> dict[str, float]:
        world = World()
        world.cloud.launch(instance("old"))
        old = node("old", instance("old"))  # Ready since before the start: it has not waited for this syncer
        old["status"]["conditions"][0]["lastTransitionTime"] = "2025-12-31T23:00:00Z"
        world.cluster.put(old)
        replica = world.replica()
        await asyncio.sleep(100)
        world.cloud.launch(instance("new"))
        item = node("new", instance("new"))
        item["status"]["conditions"][0]["lastTransitionTime"] = "2026-01-01T00:01:38Z"
        assert EPOCH + 98 == 1_767_225_698
        world.cluster.put(item)
        await world.until(lambda: len(world.cloud.serving(HTTP)) == 2, within=60)
        await asyncio.sleep(6)
        answer = samples(replica.metrics())
        await replica.stop()
        return answer

    known = run_virtually(story())
    assert known['nlb_sync_ready_to_registered_seconds_count{target_group="http"}'] == 1
    assert 2 < known['nlb_sync_ready_to_registered_seconds_sum{target_group="http"}'] < 2.5
    assert known['nlb_sync_ready_to_healthy_seconds_count{target_group="http"}'] == 1
    assert 22 < known['nlb_sync_ready_to_healthy_seconds_sum{target_group="http"}'] < 28
    assert known['nlb_sync_ready_to_healthy_seconds_bucket{le="20.0",target_group="http"}'] == 0
    assert known['nlb_sync_ready_to_healthy_seconds_bucket{le="30.0",target_group="http"}'] == 1


def test_unused_draining_and_the_age_of_the_last_good_pass_follow_the_world() -> None:
    async def story() -> dict[str, float]:
        world = World()
        world.join("a", "b", "c")
        replica = world.replica()
        await world.until(lambda: len(world.cloud.serving(HTTP)) == 3, within=60)
        world.cluster.delete("a")
        world.cloud.running.pop(instance("b"))
        await asyncio.sleep(40)
        assert Target(instance("a"), PORTS[HTTP]) not in world.cloud.registered(HTTP)
        replica.cluster.cut = True
        answer = samples(replica.metrics())
        await replica.stop()
        return answer

    known = run_virtually(story())
    assert known['nlb_sync_draining{target_group="http"}'] == 1
    assert known['nlb_sync_registered{target_group="http"}'] == 2
    assert known['nlb_sync_unused{reason="Target.InvalidState",target_group="http"}'] == 1
    assert 0 <= known['nlb_sync_last_good_pass_age_seconds{target_group="http"}'] < 61


@pytest.mark.parametrize("elected", [True, False])
def test_no_pass_is_a_good_one_by_a_cluster_that_was_last_seen_minutes_ago(elected: bool) -> None:
    async def story() -> tuple[dict[str, float], dict[str, float]]:
        world = World()
        world.join("a", "b", "c")
        replica = world.replica(elected=elected)
        await world.until(lambda: len(world.cloud.serving(HTTP)) == 3, within=60)
        replica.cluster.cut = True
        await asyncio.sleep(360)
        cut = samples(replica.metrics())
        replica.cluster.cut = False
        await asyncio.sleep(61)
        again = samples(replica.metrics())
        await replica.stop()
        return cut, again

    cut, again = run_virtually(story())
    assert 300 <= cut['nlb_sync_last_good_pass_age_seconds{target_group="http"}'] <= 361
    assert again['nlb_sync_last_good_pass_age_seconds{target_group="http"}'] <= 61


def test_a_histogram_counts_each_value_once_up_to_its_bound() -> None:
    histogram = Histogram()
    for value in (-1.0, 0.5, 0.6, 1e9):
        histogram.observe(value)
    buckets = dict(histogram.buckets())
    assert (buckets["0.5"], buckets["1.0"], buckets["600.0"], buckets["+Inf"]) == (2, 3, 3, 4)
    assert histogram.total == 0.5 + 0.6 + 1e9
