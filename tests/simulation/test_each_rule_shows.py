"""Each safety rule at work, seen where people look: its metric, its event and its line in the log.

The rows are the table at the end of docs/events.md.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from syncer.errors import AwsError, InvalidTargetError
from syncer.model import InstanceId, Target, Why
from tests.simulation.cluster import node
from tests.simulation.virtual import run_virtually
from tests.simulation.world import HTTP, PORTS, SERVICE, Replica, World, instance

ROOT = Path(__file__).parents[2]
EXCLUDED = {"node.kubernetes.io/exclude-from-external-load-balancers": "true"}
STRANGER = Target(InstanceId("i-0000000000000000a"), 30080)
Play = Callable[[World], Awaitable[Replica]]


async def filled(world: World, *names: str, serving: int = 0) -> Replica:
    """A syncer whose targets are healthy."""
    world.join(*names)
    replica = world.replica(elected=True)
    await world.until(lambda: len(world.cloud.serving(HTTP)) >= (serving or len(names)), within=90)
    await asyncio.sleep(6)
    return replica


async def no_list(world: World) -> Replica:
    world.cloud.launch(STRANGER.id)
    world.cloud.register(HTTP, [STRANGER])
    replica = world.replica(elected=True)
    replica.cluster.cut = True
    await asyncio.sleep(10)
    return replica


async def too_few_left(world: World) -> Replica:
    replica = await filled(world, "a", "b", "c", "d")
    for name in ("a", "b", "c"):
        world.cluster.put(node(name, instance(name), labels=EXCLUDED))
    await asyncio.sleep(3)
    return replica


async def the_last_one(world: World) -> Replica:
    replica = await filled(world, "a")
    world.cluster.put(node("a", instance("a"), taints=["karpenter.sh/disrupted"]))
    await asyncio.sleep(70)
    return replica


async def refused(world: World) -> Replica:
    replica = await filled(world, "a", "b")
    bad = frozenset({instance("c")})
    refusal: AwsError = InvalidTargetError("RegisterTargets", "InvalidTarget", "not running", bad)
    replica.elb.faults += [refusal, refusal]  # of each group, whichever writes first
    world.join("c")
    await asyncio.sleep(5)
    return replica


async def another_port(world: World) -> Replica:
    replica = await filled(world, "a", "b")
    world.cluster.expose(SERVICE, "http", 31111)
    await asyncio.sleep(5)
    return replica


async def too_many(world: World) -> Replica:
    return await filled(world, "a", "b", "c", serving=2)


async def a_stranger(world: World) -> Replica:
    world.cloud.launch(STRANGER.id)
    world.cloud.register(HTTP, [STRANGER])
    return await filled(world, "a")


async def one_leaves(world: World) -> Replica:
    replica = await filled(world, "a", "b", "c")
    world.cluster.put(node("a", instance("a"), labels=EXCLUDED))
    await asyncio.sleep(5)
    return replica


async def another_writer(world: World) -> Replica:
    replica = await filled(world, "a", "b")
    for _ in range(3):
        world.cloud.deregister(HTTP, sorted(world.targets("a")))
        await asyncio.sleep(100)
    return replica


async def drift(world: World) -> Replica:
    replica = await filled(world, "a", "b")
    world.cloud.deregister(HTTP, sorted(world.targets("a")))
    await asyncio.sleep(36)
    assert world.cloud.registered(HTTP) == world.targets("a", "b")
    return replica


async def stale_check(world: World) -> Replica:
    for name in ("a", "b"):
        world.cloud.sick.add(instance(name))
    world.cloud.group(HTTP).check_port = PORTS[HTTP]
    world.cluster.expose(SERVICE, "http", 31111)
    world.join("a", "b")
    replica = world.replica(elected=True)
    await asyncio.sleep(60)
    return replica


async def elected(world: World) -> Replica:
    return await filled(world, "a")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A way in which a rule shows itself; `log` is a pattern of a line, `test` where the rule is tried.

    The metric is `least` or more once the rule has acted.
    """

    rule: str
    code: str
    metric: str
    event: str
    log: str
    play: Play
    test: str
    least: float = 1.0
    environment: Mapping[str, str] = field(default_factory=dict)


def held(rule: str, why: Why, play: Play, test: str, **environment: str) -> Row:
    """How every hold shows itself."""
    return Row(
        rule=rule,
        code=why,
        metric=f'nlb_sync_held{{why="{why}"}}',
        event=f"Held{why}",
        log=f": hold .*: {why}",
        play=play,
        test=f"unit/decide/{test}",
        environment=environment,
    )


