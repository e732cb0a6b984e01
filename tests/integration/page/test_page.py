"""The page in a real browser: what it shows, to whom, and what it cannot be made to do."""

import copy
from collections.abc import Callable
from functools import partial

import pytest

from syncer.version import VERSION
from tests.integration.page import worlds
from tests.integration.page.browser import Tab
from tests.integration.page.conftest import Stage
from tests.integration.page.worlds import EVIL, Document

ROWS = "[...document.querySelectorAll('#rows tr')].map(row => row.innerText.replace(/\\s+/g, ' '))"
TEXT = "document.body.innerText"
WIDTH = "document.documentElement.scrollWidth"


async def shows(tab: Tab, text: str) -> bool:
    return text in await tab.run(TEXT)


async def row_of(tab: Tab, name: str) -> str:
    rows: list[str] = await tab.run(ROWS)
    return next(row for row in rows if name in row)


def test_each_node_has_its_verdict_and_its_state_in_each_group(stage: Stage, mixed: Document) -> None:
    stage.told = mixed

    async def story(tab: Tab) -> None:
        await tab.open(stage.url)
        for node in mixed["nodes"]:
            row = await row_of(tab, node["node"])
            assert f"{node['verdict']} · {node['reason']}" in row
            assert mixed["sentences"][node["reason"]] in row
            assert (node["instance_id"] or "no instance") in row
            assert node["zone"] in row
        assert await shows(tab, f"version {VERSION}")
        sick, leaving, late = (worlds.names(8)[2], worlds.names(8)[4], "ip-10-0-31-77.")
        assert (await row_of(tab, sick)).count("unhealthy Target.FailedHealthChecks") == 2
        assert (await row_of(tab, leaving)).count("draining Target.DeregistrationInProgress") == 2
        assert (await row_of(tab, late)).count("initial") == 2
        assert (await row_of(tab, "fargate")).count("not a target") == 2
        gone = await row_of(tab, worlds.identity(worlds.names(1)[0]))
        assert "no Node" in gone
        assert gone.count("hold: Share") == 2
        for group in mixed["groups"]:
            assert await shows(tab, f"nlb-sync confirm {group['name']} {group['hold_id']}")
            assert await shows(tab, f"2 for Share\n{mixed['sentences']['Share']}")
            assert await shows(
                tab, f"{group['serving']} · base {group['base']} · keeps at least {group['floor']}"
            )
        assert tab.complaints == []

    stage.play(story)


def test_what_troubles_the_syncer_or_a_group_is_said_beside_it(stage: Stage) -> None:
    stage.told = told = worlds.quiet(1)
    told.update(
        ready=False, waiting_for="no list", leader=False, paused=True, blind=True, problems=["no rights"]
    )
    http, https = told["groups"]
    http.update(problem="AccessDenied", read_problem="no answer", waiting_for="its Service", port=None)
    http.update(
        contested=[{"id": "i-1", "port": 1, "cause": "an Auto Scaling group"}], last_good_pass_age=7300
    )
    https.update(stale_check_port=31234, last_good_pass_age=None, serving=None)

    async def story(tab: Tab) -> None:
        await tab.open(stage.url)
        flags = await tab.run("document.getElementById('flags').innerText.split('\\n')")
        assert flags[:2] == ["not ready", "standby"]
        assert [flag.partition(":")[0] for flag in flags[2:]] == ["paused", "blind", "exclusive"]
        said = await tab.run("document.querySelector('header').innerText")
        assert "Not ready: no list" in said
        assert "no rights" in await tab.run("document.getElementById('problems').innerText")
        first, second = await tab.run("[...document.querySelectorAll('article')].map(each => each.innerText)")
        for trouble in (
            "AccessDenied",
            "no answer",
            "waits for its Service",
            "an Auto Scaling group",
            "2 h ago",
        ):
            assert trouble in first
        for trouble in ("health check uses port 31234", "none yet", "unknown"):
            assert trouble in second

    stage.play(story)


