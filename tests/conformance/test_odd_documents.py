"""Whatever a file holds, the command answers, or says in one line what is wrong with it."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncer.__main__ import main
from tests.conformance.documents import health, listed, node, taint, tainted, target
from tests.conformance.odd import ODD, Path_, changed, paths

NODES = listed(
    node("a", labels={"node.kubernetes.io/exclude-from-external-load-balancers": "true"}),
    node("b", metadata={"deletionTimestamp": "2026-11-23T09:00:00Z"}, spec=tainted(taint("process", "x"))),
    node("c"),
)
TARGETS = health([target("a"), target("b", "draining", "Target.DeregistrationInProgress"), target("e")])
QUESTIONS = [
    ("explain", "-f", "NODES"),
    ("explain", "-f", "NODES", "--targets", "TARGETS"),
    ("plan", "--nodes", "NODES", "--targets", "TARGETS", "--port", "30080"),
    ("plan", "--nodes", "NODES", "--targets", "TARGETS", "--port", "30080", "--ownership", "exclusive"),
]


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
