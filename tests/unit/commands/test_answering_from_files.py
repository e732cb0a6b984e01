"""`explain` and `plan` from files, as a person or a program calls them."""

import argparse
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from syncer.commands.fileflags import add_parsers
from syncer.decide.answers import sentence_of

Ask = Callable[..., tuple[int, str, str]]
ID = [f"i-{n:017x}" for n in range(10)]


def raw_node(number: int, *taints: str, **labels: str) -> dict[str, Any]:
    return {
        "kind": "Node",
        "metadata": {"name": f"node-{number}", "creationTimestamp": "2026-11-23T00:00:00Z", "labels": labels},
        "spec": {
            "providerID": f"aws:///eu-central-1a/{ID[number]}",
            "taints": [{"key": key, "effect": "NoSchedule"} for key in taints],
        },
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    }


def in_zone(node: dict[str, Any], zone: str) -> dict[str, Any]:
    """The Node with this zone in its providerID."""
    node["spec"]["providerID"] = f"aws:///{zone}/{node['spec']['providerID'].rpartition('/')[2]}"
    return node


def raw_list(*nodes: Any, **metadata: str) -> dict[str, Any]:
    return {"kind": "List", "apiVersion": "v1", "metadata": metadata, "items": list(nodes)}


def raw_targets(*lines: tuple[int, Any], port: int = 30080) -> dict[str, Any]:
    return {
        "TargetHealthDescriptions": [
            {
                "Target": {"Id": ID[n], "Port": port},
                "HealthCheckPort": "30080",
                "TargetHealth": {"State": state},
            }
            for n, state in lines
        ]
    }


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ask:
    """Call the command line with documents written to files: exit code, standard output, standard error."""

    def call(*words: Any, stdin: object = None, content: bytes | None = None) -> tuple[int, str, str]:
        parser = argparse.ArgumentParser(prog="nlb-sync")
        add_parsers(parser.add_subparsers(required=True))
        named = []
        for number, word in enumerate(words):
            if not isinstance(word, str):
                path = tmp_path / f"{number}.json"
                path.write_text(json.dumps(word))
                named.append(str(path))
            else:
                named.append(word)
        given = json.dumps(stdin).encode() if content is None else content
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(given)))
        args = parser.parse_args(named)
        code = args.answer(args)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def test_explain_answers_a_list_for_a_single_node(ask: Ask) -> None:
    code, out, _ = ask("explain", "-f", raw_node(1), "--json")
    assert code == 0
    assert json.loads(out) == [{"node": "node-1", "instance_id": ID[1], "verdict": "in", "reason": "Ready"}]


def test_explain_knows_registered_instances_from_the_targets(ask: Ask) -> None:
    not_ready = raw_node(1)
    not_ready["status"] = {}
    _, out, _ = ask("explain", "-f", not_ready, "--json")
    assert json.loads(out)[0]["reason"] == "NotReadyYet"
    _, out, _ = ask("explain", "-f", not_ready, "--targets", raw_targets((1, "unhealthy")), "--json")
    assert json.loads(out)[0] == {
        "node": "node-1",
        "instance_id": ID[1],
        "verdict": "in",
        "reason": "KeptNotReady",
    }
    _, out, _ = ask("explain", "-f", not_ready, "--targets", raw_targets((1, "draining")), "--json")
    assert json.loads(out)[0]["reason"] == "NotReadyYet"


@pytest.mark.parametrize(
    "words", [("explain", "-f", ""), ("plan", "--nodes", "", "--targets", "t.json", "--port", "1")]
)
def test_s9_an_empty_file_name_is_no_question_to_the_cluster(ask: Ask, words: tuple[str, ...]) -> None:
    code, out, err = ask(*words)
    assert (code, out) == (2, "")
    assert "'' cannot be read" in err