def test_what_is_not_well_comes_first_and_may_stand_alone(stage: Stage, mixed: Document) -> None:
    stage.told = mixed

    async def story(tab: Tab) -> None:
        await tab.open(stage.url)
        everything = await tab.run(ROWS)
        await tab.act("document.getElementById('unwell').click()")
        unwell = await tab.run(ROWS)
        assert 0 < len(unwell) < len(everything)
        assert everything[: len(unwell)] == unwell
        well = everything[len(unwell) :]
        assert all("healthy" in row or "not a target" in row for row in well)
        assert not any("unhealthy" in row or "hold: Share" in row or "draining" in row for row in well)

    stage.play(story)


GOOD = "[...document.querySelectorAll('header .good, #groups .good')].map(each => each.innerText)"


@pytest.mark.parametrize(
    ("world", "headline", "figures"),
    [
        (worlds.deserted, "No target is healthy in http, https", "0 of 0 registered"),
        (worlds.forsaken, "http, https: not reconciled, see below", "3 of 3 registered"),
        (worlds.blind, "All 3 are registered; AWS denies reads of their health", "unknown of 3"),
    ],
)
def test_what_costs_traffic_or_may_do_so_is_the_headline(
    stage: Stage, world: Callable[[], Document], headline: str, figures: str
) -> None:
    stage.told = world()

    async def story(tab: Tab) -> None:
        await tab.load(stage.url)
        await tab.until(f"{TEXT}.includes({headline!r})")
        assert await shows(tab, figures)
        assert await shows(tab, "in the desired state") is False
        good = await tab.run(GOOD)
        assert good == [] or "3 of 3 registered" in good[0]

    stage.play(story)


def test_a_standby_says_that_another_replica_writes(stage: Stage) -> None:
    stage.told = {**worlds.quiet(1), "leader": False}

    async def story(tab: Tab) -> None:
        await tab.open(stage.url)
        assert await shows(tab, "standby: another replica is the leader")
        stage.told = {**stage.told, "election": "no Lease: no answer"}
        await tab.until(f"!{TEXT}.includes('another one writes')")

    stage.play(story)


def test_blind_a_node_that_aws_has_taken_is_not_called_unwell(stage: Stage) -> None:
    stage.told = worlds.blind()

    async def story(tab: Tab) -> None:
        await tab.open(stage.url)
        assert await tab.run("document.querySelectorAll('tr.unwell').length") == 0
        assert await shows(tab, "allow elasticloadbalancing:DescribeTargetHealth")

    stage.play(story)


def test_another_clusters_target_in_a_shared_group_is_as_it_should_be(stage: Stage) -> None:
    stage.told = told = worlds.quiet(2)
    stranger = {"id": "i-0f0e1d2c3b4a59687", "port": 30999}
    group = told["groups"][0]
    group["targets"].append(
        {**group["targets"][0], **stranger, "zone": "eu-central-1c", "next": "hold", "why": "Foreign"}
    )
    group["held"].append({**stranger, "why": "Foreign"})
    told["ownership"] = "tracked"

    async def story(tab: Tab) -> None:
        await tab.open(stage.url)
        assert await shows(tab, "All 3 are in the desired state")
        stage.told = {**told, "ownership": "exclusive"}
        await tab.until(f"{TEXT}.includes('1 of 3 not in the desired state')")

    stage.play(story)


def test_a_change_shows_by_itself_and_leaves_all_else_untouched(stage: Stage) -> None:
    stage.told = before = worlds.quiet(3)

    async def story(tab: Tab) -> None:
        await tab.open(stage.url)
        assert await shows(tab, "All 3 are in the desired state")
        await tab.run("window.was = [...document.querySelectorAll('#rows tr')]; null")
        after = copy.deepcopy(before)
        after["groups"][0]["targets"][2].update(state="unhealthy", reason="Target.Timeout")
        stage.told = after
        await tab.until(f"{TEXT}.includes('1 of 3 not in the desired state')")
        assert await tab.run("window.was.filter(row => row.isConnected).length") == 2
        assert (await tab.run(ROWS))[0].count("Target.Timeout") == 1

    stage.play(story)


