"""/metrics: complete from the start, true to the world, and as docs/metrics.md says."""

import asyncio
from pathlib import Path

from syncer.metrics import Page
from syncer.model import Target
from syncer.tally import Histogram
from tests.sim.cluster import node
from tests.sim.virtual import EPOCH, run_virtually
from tests.sim.world import HTTP, PORTS, World, instance

DOCS = Path(__file__).parents[3] / "docs" / "metrics.md"


def samples(page: Page) -> dict[str, float]:
    lines = page.render().decode().splitlines()
    return {
        line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if not line.startswith("#")
    }


def test_the_page_of_docs_shows_every_metric_as_it_is() -> None:
    async def story() -> str:
        replica = World().replica()
        table = Page(replica.controller).as_markdown()
        await replica.stop()
        return table

    table = run_virtually(story())
    assert table in DOCS.read_text(encoding="utf-8"), f"replace the table in docs/metrics.md by:\n{table}"


def test_every_metric_has_its_values_before_anything_has_happened() -> None:
    async def story() -> dict[str, float]:
        replica = World().replica()
        answer = samples(Page(replica.controller))
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
        answer = samples(Page(replica.controller))
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
        answer = samples(Page(replica.controller))
        await replica.stop()
        return answer

    known = run_virtually(story())
    assert known['nlb_sync_draining{target_group="http"}'] == 1
    assert known['nlb_sync_registered{target_group="http"}'] == 2
    assert known['nlb_sync_unused{reason="Target.InvalidState",target_group="http"}'] == 1
    assert 0 <= known['nlb_sync_last_good_pass_age_seconds{target_group="http"}'] < 61


def test_a_histogram_counts_each_value_once_up_to_its_bound() -> None:
    histogram = Histogram()
    for value in (-1.0, 0.5, 0.6, 1e9):
        histogram.observe(value)
    buckets = dict(histogram.buckets())
    assert (buckets["0.5"], buckets["1.0"], buckets["600.0"], buckets["+Inf"]) == (2, 3, 3, 4)
    assert histogram.total == 0.5 + 0.6 + 1e9