def test_explain_reads_standard_input_and_prints_a_table_with_a_sentence(ask: Ask) -> None:
    nodes = raw_list(raw_node(1), raw_node(2, "karpenter.sh/disrupted"))
    code, out, _ = ask("explain", "-f", "-", stdin=nodes)
    assert code == 0
    head, first, second = out.splitlines()
    assert head.split()[:4] == ["NODE", "INSTANCE", "VERDICT", "REASON"]
    assert first.split()[:4] == ["node-1", ID[1], "in", "Ready"]
    assert second.split()[:4] == ["node-2", ID[2], "leaving", "Taint:karpenter.sh/disrupted"]
    assert second.endswith(sentence_of("Taint:karpenter.sh/disrupted"))


def test_a_malformed_node_in_a_list_gets_a_verdict_and_harms_no_other(ask: Ask) -> None:
    code, out, _ = ask("explain", "-f", raw_list(raw_node(1), 7, {"metadata": []}, raw_node(2)), "--json")
    assert code == 0
    assert [(a["node"], a["verdict"]) for a in json.loads(out)] == [
        ("node-1", "in"),
        ("", "out"),
        ("", "out"),
        ("node-2", "in"),
    ]


def test_plan_answers_what_would_be_sent_now(ask: Ask) -> None:
    nodes = raw_list(raw_node(0, "ToBeDeletedByClusterAutoscaler"), *(raw_node(n) for n in (1, 2, 3)))
    targets = raw_targets((0, "healthy"), (1, "healthy"), (2, "healthy"), (9, "healthy"))
    code, out, _ = ask(
        *(
            "plan",
            "--nodes",
            nodes,
            "--targets",
            targets,
            "--port",
            "30080",
            "--json",
            "--target-group",
            "web",
        )
    )
    assert code == 0
    assert json.loads(out) == {
        "groups": [
            {
                "target_group": "web",
                "register": [{"id": ID[3], "port": 30080}],
                "deregister": [{"id": ID[0], "port": 30080}],
                "held": [{"id": ID[9], "port": 30080, "why": "Foreign"}],
            }
        ]
    }


def test_plan_names_the_group_after_the_targets_file_where_nothing_else_is_known(ask: Ask) -> None:
    _, out, _ = ask(
        "plan", "--nodes", raw_list(), "--targets", "-", "--port", "1", "--json", stdin=raw_targets()
    )
    assert json.loads(out)["groups"][0]["target_group"] == "-"