ROWS = (
    held("1 complete list", Why.NO_NODE_LIST, no_list, "test_plan.py"),
    held("2 brake", Why.SHARE, too_few_left, "test_brake.py"),
    held("2 brake", Why.LAST_SERVING, the_last_one, "test_brake.py"),
    Row(
        rule="3 quarantine",
        code=Why.POISON,
        metric="nlb_sync_poison",
        event="Poison",
        log="AWS refused .*: RegisterTargets: InvalidTarget",
        play=refused,
        test="unit/reconcile/test_aws_faults.py",
    ),
    held("4 make before break", Why.AWAITING_SUCCESSOR, another_port, "test_successor.py"),
    held("5 quota", Why.QUOTA, too_many, "test_quota.py", NLB_SYNC_TARGET_LIMIT="2"),
    held("6 ownership", Why.FOREIGN, a_stranger, "test_properties.py", NLB_SYNC_OWNERSHIP="tracked"),
    held("6 ownership", Why.ADD_ONLY, one_leaves, "test_properties.py", NLB_SYNC_OWNERSHIP="add-only"),
    Row(
        rule="7 conflicting writers",
        code=Why.CONTESTED,
        metric="nlb_sync_contested",
        event="Contested",
        log=": conflict: ",
        play=another_writer,
        test="unit/reconcile/test_conflicts.py",
    ),
    Row(
        rule="8 drift",
        code="",
        metric='nlb_sync_changes_total{change="register"}',
        event="Registered",
        log=": register i-",
        play=drift,
        test="simulation/lives/test_machine.py",
        least=3,  # two at the start, one back
    ),
    Row(
        rule="8 stale health check",
        code="HealthCheckPortStale",
        metric="nlb_sync_health_check_port_stale",
        event="HealthCheckPortStale",
        log="HealthCheckPortStale: ",
        play=stale_check,
        test="unit/reconcile/test_check_port.py",
    ),
    Row(
        rule="9 one writer",
        code="",
        metric="nlb_sync_leader",
        event="Leading",
        log="leading: this replica writes",
        play=elected,
        test="simulation/ha/test_two_replicas.py",
    ),
)


def as_markdown() -> str:
    """The table as docs/events.md shows it."""
    lines = ["| rule | code | metric | event | in the log | tried in |", "|---|---|---|---|---|---|"]
    for row in ROWS:
        code = f"`{row.code}`" if row.code else "-"
        said = row.log.replace(".*", "…").strip(": ")
        test = f"[{row.test}](../tests/{row.test})"
        lines.append(f"| {row.rule} | {code} | `{row.metric}` | `{row.event}` | `{said}` | {test} |")
    return "\n".join(lines) + "\n"


def value(text: str, metric: str) -> float:
    """The metric of the group http, or of the whole syncer."""
    name, _, labels = metric.rstrip("}").partition("{")
    wanted = {*filter(None, labels.split(",")), 'target_group="http"'}
    for line in text.splitlines():
        sample, _, number = line.rpartition(" ")
        found, _, rest = sample.rstrip("}").partition("{")
        if found == name and (not rest or wanted <= set(rest.split(","))):
            return float(number)
    raise AssertionError(f"there is no {metric}")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.rule} {row.code}".strip())
def test_it_shows_in_its_metric_its_event_and_its_line_of_log(
    row: Row, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")

    async def story() -> tuple[str, set[str]]:
        world = World(row.environment)
        replica = await row.play(world)
        await asyncio.sleep(2)  # events are merged for a second
        text = replica.metrics()
        told = {event.reason for event in replica.events.writes}
        await replica.stop()
        return text, told

    text, told = run_virtually(story())
    assert value(text, row.metric) >= row.least
    assert row.event in told
    assert any(re.search(row.log, line) for line in caplog.messages), caplog.messages


def test_every_code_that_can_hold_a_target_has_a_row_and_every_rule_one() -> None:
    assert {row.code for row in ROWS} >= set(Why)
    assert [int(row.rule[0]) for row in ROWS] == sorted(int(row.rule[0]) for row in ROWS)
    assert {row.rule[0] for row in ROWS} == set("123456789")


def test_the_page_shows_the_rows_and_names_files_that_are_there() -> None:
    assert as_markdown() in (ROOT / "docs" / "events.md").read_text(), f"show this:\n{as_markdown()}"
    assert all((ROOT / "tests" / row.test).is_file() for row in ROWS)
    events = (ROOT / "docs" / "events.md").read_text()
    assert all(f"`{row.event}`" in events for row in ROWS)
