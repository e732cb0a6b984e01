"""Curves are drawn from the bench's JSON, on logarithmic axes, with the peers beside the syncer."""

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from bench import table
from bench.chart import Axis, chart
from bench.curves import CURVES, drawn, main
from bench.figures import MEASURES, measure
from bench.flags import parse
from bench.measures import Known


def document(found: dict[str, Known]) -> dict[str, Any]:
    rows = [measure(name) for name in found]
    return table.document(rows, {"syncer": found}, parse([]), table.Machine(2, 0.5))


def test_each_curve_names_rows_and_a_figure_that_exist() -> None:
    parts = {each.name: each.parts for each in MEASURES}
    for curve in CURVES:
        assert all(parts[row][curve.part].unit == curve.unit for row in curve.points), curve.file
    events = next(curve for curve in CURVES if curve.file == "reaction")
    assert {measure(row).nodes for row in events.points} == set(events.points.values())


def test_equal_factors_are_equal_distances() -> None:
    axis = Axis.around([20, 5000], 100, 400)
    assert axis.decades == [10, 100, 1000, 10_000]
    assert [axis.at(value) for value in axis.decades] == [100, 200, 300, 400]


def test_a_chart_has_each_series_with_line_marks_and_name() -> None:
    svg = chart(
        "Cost <of> an event", "nodes", "ms", {"syncer": [(1000, 10), (10, 1)], "peer & co": [(100, 100)]}
    )
    root = ET.fromstring(svg)  # noqa: S314 (own text)
    texts = [each.text for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"Cost <of> an event", "nodes", "ms", "syncer", "peer & co", "1,000"} <= set(texts)
    assert "M70.0 350.0L490.0 195.0" in svg
    assert len(re.findall("<circle", svg)) == 2 + 1  # a mark for each point, and in the key


def test_points_without_a_logarithm_are_left_out_and_a_chart_of_none_is_an_error() -> None:
    assert chart("t", "x", "y", {"a": [(0, 1), (10, 10)]}).count("<circle") == 2
    with pytest.raises(ValueError, match="no figure above 0"):
        chart("t", "x", "y", {"a": [(0, 1)]})


def test_peers_are_beside_and_failed_rows_are_left_out() -> None:
    found = {"ready": Known((20, 30)), "ready-5000": Known((25, 35, 5)), "fill-5000": Known((), "never")}
    charts = dict(drawn(document(found)["rows"]))
    assert set(charts) == {"bench-reaction.svg", "bench-event-nodes.svg"}
    assert all(
        f">{name}<" in charts["bench-reaction.svg"] for name in ("syncer", "controller", "predecessor")
    )
    assert ">controller<" not in charts["bench-event-nodes.svg"]


def test_the_command_merges_files_and_writes_the_charts(tmp_path: Path) -> None:
    for number, figure in enumerate((99, 25)):
        (tmp_path / f"{number}.json").write_text(
            json.dumps(document({"memory-1000": Known((figure, figure))}))
        )
    assert main([str(tmp_path / "0.json"), str(tmp_path / "1.json"), str(tmp_path)]) == 0
    (written,) = tmp_path.glob("*.svg")
    assert (
        written.read_text() == dict(drawn(document({"memory-1000": Known((25, 25))})["rows"]))[written.name]
    )


@pytest.mark.parametrize("words", [[], ["docs"], ["a.json", "/no/such/directory"]])
def test_a_wrong_command_line_is_one_line(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert capsys.readouterr().err.count("\n") == 1
