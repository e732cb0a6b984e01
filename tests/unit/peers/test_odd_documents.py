"""Whatever a file holds, the command answers, or says in one line what is wrong with it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncer.__main__ import main
from tests.unit.peers.documents import Json, health, listed, node, taint, tainted, target

NODES = listed(
    node("a", labels={"node.kubernetes.io/exclude-from-external-load-balancers": "true"}),
    node("b", metadata={"deletionTimestamp": "2026-11-23T09:00:00Z"}, spec=tainted(taint("process", "x"))),
    node("c"),
)
TARGETS = health([target("a"), target("b", "draining", "Target.DeregistrationInProgress"), target("e")])
ODD: list[Any] = [
    *(None, True, 0, -1, 10**30, 1.5, float("nan")),
    *("", " ", "x", "\ud800", "\x1b[31m", "two\nlines", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59"),
    *([], [None], [[]], {}, {"kind": []}, [{"key": 3}], [{"type": "Ready"}]),
]
QUESTIONS = [
    ("explain", "-f", "NODES"),
    ("explain", "-f", "NODES", "--targets", "TARGETS"),
    ("plan", "--nodes", "NODES", "--targets", "TARGETS", "--port", "30080"),
    ("plan", "--nodes", "NODES", "--targets", "TARGETS", "--port", "30080", "--ownership", "exclusive"),
]

Path_ = tuple[str | int, ...]


def paths(value: Any, above: Path_ = ()) -> Iterator[Path_]:
    """Every place in a document."""
    yield above
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, each in inner:
        yield from paths(each, (*above, step))


def changed(document: Json, path: Path_, odd: Any) -> Any:
    """A copy of the document with that place replaced."""
    copy: Any = {"root": json.loads(json.dumps(document))}
    whole = ("root", *path)
    inner = copy
    for step in whole[:-1]:
        inner = inner[step]
    inner[whole[-1]] = odd
    return copy["root"]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    words=st.sampled_from(QUESTIONS),
    in_nodes=st.sampled_from(list(paths(NODES))),
    in_targets=st.sampled_from(list(paths(TARGETS))),
    odd=st.sampled_from(ODD),
    where=st.sampled_from(["nodes", "targets", "both"]),
    as_json=st.booleans(),
)
def test_the_command_answers_whatever_a_file_holds(
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    *,
    words: tuple[str, ...],
    in_nodes: Path_,
    in_targets: Path_,
    odd: Any,
    where: str,
    as_json: bool,
) -> None:
    nodes = changed(NODES, in_nodes, odd) if where != "targets" else NODES
    targets = changed(TARGETS, in_targets, odd) if where != "nodes" else TARGETS
    files = {"NODES": tmp_path / "nodes.json", "TARGETS": tmp_path / "targets.json"}
    files["NODES"].write_text(json.dumps(nodes))
    files["TARGETS"].write_text(json.dumps(targets))
    asked = [str(files.get(word, word)) for word in words]
    code = main([*asked, "--json"] if as_json else asked)
    said, complaint = capfd.readouterr()
    assert (code, complaint.count("\n")) in {(0, 0), (2, 1)}, complaint
    assert said.replace("\n", "").isprintable()
    if code == 0 and as_json:
        json.loads(said)


def test_a_name_cannot_forge_a_line_of_the_table(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    forged = node("a", metadata={"name": "node-a\nnode-b  i-0123  in  Ready\x1b[2J"})
    (tmp_path / "nodes.json").write_text(json.dumps(forged))
    assert main(["explain", "-f", str(tmp_path / "nodes.json")]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[1].startswith(r"node-a\nnode-b  i-0123  in  Ready\x1b[2J")
