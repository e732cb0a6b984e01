"""What is wrong on the command line is told in one line, with exit code 2, before anything is started."""

import re
from pathlib import Path

import pytest

from bench.__main__ import main
from bench.contender import SYNCER
from bench.figures import MEASURES
from bench.rows import SCENARIOS

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["nonsense"], "'nonsense' is no row; rows are memory-5000,"),
        (["--nodes", "-1"], "'-1' is not a number"),
        (["--nodes", "many"], "'many' is not a number"),
        (["--contender", "x"], "'x' is not NAME=COMMAND"),
        (["--contender", "X Y=true"], "'X Y=true' is not NAME=COMMAND"),
        (["--contender", "syncer=true"], "two contenders of one name"),
        (["--no-syncer"], "--no-syncer leaves nobody to measure"),
        (["--wrong"], "--wrong"),
    ],
)
def test_a_wrong_word_is_named_in_one_line(
    words: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(words)
    said = capsys.readouterr()
    assert end.value.code == 2
    assert named in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""


def test_the_list_names_every_row(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [x.name for x in MEASURES]


def test_every_row_is_measured_by_exactly_one_scenario() -> None:
    measured = [row for scenario in SCENARIOS for row in scenario.rows]
    assert sorted(measured) == sorted(each.name for each in MEASURES)


def test_every_row_and_every_variable_is_in_the_documentation() -> None:
    page = (ROOT / "docs/bench.md").read_text()
    assert [each.name for each in MEASURES if f"`{each.name}`" not in page] == []
    made = re.findall(r'"((?:AWS|NLB_SYNC|BENCH)_[A-Z_]+)"', (ROOT / "bench/world.py").read_text())
    assert len(made) > 15
    assert [name for name in made if f"`{name}`" not in page and not name.endswith("_")] == []


def test_the_syncer_is_measured_with_what_its_image_sets_for_the_allocator() -> None:
    """And the image with what was measured: without it, 5,000 nodes take more than the figures say."""
    image = (ROOT / "syncer" / "Dockerfile").read_text()
    (setting,) = re.findall(r"^ENV (MALLOC\S+)$", image, re.MULTILINE)
    assert SYNCER.command.startswith(f"{setting} ")