def test_the_ownership_comes_from_the_flag_or_the_environment(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = (
        "plan",
        "--nodes",
        raw_list(raw_node(1)),
        "--targets",
        raw_targets((1, "healthy"), (9, "unhealthy")),
    )
    gone = [{"id": ID[9], "port": 30080}]
    _, out, _ = ask(*words, "--port", "30080", "--json", "--ownership", "exclusive")
    assert json.loads(out)["groups"][0]["deregister"] == gone
    monkeypatch.setenv("NLB_SYNC_OWNERSHIP", "exclusive")
    _, out, _ = ask(*words, "--port", "30080", "--json")
    assert json.loads(out)["groups"][0]["deregister"] == gone
    _, out, _ = ask(*words, "--port", "30080", "--json", "--ownership", "add-only")
    assert json.loads(out)["groups"][0]["held"] == [{**gone[0], "why": "AddOnly"}]


def test_a_page_of_a_longer_list_removes_nothing(ask: Ask) -> None:
    page = raw_list(raw_node(1), **{"continue": "token"})
    words = ("plan", "--nodes", page, "--targets", raw_targets((1, "healthy"), (2, "healthy")))
    _, out, _ = ask(*words, "--port", "30080", "--json", "--ownership", "exclusive")
    assert json.loads(out)["groups"][0]["held"] == [{"id": ID[2], "port": 30080, "why": "NoNodeList"}]


def test_a_plan_without_work_says_so_and_one_with_work_is_a_table(ask: Ask) -> None:
    words = ("plan", "--nodes", raw_list(raw_node(1)), "--port", "30080", "--targets")
    assert ask(*words, raw_targets((1, "healthy")))[1] == "nothing to do\n"
    assert ask(*words, raw_targets())[1].splitlines()[1].split() == ["register", ID[1], "30080"]
    held = ask(*words, raw_targets((2, "healthy")))[1].splitlines()[2]
    assert held.split()[:4] == ["hold", ID[2], "30080", "Foreign:"]
    assert held.endswith("not in the ownership registry, or no target of the registry is healthy yet")


def test_the_selector_comes_from_the_flag_or_the_environment(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NLB_SYNC_NODE_SELECTOR", "role=ingress")
    _, out, _ = ask("explain", "-f", raw_node(1), "--json")
    assert json.loads(out)[0]["reason"] == "SelectorMismatch"
    _, out, _ = ask("explain", "-f", raw_node(1), "--json", "--node-selector", "!role")
    assert json.loads(out)[0]["reason"] == "Ready"


def test_the_other_rules_are_set_by_the_environment_too(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = raw_list(*(in_zone(raw_node(n), "eu-central-1" + "ab"[n % 2]) for n in range(6)))
    words = ("plan", "--nodes", nodes, "--targets", raw_targets(), "--port", "30080", "--json")
    monkeypatch.setenv("NLB_SYNC_TARGET_LIMIT", "2")
    monkeypatch.setenv("NLB_SYNC_ZONES", "eu-central-1a, eu-central-1c")
    plan = json.loads(ask(*words)[1])["groups"][0]
    assert len(plan["register"]) == 2
    assert [hold["why"] for hold in plan["held"]] == ["Quota"]
    monkeypatch.setenv("NLB_SYNC_TARGET_LIMIT", "none")
    code, _, err = ask(*words)
    assert code == 2
    assert "NLB_SYNC_TARGET_LIMIT is 'none'; allowed: 1 to 5000" in err


WRONG = [
    (["explain", "-f", "missing.json"], "missing.json cannot be read"),
    (["explain", "-f", {"kind": "Pod"}], "found a Pod, expected a Node or a List"),
    (["explain", "-f", []], "found an array"),
    (["explain", "-f", {"kind": "List"}], "items is nothing"),
    (["explain", "-f", raw_list({"kind": "Pod"})], "items[0] is a Pod"),
    (["explain", "-f", raw_node(1), "--targets", {}], "expected TargetHealthDescriptions"),
    (["explain", "-f", raw_node(1), "--targets", raw_node(1)], "found a Node, expected TargetHealth"),
    (["explain", "-f", raw_node(1), "--targets", raw_targets((1, 5))], "State is 5, expected a state"),
    (["explain", "-f", raw_node(1), "--targets", {"TargetHealthDescriptions": [{}]}], "Target.Id is nothing"),
    (
        [
            "explain",
            "-f",
            raw_node(1),
            "--targets",
            {"TargetHealthDescriptions": [{"Target": {"Id": "i-1"}}]},
        ],
        "Target.Port is nothing",
    ),
    (
        ["explain", "-f", raw_node(1), "--targets", raw_targets((1, "healthy"), port=65536)],
        "Target.Port is 65536, expected a port from 1 to 65535",
    ),
    (["explain", "-f", "-", "--targets", "-"], "- is given twice"),
    (["explain", "-f", raw_node(1), "--node-selector", "a in b"], "malformed label selector 'a in b'"),
]


@pytest.mark.parametrize(("words", "says"), WRONG)
def test_a_wrong_document_gets_one_line_and_exit_code_2(ask: Ask, words: list[Any], says: str) -> None:
    code, out, err = ask(*words, "--json")
    assert (code, out) == (2, "")
    assert says in err
    assert err.count("\n") == 1


def test_a_file_that_is_no_json_is_named(ask: Ask, tmp_path: Path) -> None:
    broken = tmp_path / "nodes.yaml"
    broken.write_text("kind: Node")
    code, _, err = ask("explain", "-f", str(broken))
    assert code == 2
    assert f"{broken} is not JSON (line 1:" in err


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'{"kind": "\xff"}', "is not UTF-8 text"),
        (b"[" * 100_000, "is nested too deeply"),
        (b'{"kind": "Node", "spec": ' + b"1" * 5000 + b"}", "has a number that is too long"),
        (b"", "is empty; check the command that writes it"),
        (b" \r\n", "is empty"),
        (b"apiVersion: v1\nkind: Node\n", "is not JSON (line 1:"),
        (b'{"kind": "Node"}\n{"kind": "Node"}\n', "has a second document (line 2); give one List"),
    ],
)
def test_a_file_of_another_kind_gets_one_line(ask: Ask, tmp_path: Path, content: bytes, says: str) -> None:
    broken = tmp_path / "nodes.json"
    broken.write_bytes(content)
    code, _, err = ask("explain", "-f", str(broken))
    assert code == 2
    assert f"{broken} {says}" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_what_a_windows_shell_makes_of_the_text_does_no_harm(ask: Ask, tmp_path: Path, encoding: str) -> None:
    """Its redirection writes UTF-16, or a byte order mark before UTF-8, and carriage returns."""
    content = json.dumps(raw_node(1), indent=4).replace("\n", "\r\n").encode(encoding)
    saved = tmp_path / "nodes.json"
    saved.write_bytes(content)
    assert ask("explain", "-f", str(saved))[::2] == (0, "")
    assert ask("explain", "-f", "-", content=content)[::2] == (0, "")


