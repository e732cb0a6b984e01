from typing import Any

import pytest

from sandbox.cloud.policy import Call, Verdict, judge, statements_of

_GROUP = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/http/0123456789abcdef"
_CALL = Call("elasticloadbalancing:RegisterTargets", (_GROUP,), "eu-central-1")


@pytest.mark.parametrize(
    ("statement", "verdict"),
    [
        ({}, Verdict.ALLOWED),
        ({"Action": "elasticloadbalancing:DeregisterTargets"}, Verdict.SILENT),
        ({"Action": "ELASTICLOADBALANCING:registertargets"}, Verdict.ALLOWED),
        ({"Action": ["ec2:*", "elasticloadbalancing:Register*"]}, Verdict.ALLOWED),
        ({"Action": "elasticloadbalancing:RegisterTarget?"}, Verdict.ALLOWED),
        ({"Resource": _GROUP.upper()}, Verdict.SILENT),
        ({"Resource": _GROUP.replace("http", "*")}, Verdict.ALLOWED),
        ({"Resource": _GROUP.replace("http", "[h]ttp")}, Verdict.SILENT),
        ({"Resource": [_GROUP.replace("http", "https"), _GROUP]}, Verdict.ALLOWED),
        ({"Effect": "Deny"}, Verdict.DENIED),
        ({"Condition": {"StringEquals": {"aws:RequestedRegion": "eu-central-1"}}}, Verdict.ALLOWED),
        ({"Condition": {"StringEquals": {"aws:RequestedRegion": ["a", "eu-central-1"]}}}, Verdict.ALLOWED),
        ({"Condition": {"StringEquals": {"aws:RequestedRegion": "eu-*"}}}, Verdict.SILENT),
        ({"Condition": {"StringLike": {"aws:RequestedRegion": "eu-*"}}}, Verdict.ALLOWED),
        ({"Condition": {"StringNotEquals": {"aws:RequestedRegion": "eu-central-1"}}}, Verdict.SILENT),
        ({"Condition": {"StringEquals": {"aws:SourceVpc": "vpc-1"}}}, Verdict.SILENT),
        ({"Condition": {"StringEqualsIfExists": {"aws:SourceVpc": "vpc-1"}}}, Verdict.ALLOWED),
        ({"Condition": {"IpAddress": {"aws:RequestedRegion": "eu-central-1"}}}, Verdict.SILENT),
    ],
)
def test_a_statement_speaks_of_a_call_when_action_resource_and_conditions_match(
    statement: dict[str, Any], verdict: Verdict
) -> None:
    base = {"Effect": "Allow", "Action": _CALL.action, "Resource": "*"}
    assert judge([base | statement], _CALL, _GROUP) is verdict


def test_not_action_and_not_resource_cover_everything_else() -> None:
    others = {"Effect": "Allow", "NotAction": "ec2:*", "NotResource": _GROUP}
    assert judge([others], _CALL, _GROUP) is Verdict.SILENT
    assert judge([others], _CALL, _GROUP + "0") is Verdict.ALLOWED


def test_a_deny_wins_whatever_the_order() -> None:
    allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    deny = {"Effect": "Deny", "Action": _CALL.action, "Resource": _GROUP}
    assert judge([allow, deny], _CALL, _GROUP) is Verdict.DENIED
    assert judge([deny, allow], _CALL, _GROUP) is Verdict.DENIED


def test_a_document_may_hold_one_bare_statement() -> None:
    one = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    assert statements_of({"Statement": one}) == statements_of({"Statement": [one]}) == [one]
