"""Questions about a real API server and the AWS API over HTTP, as a person or a script calls them."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from syncer.decide.answers import sentence_of
from tests.integration.syncer.household import Household
from tests.integration.syncer.questions import Ask, fill

pytestmark = pytest.mark.toolchain

# Whoever starts the tests in the background has SIGINT ignored, and so would the command.
AS_AT_A_TERMINAL = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
    "from syncer.__main__ import main; raise SystemExit(main())"
)
EXCLUDED = "node.kubernetes.io/exclude-from-external-load-balancers"


def test_explain_tells_the_whole_story_of_a_node(home: Household, ask: Ask) -> None:
    fill(home, "a", "b")
    home.label("a", EXCLUDED, "true")
    code, out, _ = ask("explain", "a", "--json")
    (story,) = json.loads(out)
    port = home.node_port("http")
    assert code == 0
    assert (story["node"], story["verdict"], story["reason"]) == ("a", "leaving", "ExcludedByLabel")
    assert story["says"] == sentence_of("ExcludedByLabel")
    http = next(each for each in story["groups"] if each["target_group"] == home.groups["http"])
    assert (http["port"], http["state"], http["next"]) == (port, "healthy", "deregister")
    code, out, _ = ask("explain", home.instances["b"])
    assert code == 0
    assert out.startswith(f"b ({home.instances['b']}): in, Ready\n  a node that is Ready")
    assert "healthy" in out


def test_explain_says_what_is_held_and_why(home: Household, ask: Ask) -> None:
    fill(home, "a")
    home.label("a", EXCLUDED, "true")
    code, out, _ = ask("explain", "a", "--json")
    (story,) = json.loads(out)
    assert code == 0
    assert [(each["next"], each["why"]) for each in story["groups"]] == [("hold", "LastServing")] * 2


def test_explain_without_a_name_lists_all_and_targets_without_a_node_too(home: Household, ask: Ask) -> None:
    fill(home, "a", "b")
    home.delete("a")
    code, out, _ = ask("explain")
    assert code == 0
    lines = {line.split()[0]: line for line in out.splitlines()}
    assert "in" in lines["b"].split()
    assert f"(no Node)  {home.instances['a']}" in out
    assert "NoNode" in lines["(no"]


def test_explain_of_an_unknown_node_is_one_line_and_exit_code_3(home: Household, ask: Ask) -> None:
    home.join("a")
    code, _, err = ask("explain", "nobody")
    assert code == 3
    assert err == "nlb-sync: nobody is neither a Node of this cluster nor a target of its groups\n"


def test_a_name_that_is_nearly_right_is_answered_with_the_right_one(home: Household, ask: Ask) -> None:
    home.join("node-11.example.com", "workers-b")
    for words in (("explain", "node-11"), ("wait", "node-11", "--drained")):
        code, out, err = ask(*words)
        assert (code, out) == (3, "")
        assert "; did you mean node-11.example.com?" in err
        assert err.count("\n") == 1
    assert ask("explain", "node/workers-b")[0] == 0


def test_the_selector_that_keeps_a_node_out_is_shown(home: Household, ask: Ask) -> None:
    home.join("a")
    _, out, _ = ask("explain", "a", NLB_SYNC_NODE_SELECTOR="pool=web")
    assert out.splitlines()[1] == "  a node that the label selector does not match (pool=web)"
    _, _, err = ask("wait", "a", "--healthy", NLB_SYNC_NODE_SELECTOR="pool=web")
    assert "does not match (pool=web) (SelectorMismatch)" in err


def test_explain_says_which_node_of_two_speaks_for_their_instance(home: Household, ask: Ask) -> None:
    home.join("old")
    time.sleep(1.1)  # creationTimestamps are whole seconds
    home.join_as("new", home.instances["old"])
    home.label("new", EXCLUDED, "true")
    code, out, _ = ask("explain", home.instances["old"], "--json")
    told = {story["node"]: (story["verdict"], story["reason"], story["speaker"]) for story in json.loads(out)}
    assert code == 0
    assert told == {
        "old": ("leaving", "ExcludedByLabel", "new"),
        "new": ("leaving", "ExcludedByLabel", ""),
    }
    assert "  (by new, the newest Node of this instance)\n" in ask("explain", "old")[1]


def test_explain_without_a_cluster_claims_nothing_of_the_node(
    home: Household, ask: Ask, tmp_path: Path
) -> None:
    config = yaml.safe_load(home.layout.kubeconfig.read_text())
    config["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:9"
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(config))
    code, _, err = ask("explain", "a", KUBECONFIG=str(tmp_path / "kubeconfig"))
    assert code == 1
    assert "a is unknown, with failed reads" in err
    assert "is neither a Node" not in err


def test_explain_without_aws_gives_the_verdict_and_the_problem(home: Household, ask: Ask) -> None:
    home.join("a")
    code, out, err = ask(
        "explain", "a", "--json", AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2="http://127.0.0.1:9"
    )
    assert code == 1
    assert json.loads(out)[0]["reason"] == "Ready"
    assert {each["state"] for each in json.loads(out)[0]["groups"]} == {"unknown"}
    assert err.count("\n") == 2
    assert "DescribeTargetHealth" in err


def test_plan_of_the_live_groups_sends_nothing(home: Household, ask: Ask) -> None:
    fill(home, "a", "b")
    home.join("c")
    home.label("b", EXCLUDED, "true")
    code, out, _ = ask("plan", "--json")
    group = next(each for each in json.loads(out)["groups"] if each["target_group"] == home.groups["http"])
    port = home.node_port("http")
    assert code == 0
    assert group["register"] == [{"id": home.instances["c"], "port": port}]
    assert group["deregister"] == [{"id": home.instances["b"], "port": port}]
    assert home.registered("http") == {("a", port), ("b", port)}
    code, out, _ = ask("plan")
    assert code == 0
    assert {"register", "deregister"} <= {line.split()[1] for line in out.splitlines()}


def test_a_group_that_may_not_be_read_is_planned_as_a_blind_syncer_would(home: Household, ask: Ask) -> None:
    home.join("a")
    key = home.key(f"blind-{home.service}", RegisterTargets="*", DeregisterTargets="*")
    code, out, err = ask("explain", "a", "--json", **key)
    (story,) = json.loads(out)
    assert code == 1
    assert [(each["state"], each["next"]) for each in story["groups"]] == [("unknown", "register")] * 2
    assert "allow elasticloadbalancing:DescribeTargetHealth" in err
    assert "; the syncer runs blind\n" in err
    assert {line.split()[1] for line in ask("plan", **key)[1].splitlines()} == {"ACTION", "register"}


def test_a_plan_without_aws_does_not_claim_that_nothing_is_to_be_done(home: Household, ask: Ask) -> None:
    home.join("a")
    code, out, _ = ask("plan", AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2="http://127.0.0.1:9")
    assert (code, out) == (1, "nothing to do, with failed reads\n")


@pytest.mark.parametrize("words", [("explain", "a"), ("plan",)])
def test_a_wrong_selector_is_one_line_and_exit_code_2(ask: Ask, words: tuple[str, ...]) -> None:
    code, out, err = ask(*words, "--node-selector", "a in b")
    assert (code, out) == (2, "")
    assert err.startswith("--node-selector is 'a in b'")
    assert err.count("\n") == 1


def test_status_shows_a_running_syncer_and_its_age(home: Household, ask: Ask) -> None:
    home.join("a", "b")
    syncer = home.syncer()
    home.until(lambda: home.filled_with("a", "b") and syncer.ready, within=20)
    url = f"http://127.0.0.1:{syncer.port}"
    home.until(lambda: ask("status", "--url", url)[0] == 0, within=10)
    code, out, err = ask("status", "--url", url)
    assert (code, err) == (0, "")
    rows = {words[0]: words for line in out.splitlines() if (words := line.split())}
    assert rows["ready"] == ["ready", "yes"]
    assert rows["nodes"] == ["nodes", "2", "in,", "0", "leaving,", "0", "out"]
    name = home.groups["http"].split("/")[1]
    assert rows[name][:3] == [name, str(home.node_port("http")), "2"]
    code, _, err = ask("status", "--url", f"{url}/status", "--stale-after", "0")
    assert code == 1
    assert f"{name}: the last good pass is " in err
    code, out, _ = ask("status", "--url", url, "--json", "--stale-after", "0")
    assert code == 1
    assert json.loads(out)["well"] is False
    assert {each["target_group"] for each in json.loads(out)["groups"]} == set(home.groups.values())


def test_a_question_finds_the_syncer_of_its_own_environment(home: Household, ask: Ask) -> None:
    """As in the Pod, where address and port are what the syncer was started with."""
    home.join("a")
    syncer = home.syncer(NLB_SYNC_ADDRESS="127.0.0.1")
    home.until(lambda: syncer.ready, within=20)
    assert "ready      yes" in ask("status", NLB_SYNC_PORT=str(syncer.port))[1]
    everywhere = {"NLB_SYNC_PORT": str(syncer.port), "NLB_SYNC_ADDRESS": "0.0.0.0"}  # noqa: S104
    assert "ready      yes" in ask("status", **everywhere)[1]
    code, _, err = ask("leave", "--yes", NLB_SYNC_PORT=str(syncer.port))
    assert code == 3
    assert f"a syncer is at work at http://127.0.0.1:{syncer.port}" in err


def test_a_service_that_is_called_like_the_syncer_does_not_mislead_a_question(ask: Ask) -> None:
    """The kubelet makes NLB_SYNC_PORT=tcp://10.0.0.1:8080 of it."""
    code, _, err = ask("status", NLB_SYNC_PORT="tcp://10.0.0.1:8080", NLB_SYNC_ADDRESS="::1")
    assert code == 3
    assert "no syncer answers at http://[::1]:8080 " in err