def test_several_groups_are_planned_as_one_syncer_would(ask: Ask) -> None:
    sick = raw_node(1)
    sick["status"] = {}
    words: tuple[Any, ...] = ("plan", "--nodes", raw_list(sick, raw_node(2)))
    words += ("--targets", raw_targets((1, "unhealthy")), "--targets", raw_targets(port=30443))
    words += ("--port", "30080", "--port", "30443", "--json")
    code, out, _ = ask(*words, "--target-group", "http", "--target-group", "https")
    both = [ID[1], ID[2]]  # registered in one group, a node that is not Ready is kept in the other too
    assert code == 0
    assert [(each["target_group"], each["register"]) for each in json.loads(out)["groups"]] == [
        ("http", [{"id": ID[2], "port": 30080}]),
        ("https", [{"id": one, "port": 30443} for one in both]),
    ]
    code, out, _ = ask(*words[:-1], "--target-group", "http", "--target-group", "https")
    assert out.splitlines()[0].split() == ["GROUP", "ACTION", "INSTANCE", "PORT", "WHY"]


def test_one_port_may_be_that_of_all_groups(ask: Ask) -> None:
    words = ("plan", "--nodes", raw_node(1), "--targets", raw_targets(), "--targets", raw_targets())
    _, out, _ = ask(*words, "--port", "30080", "--json")
    assert [each["register"] for each in json.loads(out)["groups"]] == [[{"id": ID[1], "port": 30080}]] * 2


def test_of_two_nodes_of_one_instance_the_table_says_which_one_speaks(ask: Ask) -> None:
    old, new = raw_node(1), raw_node(1)
    new["metadata"] = {
        "name": "renamed",
        "creationTimestamp": "2026-11-24T00:00:00Z",
        "labels": {"node.kubernetes.io/exclude-from-external-load-balancers": "true"},
    }
    code, out, _ = ask("explain", "-f", raw_list(old, new), "--json")
    assert code == 0
    assert json.loads(out) == [
        {"node": name, "instance_id": ID[1], "verdict": "leaving", "reason": "ExcludedByLabel"}
        for name in ("node-1", "renamed")
    ]
    _, out, _ = ask("explain", "-f", raw_list(old, new))
    assert out.splitlines()[1].endswith("(by renamed, the newest Node of this instance)")
    assert not out.splitlines()[2].endswith(")")


def test_an_empty_list_is_answered_and_not_an_error(ask: Ask) -> None:
    assert ask("explain", "-f", raw_list(), "--json") == (0, "[]\n", "")
    assert ask("explain", "-f", raw_list()) == (0, "no nodes\n", "")