def test_names_from_the_cluster_cannot_become_markup(stage: Stage) -> None:
    stage.told = worlds.poisoned()

    async def story(tab: Tab) -> None:
        await tab.open(stage.url)
        await tab.run("document.querySelector('details').open = true")
        assert await shows(tab, EVIL)
        assert await tab.run("document.querySelectorAll('img, script:not(:last-of-type)').length") == 0
        assert tab.complaints == []

    stage.play(story)


def test_even_the_script_could_not_make_markup_of_a_string(stage: Stage) -> None:
    stage.told = worlds.quiet(1)

    async def story(tab: Tab) -> None:
        await tab.open(stage.url)
        refused = f"try {{ document.body.innerHTML = '{EVIL}'; 'made' }} catch (error) {{ error.name }}"
        assert await tab.run(refused) == "TypeError"
        assert (
            await tab.run("fetch('http://127.0.0.2:9/').then(() => 'sent', error => error.name)")
            == "TypeError"
        )
        assert any("Content Security Policy" in each for each in tab.complaints)

    stage.play(story)


def test_five_thousand_nodes_are_shown_by_pages_and_found_by_words(stage: Stage) -> None:
    stage.told = worlds.crowd(5000)

    async def story(tab: Tab) -> None:
        await tab.open(stage.url)
        shown = await tab.run("performance.now()")
        assert shown < 10_000, "generous, for a loaded machine: 0.5 s on a quiet one"
        assert await tab.run("document.querySelectorAll('#rows tr').length") == 100
        assert await tab.run("document.querySelectorAll('*').length") < 3000
        assert await shows(tab, "10 of 5000 not in the desired state yet")
        await tab.act("document.getElementById('next').click()")
        assert await tab.run("document.getElementById('where').textContent") == "101\u2013200"
        await tab.act("document.getElementById('unwell').click()")
        assert len(await tab.run(ROWS)) == 10
        await tab.act("document.getElementById('unwell').click(); document.getElementById('filter').focus()")
        await tab.type("16-200. healthy")
        await tab.shown()
        rows = await tab.run(ROWS)
        assert len(rows) == 1
        assert "ip-10-0-16-200." in rows[0]

    stage.play(story)


# The longest time in which the page shows no frame, while `act` is done and its answer is shown.
STALL = """
(async () => {{
  let last = performance.now(), worst = 0, ended = false;
  const frame = (now) => {{
    worst = Math.max(worst, now - last);
    last = now;
    if (!ended) requestAnimationFrame(frame);
  }};
  requestAnimationFrame(frame);
  {act};
  while (view.asked !== query()) await new Promise(done => setTimeout(done, 10));
  await new Promise(done => setTimeout(done, 100));
  ended = true;
  return worst;
}})()
"""


def test_twenty_thousand_nodes_stay_smooth(stage: Stage) -> None:
    stage.told = worlds.crowd(20_000)

    async def story(tab: Tab) -> None:
        await tab.open(stage.url)
        assert await shows(tab, "40 of 20000 not in the desired state yet")
        assert await tab.run("document.querySelectorAll('*').length") < 3000
        stalls = [
            await tab.run(STALL.format(act=act))
            for act in (
                "document.getElementById('next').click()",
                "document.getElementById('unwell').click()",
                "document.getElementById('unwell').click()",
                "filter.value = 'i-00000000000004e1f'; filter.dispatchEvent(new Event('input'))",
            )
        ]
        assert max(stalls) < 1000, "generous, for a loaded machine: 0.1 s on a quiet one"
        (row,) = await tab.run(ROWS)
        assert "i-00000000000004e1f" in row
        assert len(await tab.run("JSON.stringify(view.answer)")) < 100_000

    stage.play(story)