@pytest.mark.parametrize("words", [("explain", "a"), ("plan",), ("doctor",), ("wait", "a", "--drained")])
def test_ctrl_c_ends_a_question_at_once_and_without_a_word(
    home: Household, tmp_path: Path, words: tuple[str, ...]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(30)
        url = f"https://127.0.0.1:{silent.getsockname()[1]}"
        broken = yaml.safe_load(home.layout.kubeconfig.read_text())
        broken["clusters"][0]["cluster"]["server"] = url
        kubeconfig = tmp_path / "kubeconfig"
        kubeconfig.write_text(yaml.safe_dump(broken))
        environment = {**home.environment, "KUBECONFIG": str(kubeconfig), "PATH": os.environ["PATH"]}
        asked = subprocess.Popen(
            [sys.executable, "-c", AS_AT_A_TERMINAL, *words],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        connection, _ = silent.accept()  # it waits for an answer now, and gets none
        with connection:
            asked.send_signal(signal.SIGINT)
            said = asked.communicate(timeout=30)
    assert said == (b"", b"")
    assert asked.returncode == -signal.SIGINT


def test_status_of_a_syncer_without_aws_says_why_no_pass_was_good(home: Household, ask: Ask) -> None:
    home.join("a")
    syncer = home.syncer(AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2="http://127.0.0.1:9")
    url = f"http://127.0.0.1:{syncer.port}"
    name = home.groups["http"].split("/")[1]
    home.until(lambda: f"{name}: no good pass since the start: " in ask("status", "--url", url)[2], within=20)
    assert ask("status", "--url", url)[0] == 1


def test_status_where_nobody_answers_names_the_port_forward(ask: Ask) -> None:
    code, out, err = ask("status", "--url", "http://127.0.0.1:9")
    assert (code, out) == (3, "")
    assert "kubectl -n NAMESPACE port-forward" in err
    assert err.count("\n") == 1


def test_status_of_another_program_is_refused(home: Household, ask: Ask) -> None:
    code, _, err = ask("status", "--url", home.layout.aws_url)
    assert code == 3
    assert "is not a syncer" in err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--url", "localhost:8080"), "--url: 'localhost:8080' is not a URL"),
        (("--url", "http://[::1"), "--url: 'http://[::1' is not a URL"),
        (("--stale-after", "soon"), "--stale-after: 'soon' is not a number of seconds"),
    ],
)
def test_a_wrong_flag_of_status_is_named(
    ask: Ask, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], says: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        ask("status", *words)
    assert ended.value.code == 2
    assert says in capsys.readouterr().err