def test_a_wrong_variable_is_named(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NLB_SYNC_OWNERSHIP", "mine")
    code, _, err = ask("explain", "-f", raw_node(1))
    assert code == 2
    assert "NLB_SYNC_OWNERSHIP is 'mine'" in err


@pytest.mark.parametrize("port", ["0", "65536", "http", "-1", ""])
def test_a_wrong_port_is_refused(ask: Ask, port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        ask("plan", "--nodes", raw_list(), "--targets", raw_targets(), f"--port={port}")
    assert stopped.value.code == 2
    assert f"{port!r} is not a port from 1 to 65535" in capsys.readouterr().err


def test_one_node_of_a_list_is_explained_and_an_unknown_one_is_exit_code_3(ask: Ask) -> None:
    nodes = raw_list(raw_node(1), raw_node(2))
    code, out, _ = ask("explain", "node-2", "-f", nodes, "--json")
    assert (code, [each["node"] for each in json.loads(out)]) == (0, ["node-2"])
    code, out, err = ask("explain", "-f", nodes, ID[1], "node-7")
    assert code == 3
    assert "node-1" in out
    assert err.startswith("nlb-sync: node-7 is not among the nodes of ")


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("ip-10-0-0-1", "; did you mean ip-10-0-0-1.eu-central-1.compute.internal?"),
        ("IP-10-0-0-1", "; did you mean ip-10-0-0-1.eu-central-1.compute.internal?"),
        ("ip-10-0-0-1.eu-central-1.compute.internl", "; did you mean ip-10-0-0-1.eu-central-1"),
        (ID[1][:-1], "; did you mean i-000000000"),
        ("database", ""),
    ],
)
def test_a_name_that_is_nearly_right_is_answered_with_the_right_one(ask: Ask, asked: str, meant: str) -> None:
    far = raw_node(2)
    far["metadata"]["name"] = "ip-10-0-0-1.eu-central-1.compute.internal"
    code, out, err = ask("explain", asked, "-f", raw_list(raw_node(1), far))
    assert (code, out) == (3, "")
    assert meant in err
    assert ("did you mean" in err) == bool(meant)
    assert err.count("\n") == 1


@pytest.mark.parametrize("asked", ["node/node-1", f"aws:///eu-central-1a/{ID[1]}", ID[1], "node-1"])
def test_a_node_may_be_called_as_kubectl_and_the_cloud_print_it(ask: Ask, asked: str) -> None:
    code, out, _ = ask("explain", asked, "-f", raw_list(raw_node(1), raw_node(2)), "--json")
    assert (code, [each["node"] for each in json.loads(out)]) == (0, ["node-1"])


def test_a_selector_that_does_not_match_is_shown(ask: Ask) -> None:
    _, out, _ = ask("explain", "-f", raw_node(1), "--node-selector", "pool in (web, api)")
    assert out.splitlines()[1].endswith("a node that the label selector does not match (pool in (web, api))")


def test_an_unknown_ownership_is_answered_with_the_known_ones(
    ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        ask("plan", "--nodes", raw_list(), "--targets", raw_targets(), "--port=1", "--ownership=mine")
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert all(word in said for word in ("'mine'", "tracked", "exclusive", "add-only"))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["explain", "--targets", "targets.json"], "--targets without -f"),
        (["plan", "--nodes", "-"], "--targets is missing"),
        (["plan", "--nodes", "-", "--targets", "t"], "--port is missing"),
        (["plan", "--port", "80"], "--nodes is missing"),
        (
            ["plan", "--nodes", "-", "--targets", "a", "--port", "1", "--port", "2"],
            "--port is given 2 times and --targets 1 times; allowed: once, or once for each --targets",
        ),
        (
            ["plan", "--nodes=-", "--targets=a", "--targets=b", "--port=1", "--target-group=x"],
            "--target-group is given 1 times and --targets 2 times; allowed: once for each",
        ),
    ],
)
def test_half_the_files_are_refused(ask: Ask, words: list[str], says: str) -> None:
    code, out, err = ask(*words)
    assert (code, out) == (2, "")
    assert says in err
    assert err.count("\n") == 1
