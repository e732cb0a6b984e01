"""The policy that the stack writes is all that the syncer takes; what it lacks costs a call at the start."""

import json

import pytest

from infra.policy import policy
from tests.integration.syncer.household import Household, Syncer
from tests.integration.syncer.questions import Ask

pytestmark = pytest.mark.toolchain

EXCLUDED = "node.kubernetes.io/exclude-from-external-load-balancers"


def calls(syncer: Syncer, operation: str, code: str) -> float:
    return syncer.metric(f'nlb_sync_aws_calls_total{{code="{code}",operation="{operation}"}}')


def warnings(syncer: Syncer) -> list[str]:
    lines = [json.loads(line) for line in syncer.log.read_text().splitlines()]
    return [str(line["message"]) for line in lines if line["level"] in {"warning", "error"}]


def test_groups_are_kept_with_it_and_nothing_is_said_to_be_missing(home: Household) -> None:
    key = home.key_with("stack", policy(list(home.groups.values())))
    home.join("a", "b", "c")
    syncer = home.syncer(**key)
    home.until(lambda: home.filled_with("a", "b", "c") and syncer.ready, within=20)
    home.until(lambda: set(home.states().values()) == {"healthy"}, within=10)
    home.label("a", EXCLUDED, "true")
    home.until(lambda: home.filled_with("b", "c"), within=10)
    home.until(lambda: calls(syncer, "DescribeTargetHealth", "ok") >= 6, within=20)
    assert calls(syncer, "DescribeTargetGroups", "AccessDenied") == 1
    status = syncer.status
    assert status["problems"] == []
    assert [group["problem"] or group["read_problem"] for group in status["groups"]] == ["", ""]
    assert not status["blind"]
    assert warnings(syncer) == []


def test_doctor_finds_all_well_with_it_and_says_what_it_cannot_look_at(home: Household, ask: Ask) -> None:
    key = home.key_with("stack-doctor", policy(list(home.groups.values())))
    home.join("a")
    code, out, _ = ask("doctor", "--json", **key)
    checks = [each for each in json.loads(out)["checks"] if each["check"] in home.names()]
    assert code == 0
    unseen = [each["says"] for each in checks if each["result"] == "note"]
    assert len(unseen) == 2
    for says in unseen:
        assert "elasticloadbalancing:DescribeTargetGroups" in says
        assert says.endswith("; not checked: type, health check, zones, quota")