def test_an_unchanged_answer_is_not_sent_again_and_its_ages_grow(stage: Stage) -> None:
    stage.told = told = worlds.quiet(1)
    for group in told["groups"]:
        group["last_good_pass_age"] = 100.0

    async def story(tab: Tab) -> None:
        await tab.open(stage.url)
        assert await shows(tab, "100 s ago")
        await tab.run("window.first = view.answer; null")
        await tab.until("view.received > view.made + 3000")
        assert await tab.run("view.answer === window.first")
        assert not await shows(tab, "100 s ago")
        assert await shows(tab, "The node is in the desired state")
        await tab.run("view.made -= 60000; null")
        await tab.until(f"{TEXT}.includes('http, https: not reconciled')")

    stage.play(story)


def test_a_page_that_has_gone_gives_way_to_the_last_one(stage: Stage) -> None:
    stage.told, fewer = worlds.crowd(250), worlds.crowd(150)

    async def story(tab: Tab) -> None:
        await tab.open(stage.url)
        await tab.act("document.getElementById('next').click()")
        await tab.act("document.getElementById('next').click()")
        assert await tab.run("document.getElementById('where').textContent") == "201\u2013250"
        assert await tab.run("document.getElementById('next').disabled")
        stage.told = fewer
        await tab.until("document.getElementById('where').textContent === '101\u2013150'")
        await tab.act("document.getElementById('previous').click()")
        assert await tab.run("document.getElementById('where').textContent") == "1\u2013100"
        assert await tab.run("document.getElementById('previous').disabled")

    stage.play(story)


@pytest.mark.parametrize("world", [worlds.mixed, worlds.poisoned, partial(worlds.crowd, 300)])
def test_a_narrow_screen_scrolls_in_one_direction_only(stage: Stage, world: Callable[[], Document]) -> None:
    stage.told = world()

    async def story(tab: Tab) -> None:
        await tab.open(stage.url, 360, 640)
        await tab.run("document.querySelector('details').open = true")
        assert await tab.run(WIDTH) == 360
        right = "e.getBoundingClientRect().right"
        wider = f"[...document.querySelectorAll('main *:not(thead *)')].filter(e => {right} > 360)"
        assert await tab.run(f"{wider}.map(e => e.outerHTML.slice(0, 80))") == []

    stage.play(story)


@pytest.mark.parametrize("width", [705, 800, 1000, 1119, 1121, 1280])
def test_no_group_is_out_of_sight_on_half_a_screen(stage: Stage, mixed: Document, width: int) -> None:
    stage.told = mixed

    async def story(tab: Tab) -> None:
        await tab.open(stage.url, width)
        hidden = (
            "document.getElementById('scroll').scrollWidth - document.getElementById('scroll').clientWidth"
        )
        assert await tab.run(hidden) == 0

    stage.play(story)


def test_all_can_be_done_by_keyboard(stage: Stage, mixed: Document) -> None:
    stage.told = mixed

    async def story(tab: Tab) -> None:
        await tab.open(stage.url)
        everything = len(await tab.run(ROWS))
        await tab.press("Tab", 9)
        assert await tab.run("document.activeElement.id") == "filter"
        await tab.type("fargate")
        await tab.shown()
        assert len(await tab.run(ROWS)) == 1
        await tab.press("Tab", 9)
        assert await tab.run("document.activeElement.id") == "unwell"
        await tab.press(" ", 32)
        await tab.shown()
        assert await shows(tab, "Nothing matches.")
        await tab.press(" ", 32)
        await tab.act("filter.value = ''; filter.dispatchEvent(new Event('input'))")
        assert len(await tab.run(ROWS)) == everything
        outline = "getComputedStyle(document.activeElement).outlineStyle"
        assert await tab.run(outline) == "solid"

    stage.play(story)


