"""`wait` as a drain script calls it, against a real API server and the AWS API over HTTP."""

import json
import threading
import time
from pathlib import Path

import pytest
import yaml

from tests.integration.syncer.household import NODES, Household
from tests.integration.syncer.questions import Ask, fill

pytestmark = pytest.mark.toolchain


def test_a_node_is_awaited_healthy_by_name(home: Household, ask: Ask) -> None:
    fill(home, "a")
    code, out, err = ask("wait", "a", "--healthy", "--timeout", "5")
    assert (code, err) == (0, "")
    assert out.startswith("a is healthy: healthy in ")


def test_a_node_that_no_rule_lets_in_cannot_be_awaited_healthy(home: Household, ask: Ask) -> None:
    home.join("a")
    code, out, err = ask("wait", "a", "--healthy", NLB_SYNC_NODE_SELECTOR="pool=web")
    assert (code, out) == (3, "")
    assert "SelectorMismatch" in err
    assert err.count("\n") == 1


def test_a_node_in_a_zone_that_is_not_served_cannot_be_awaited_healthy(home: Household, ask: Ask) -> None:
    home.join("a")
    code, out, err = ask("wait", "a", "--healthy", NLB_SYNC_ZONES="eu-central-1b")
    assert (code, out) == (3, "")
    assert "does not serve (eu-central-1a, by its providerID) (ZoneNotEnabled)" in err


def test_a_node_is_awaited_drained_by_instance_id_without_a_cluster(home: Household, ask: Ask) -> None:
    fill(home, "a")
    instance = home.instances["a"]
    for arn in home.groups.values():
        home.elb.modify_target_group_attributes(
            TargetGroupArn=arn, Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "0"}]
        )
    code, _, err = ask("wait", instance, "--drained", "--timeout", "0", KUBECONFIG="/nowhere")
    assert code == 1
    assert f"{instance} is not drained after " in err

    gone_at = []

    def deregister() -> None:
        gone_at.append(time.monotonic())
        for group, arn in home.groups.items():
            targets = [{"Id": instance, "Port": home.node_port(group)}]
            home.elb.deregister_targets(TargetGroupArn=arn, Targets=targets)  # type: ignore[arg-type]

    home.delete("a")
    timer = threading.Timer(3.0, deregister)
    timer.start()
    words = ("wait", instance, "--drained", "--settle", "1", "--every", "1", "--timeout", "30", "--json")
    code, out, err = ask(*words, KUBECONFIG="/nowhere")
    timer.join()
    answer = json.loads(out)
    assert code == 0
    assert (answer["instance_id"], answer["goal"], answer["reached"]) == (instance, "drained", True)
    assert time.monotonic() - gone_at[0] >= 1  # as long as it is to be settled
    assert "healthy in" in err


def test_an_unknown_name_is_one_line_and_exit_code_3(home: Household, ask: Ask) -> None:
    home.join("a")
    code, out, err = ask("wait", "nobody", "--drained")
    assert (code, out) == (3, "")
    assert "unknown Node; for a deleted Node give the instance id" in err


def test_an_api_server_that_does_not_answer_is_asked_again_until_the_time_is_over(
    home: Household, ask: Ask, tmp_path: Path
) -> None:
    config = yaml.safe_load(home.layout.kubeconfig.read_text())
    config["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:9"
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(config))
    words = ("wait", "a", "--drained", "--every", "1", "--timeout", "2")
    code, out, err = ask(*words, KUBECONFIG=str(tmp_path / "kubeconfig"))
    assert (code, out) == (1, "")
    assert "a is not drained after 2 s: GET /api/v1/nodes/a: " in err


def test_a_node_without_an_instance_was_never_a_target(home: Household, ask: Ask) -> None:
    home.api.create(NODES, {"metadata": {"name": "new"}})
    code, out, _ = ask("wait", "new", "--drained")
    assert (code, out) == (0, "new is drained: the Node has no providerID and was never a target\n")
    code, _, err = ask("wait", "new", "--healthy", "--every", "1", "--timeout", "1")
    assert code == 1
    assert "without a providerID" in err


def test_without_the_right_to_read_the_wait_ends_with_the_right_to_grant(home: Household, ask: Ask) -> None:
    key = home.key("waits-blind", RegisterTargets="*")
    code, _, err = ask("wait", "i-0123456789abcdef0", "--drained", **key)
    assert code == 3
    assert "allow elasticloadbalancing:DescribeTargetHealth" in err


def test_a_group_that_does_not_exist_is_not_taken_for_empty(home: Household, ask: Ask) -> None:
    gone = home.groups["http"][:-4] + "0000"
    code, _, err = ask("wait", "i-0123456789abcdef0", "--drained", NLB_SYNC_TARGET_GROUPS=gone)
    assert code == 3
    assert "TargetGroupNotFound" in err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("a",), "one of the arguments --drained --healthy is required"),
        (("", "--drained"), "argument NODE: '' is neither the name of a Node nor an instance id"),
        (("..", "--drained"), "argument NODE: '..' is neither the name of a Node"),
        (("node/", "--drained"), "argument NODE: 'node/' is neither the name of a Node"),
        (("a/status", "--drained"), "argument NODE: 'a/status' is neither the name of a Node"),
        (("a?limit=1", "--drained"), "argument NODE: 'a?limit=1' is neither the name of a Node"),
        (("a", "--drained", "--timeout", "-1"), "--timeout: '-1' is not a number of seconds"),
        (("a", "--drained", "--every", "0"), "--every: '0' is less than 1 second"),
    ],
)
def test_a_wrong_flag_of_wait_is_named(
    ask: Ask, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], says: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        ask("wait", *words)
    assert ended.value.code == 2
    assert says in capsys.readouterr().err
