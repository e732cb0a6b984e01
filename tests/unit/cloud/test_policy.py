from typing import Any

import pytest

from sandbox.cloud.policy import Call, Principal, Verdict, judge, statements_of, trusts

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


_USER = Principal("AWS", "arn:aws:iam::123456789012:user/a")
_ASSUME = Call(
    "sts:AssumeRole", (), "eu-central-1", {"sts:externalid": ("x",), "a.example/id:aud": ("p", "q")}
)


@pytest.mark.parametrize(
    ("statement", "trusted"),
    [
        ({}, True),
        ({"Principal": "*"}, True),
        ({"Principal": {"AWS": "123456789012"}}, True),
        ({"Principal": {"AWS": ["arn:aws:iam::123456789012:root"]}}, True),
        ({"Principal": {"AWS": "arn:aws:iam::123456789012:user/b"}}, False),
        ({"Principal": {"AWS": "210987654321"}}, False),
        ({"Principal": {"Service": _USER.name}}, False),
        ({"Principal": {}}, False),
        ({"Action": "sts:*"}, True),
        ({"Action": "sts:TagSession"}, False),
        ({"Effect": "Deny"}, False),
        ({"Condition": {"StringEquals": {"sts:ExternalId": "x"}}}, True),
        ({"Condition": {"StringEquals": {"sts:ExternalId": "y"}}}, False),
        ({"Condition": {"StringNotEquals": {"sts:ExternalId": "x"}}}, False),
        ({"Condition": {"StringEquals": {"A.example/id:aud": "q"}}}, True),
        ({"Condition": {"StringEquals": {"a.example/id:sub": "q"}}}, False),
        ({"Condition": {"StringLike": {"a.example/id:aud": "?"}, "Bool": {"x": "true"}}}, False),
    ],
)
def test_a_trust_policy_names_principal_action_and_conditions(
    statement: dict[str, Any], trusted: bool
) -> None:
    base = {"Effect": "Allow", "Principal": {"AWS": _USER.name}, "Action": "sts:AssumeRole"}
    assert trusts([base | statement], _USER, _ASSUME) is trusted


def test_a_deny_in_a_trust_policy_wins() -> None:
    allow = {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}
    assert not trusts([allow, allow | {"Effect": "Deny"}], _USER, _ASSUME)