@pytest.mark.parametrize("width", [1280, 360])
def test_a_screen_reader_finds_a_table_on_any_width(stage: Stage, mixed: Document, width: int) -> None:
    stage.told = mixed

    async def story(tab: Tab) -> None:
        await tab.open(stage.url, width)
        tree = (await tab.call("Accessibility.getFullAXTree"))["nodes"]
        found = [
            (node["role"]["value"], node.get("name", {}).get("value", "")) for node in tree if "role" in node
        ]
        roles = [role for role, _ in found]
        rows = len(mixed["nodes"]) + 3
        assert roles.count("table") == 1
        assert roles.count("row") == rows + 1
        assert roles.count("rowheader") == rows
        assert roles.count("cell") == rows * 3
        assert [name for role, name in found if role == "columnheader"] == [
            "Node",
            "Verdict",
            "http",
            "https",
        ]
        assert [name.strip() for role, name in found if role == "searchbox"] == ["Filter"]
        assert any(role == "rowheader" and name.startswith("not well: ") for role, name in found)

    stage.play(story)


@pytest.mark.parametrize("dark", [False, True])
def test_all_text_stands_out_from_its_ground(stage: Stage, mixed: Document, *, dark: bool) -> None:
    stage.told = {**mixed, "ready": False, "problems": ["the API server is away"]}

    async def story(tab: Tab) -> None:
        await tab.open(stage.url, dark=dark)
        ratios = await tab.run(CONTRASTS)
        assert len(ratios) > 50
        assert {text: ratio for text, ratio in ratios if ratio < 4.5} == {}
        ground = await tab.run("getComputedStyle(document.body).backgroundColor")
        assert ground == ("rgb(20, 23, 26)" if dark else "rgb(247, 248, 249)")

    stage.play(story)


# WCAG 2.2, contrast ratio (success criterion 1.4.3 asks for 4.5), of each text against the ground below it.
CONTRASTS = """
(() => {
  const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => parse(colour).slice(0, 3).map((each) => each / 255)
    .map((each) => each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4)
    .reduce((sum, each, index) => sum + each * [0.2126, 0.7152, 0.0722][index], 0);
  const ground = (element) => {
    const colour = getComputedStyle(element).backgroundColor;
    return parse(colour)[3] === 0 ? ground(element.parentElement) : colour;
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility()) continue;
    const [one, other] = [light(getComputedStyle(element).color), light(ground(element))];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    found.push([walker.currentNode.data.trim(), ratio]);
  }
  return found;
})()
"""


def test_nobody_is_asked_while_nobody_looks(stage: Stage) -> None:
    stage.told = worlds.quiet(1)

    async def story(tab: Tab) -> None:
        await tab.open(stage.url)
        hide = "Object.defineProperty(document, 'hidden', {{ value: {}, configurable: true }});"
        tell = "document.dispatchEvent(new Event('visibilitychange'))"
        await tab.run(hide.format("true") + tell)
        await tab.until("!view.polling")
        asked = stage.asked
        await tab.run("poll(); poll(); new Promise(done => setTimeout(done, 100))")
        assert stage.asked == asked
        await tab.run(hide.format("false") + tell)
        await tab.until("!view.polling")
        assert stage.asked == asked + 1

    stage.play(story)


def test_a_syncer_that_does_not_answer_is_said_and_what_was_known_stays(stage: Stage) -> None:
    stage.told = told = worlds.quiet(2)

    async def story(tab: Tab) -> None:
        await tab.open(stage.url)
        stage.told = None
        await tab.until(f"{TEXT}.includes('No answer from the syncer (HTTP status 503')")
        assert len(await tab.run(ROWS)) == 2
        stage.told = told
        await tab.until(f"{TEXT}.includes('All 2 are in the desired state')")

    stage.play(story)
