"""The table sets each figure beside its goal and beside the peer that did better."""

import pytest

from bench import table
from bench.figures import MEASURES, measure
from bench.flags import parse
from bench.measures import CONTROLLER, PREDECESSOR, Known


def row(found: table.Found, name: str) -> dict[str, str]:
    head, _, line = table.markdown([measure(name)], found).splitlines()
    cells = [[cell.strip() for cell in text.strip("|").split("|")] for text in (head, line)]
    return dict(zip(*cells, strict=True))


def test_figure_goal_ratio_and_peers_stand_in_one_line() -> None:
    cells = row({"syncer": {"start-5000": Known((6.1, 50))}}, "start-5000")
    assert cells["syncer"] == "6.1 s, 50 calls ✓"
    assert cells["goal"] == "10 s, 50 calls"
    assert cells["syncer ÷ better peer"] == "0.50 / 1.00 (controller)"
    assert cells["predecessor *"] == "532 s, 10,000 calls"


def test_a_goal_that_is_missed_is_marked() -> None:
    assert row({"syncer": {"ready": Known((40, 81))}}, "ready")["syncer"] == "40 / 81 ms ✗"


def test_what_never_happened_misses_its_goal_and_has_no_ratio() -> None:
    cells = row({"syncer": {"taint": Known((), "never")}}, "taint")
    assert (cells["syncer"], cells["syncer ÷ better peer"]) == ("never ✗", "-")


def test_a_share_that_is_to_be_high_is_met_when_it_is() -> None:
    assert row({"syncer": {"not-ready": Known((100,))}}, "not-ready")["syncer"] == "100 % ✓"
    assert row({"syncer": {"not-ready": Known((80,))}}, "not-ready")["syncer"] == "80 % ✗"


def test_a_peer_that_runs_beside_us_counts_as_it_was_found_today() -> None:
    found = {"syncer": {"delete": Known((30, 30))}, PREDECESSOR: {"delete": Known((300, 300))}}
    assert row(found, "delete")["syncer ÷ better peer"] == "0.18 / 0.13 (controller)"


def test_a_row_without_peers_has_no_ratio_but_a_peer_of_today_counts() -> None:
    mine = {"syncer": {"churn": Known((30, 90))}}
    assert row(mine, "churn")["syncer ÷ better peer"] == "-"
    found = {**mine, CONTROLLER: {"churn": Known((300, 300))}}
    assert row(found, "churn")["syncer ÷ better peer"] == "0.10 / 0.30 (controller)"
    assert row(found, "churn")["controller *"] == "-"


def test_json_says_the_same() -> None:
    found = {"syncer": {"taint": Known((19.2, 22.7))}}
    told = table.document([measure("taint")], found, parse(["taint", "--quick"]), table.Machine(2, 0.5))
    here = told["rows"][0]["contenders"]["syncer"]
    assert (told["quick"], told["cores"], told["load_before"]) == (True, 2, 0.5)
    assert here["met"] is True
    assert here["better_peer"] == CONTROLLER
    assert here["ratios"] == pytest.approx([0.1, 0.1])


@pytest.mark.parametrize("asked", MEASURES, ids=lambda each: each.name)
def test_no_row_has_more_figures_than_parts(asked: object) -> None:
    each = measure(asked.name)  # type: ignore[attr-defined]
    assert all(len(known.values) <= len(each.parts) for known in (each.goal, *each.peers.values()))
