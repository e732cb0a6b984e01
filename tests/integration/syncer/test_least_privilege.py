"""Each action of the syncer's policy is needed, and none reaches a target group that is not the stack's."""

import asyncio
import json
from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from infra.policy import CHANGE, DOCTOR, READ, policy
from sandbox.cloud.client import ec2_client
from sandbox.layout import ACCOUNT, REGION
from syncer.elb.survey import Survey
from syncer.errors import AccessDeniedError
from syncer.model import TargetGroupArn
from tests.integration.syncer.household import Household
from tests.integration.syncer.questions import Ask

if TYPE_CHECKING:
    from types_boto3_iam import IAMClient
    from types_boto3_sts import STSClient

pytestmark = pytest.mark.toolchain

# Every answer of AWS to a missing right, also as the syncer quotes it.
DENIED = "AccessDenied"
_NUMBERS = count(1)


def without(document: str, action: str) -> str:
    """The policy document less one action."""
    reduced = json.loads(document)
    for statement in reduced["Statement"]:
        statement["Action"] = [each for each in statement["Action"] if each != action]
    return json.dumps({**reduced, "Statement": [each for each in reduced["Statement"] if each["Action"]]})


def session(home: Household, document: str) -> dict[str, str]:
    """The environment of a session of a new role whose only policy is `document`."""
    administrator: dict[str, Any] = {
        "endpoint_url": home.layout.aws_url,
        "region_name": REGION,
        "aws_access_key_id": "sandbox",
        "aws_secret_access_key": "sandbox",
    }
    iam: IAMClient = boto3.client("iam", **administrator)
    name = f"least-{next(_NUMBERS)}"
    trust = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    role = iam.create_role(
        RoleName=name,
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )["Role"]
    iam.put_role_policy(RoleName=name, PolicyName="syncer", PolicyDocument=document)
    sts: STSClient = boto3.client("sts", **administrator)
    made = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="syncer")
    return {
        "AWS_ACCESS_KEY_ID": made["Credentials"]["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": made["Credentials"]["SecretAccessKey"],
        "AWS_SESSION_TOKEN": made["Credentials"]["SessionToken"],
    }


@pytest.fixture
def survey(home: Household, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Survey]:
    """The syncer's own AWS adapter with a session held to a policy document."""

    def made(document: str) -> Survey:
        monkeypatch.setenv("AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2", home.layout.aws_url)
        for name, value in session(home, document).items():
            monkeypatch.setenv(name, value)
        return Survey([TargetGroupArn(arn) for arn in home.groups.values()])

    return made


def call(survey: Survey, action: str, group: str) -> None:
    """One call of the syncer's; AccessDeniedError where it is not allowed."""
    arn = TargetGroupArn(group)

    async def made() -> None:
        if action == READ:
            await survey.describe(arn)
        else:
            await survey.may("register" if action == CHANGE[0] else "deregister", arn)

    asyncio.run(made())


@pytest.mark.parametrize("removed", [READ, *CHANGE])
def test_the_syncers_call_without_its_action_is_denied_by_name(
    home: Household, survey: Callable[[str], Survey], removed: str
) -> None:
    whole = policy(list(home.groups.values()))
    elb = survey(without(whole, removed))
    for action in (READ, *CHANGE):
        for group in home.groups.values():
            if action == removed:
                with pytest.raises(AccessDeniedError, match=rf"AccessDenied.*{removed}"):
                    call(elb, action, group)
            else:
                call(elb, action, group)
    elb.close()


@pytest.mark.parametrize("action", CHANGE)
def test_the_whole_policy_does_not_reach_another_target_group(
    home: Household, survey: Callable[[str], Survey], action: str
) -> None:
    own, other = home.groups["http"], home.groups["https"]
    elb = survey(policy([own]))
    call(elb, action, own)
    with pytest.raises(AccessDeniedError, match=rf"{action} on resource: {other}"):
        call(elb, action, other)
    elb.close()


def denied(answer: tuple[int, str, str]) -> list[str]:
    checks: list[dict[str, Any]] = json.loads(answer[1])["checks"]
    return [each["says"] for each in checks if DENIED in each["says"] or "not authorized" in each["says"]]


def test_doctor_is_denied_nothing_with_its_rights(home: Household, ask: Ask) -> None:
    home.join("a")
    answer = ask("doctor", "--json", **session(home, policy(list(home.groups.values()), doctor_rights=True)))
    assert answer[0] == 0, answer
    assert denied(answer) == []


@pytest.mark.parametrize(
    "removed", [action for action in (READ, *CHANGE, *DOCTOR) if not action.startswith("ec2:")]
)
def test_doctor_names_each_action_that_is_missing(home: Household, ask: Ask, removed: str) -> None:
    home.join("a")
    whole = policy(list(home.groups.values()), doctor_rights=True)
    answer = ask("doctor", "--json", **session(home, without(whole, removed)))
    lines = denied(answer)
    assert len(lines) == len(home.groups), answer
    assert all(f"allow {removed}" in line for line in lines), lines


def test_doctor_names_the_action_of_ec2_that_is_missing(home: Household, ask: Ask) -> None:
    group = ec2_client(home.layout.aws_url).create_security_group(
        GroupName="least", Description="least", VpcId=home.network.vpc_id
    )["GroupId"]
    balancer, groups = home.new_balancer(security_groups=[group])
    whole = policy(list(groups.values()), doctor_rights=True)
    followed = {
        "NLB_SYNC_TARGET_GROUPS": f"{groups['http']}=default/{home.service}:http",
        "AWS_ENDPOINT_URL_EC2": home.layout.aws_url,
    }
    removed = without(whole, "ec2:DescribeSecurityGroupRules")
    (line,) = denied(ask("doctor", "--json", **session(home, removed), **followed))
    assert "allow ec2:DescribeSecurityGroupRules" in line
    assert denied(ask("doctor", "--json", **session(home, whole), **followed)) == []
    home.remove_balancer(balancer, groups)


def test_the_parts_that_are_removed_are_the_whole_policy() -> None:
    document = json.loads(
        policy([f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/a/1"], doctor_rights=True)
    )
    actions = [action for statement in document["Statement"] for action in statement["Action"]]
    assert sorted(actions) == sorted([READ, *CHANGE, *DOCTOR])
