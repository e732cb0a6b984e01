"""The AWS adapter over HTTP: what AWS refuses, and with which right it does without."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest

from syncer.elb.adapter import BotoElb
from syncer.errors import (
    AccessDeniedError,
    CredentialsError,
    InvalidTargetError,
    TargetGroupNotFoundError,
    UnreachableError,
)
from syncer.model import InstanceId, Target, TargetGroupArn
from tests.integration.syncer.household import Household

pytestmark = pytest.mark.toolchain

Result = TypeVar("Result")
ENDPOINT = "AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2"


def run(call: Coroutine[Any, Any, Result]) -> Result:
    return asyncio.run(call)


@pytest.fixture
def group(home: Household, monkeypatch: pytest.MonkeyPatch) -> TargetGroupArn:
    monkeypatch.setenv(ENDPOINT, home.layout.aws_url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "sandbox")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "sandbox")
    return TargetGroupArn(home.groups["http"])


def target(home: Household, name: str, port: int = 30080) -> Target:
    home.join(name)
    return Target(InstanceId(home.instances[name]), port)


def test_what_is_registered_is_described_and_may_be_deregistered_twice(
    home: Household, group: TargetGroupArn
) -> None:
    elb, wanted = BotoElb([group]), target(home, "a")
    run(elb.register(group, [wanted]))
    listed = run(elb.describe(group))
    assert [(each.target, each.registered) for each in listed] == [(wanted, True)]
    run(elb.deregister(group, [wanted]))
    run(elb.deregister(group, [wanted]))
    assert not any(each.registered for each in run(elb.describe(group)))
    assert run(elb.default_port(group)) == 80
    elb.close()


def test_where_the_health_is_checked_is_known_without_a_call_of_its_own(
    home: Household, group: TargetGroupArn
) -> None:
    elb, wanted = BotoElb([group]), target(home, "a")
    run(elb.register(group, [wanted]))
    assert [each.check_port for each in run(elb.describe(group))] == [wanted.port]
    home.elb.modify_target_group(TargetGroupArn=group, HealthCheckPort="31999")
    assert [each.check_port for each in run(elb.describe(group))] == [31999]
    elb.close()


def test_an_unknown_instance_is_named_in_the_refusal(home: Household, group: TargetGroupArn) -> None:
    elb, ghost = BotoElb([group]), Target(InstanceId("i-0123456789abcdef0"), 80)
    with pytest.raises(InvalidTargetError) as raised:
        run(elb.register(group, [target(home, "a"), ghost]))
    assert raised.value.ids == {ghost.id}
    assert run(elb.describe(group)) == []
    elb.close()


def test_a_group_that_is_gone_says_so(home: Household, group: TargetGroupArn) -> None:
    gone = TargetGroupArn(group[:-4] + "dead")
    elb = BotoElb([gone])
    with pytest.raises(TargetGroupNotFoundError):
        run(elb.describe(gone))
    elb.close()
    assert home.groups["http"] == group


def test_nobody_there_is_no_answer_within_seconds(
    group: TargetGroupArn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:9")
    elb = BotoElb([group])
    with pytest.raises(UnreachableError):
        run(elb.describe(group))
    elb.close()


def test_a_missing_right_is_named_and_the_groups_own_port_is_done_without(
    home: Household, group: TargetGroupArn, monkeypatch: pytest.MonkeyPatch
) -> None:
    allowed = {"RegisterTargets": group, "DeregisterTargets": group, "DescribeTargetHealth": "*"}
    for name, value in home.key(f"narrow-{group[-6:]}", **allowed).items():
        monkeypatch.setenv(name, value)
    elb = BotoElb([group])
    assert run(elb.default_port(group)) == 0
    own = target(home, "a", port=0)
    run(elb.register(group, [own]))
    assert [each.target for each in run(elb.describe(group))] == [own]
    assert home.registered("http") == {("a", 80)}
    other = TargetGroupArn(home.groups["https"])
    with pytest.raises(AccessDeniedError) as raised:
        run(elb.register(other, [own]))
    assert raised.value.action == "elasticloadbalancing:RegisterTargets"
    elb.close()


def test_credentials_that_were_replaced_are_picked_up_again(
    home: Household, group: TargetGroupArn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    shared = tmp_path / "credentials"
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(shared))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    elb = BotoElb([group])
    with pytest.raises(CredentialsError):
        run(elb.describe(group))
    key = home.key(f"fresh-{group[-6:]}", DescribeTargetHealth="*")
    shared.write_text(
        f"[default]\naws_access_key_id={key['AWS_ACCESS_KEY_ID']}\n"
        f"aws_secret_access_key={key['AWS_SECRET_ACCESS_KEY']}\n"
    )
    assert run(elb.describe(group)) == []
    elb.close()


def test_calls_are_counted_by_their_result(group: TargetGroupArn) -> None:
    counted: list[tuple[str, str]] = []
    elb = BotoElb([group], called=lambda operation, code: counted.append((operation, code)))
    run(elb.describe(group))
    with pytest.raises(TargetGroupNotFoundError):
        run(elb.describe(TargetGroupArn(group[:-4] + "dead")))
    assert counted == [("DescribeTargetHealth", "ok"), ("DescribeTargetHealth", "TargetGroupNotFound")]
    elb.close()
