"""AssumeRoleWithWebIdentity with real tokens: what is refused, and with which of AWS's codes."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from sandbox.cloud.iam import oidc_provider_arn
from sandbox.layout import ACCOUNT, ISSUER
from tests.integration.cloud.world import refusal
from tests.integration.identity.conftest import (
    HOST_AND_PATH,
    Account,
    allow,
    subject,
    unique,
    web_trust,
)

DENIED = ("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")


def test_a_trusted_token_gets_a_session_of_the_role(account: Account) -> None:
    name = account.service_account()
    role = account.role(web_trust(name))
    keys = account.assume(role, account.token(name))
    found = account.client("sts", keys).get_caller_identity()
    assert keys["AccessKeyId"].startswith("ASIA")
    assert found["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/{role.rpartition('/')[2]}/test"
    assert keys["Expiration"].timestamp() == pytest.approx(time.time() + 3600, abs=30)


@pytest.mark.parametrize(
    "changes",
    [
        {"Condition": {"StringEquals": {f"{HOST_AND_PATH}:sub": "system:serviceaccount:default:other"}}},
        {"Condition": {"StringEquals": {f"{HOST_AND_PATH}:aud": "another-audience"}}},
        {"Condition": {"StringEquals": {"oidc.example.com:aud": "sts.amazonaws.com"}}},
        {"Condition": {"StringLike": {f"{HOST_AND_PATH}:sub": "system:serviceaccount:other:*"}}},
        {"Condition": {"ForAnyValue:DateEquals": {f"{HOST_AND_PATH}:aud": "sts.amazonaws.com"}}},
        {"Principal": {"Federated": oidc_provider_arn("https://oidc.example.com/other")}},
        {"Principal": {"Service": "pods.eks.amazonaws.com"}},
        {"Action": "sts:AssumeRole"},
    ],
    ids=["sub", "aud", "issuer of the condition", "like", "operator", "provider", "principal", "action"],
)
def test_a_trust_policy_that_does_not_fit_is_access_denied(account: Account, changes: dict[str, Any]) -> None:
    name = account.service_account()
    role = account.role(web_trust(name, **changes))
    assert refusal(account.assume, role_arn=role, token=account.token(name)) == DENIED


def test_a_pattern_of_subjects_is_trusted(account: Account) -> None:
    name = account.service_account()
    pattern = {"StringLike": {f"{HOST_AND_PATH}:sub": "system:serviceaccount:default:*"}}
    account.assume(account.role(web_trust(name, Condition=pattern)), account.token(name))


def test_a_deny_in_the_trust_policy_wins(account: Account) -> None:
    name = account.service_account()
    role = account.role(web_trust(name, Effect="Deny"))
    assert refusal(account.assume, role_arn=role, token=account.token(name)) == DENIED


def test_a_role_that_does_not_exist_is_access_denied(account: Account) -> None:
    missing = f"arn:aws:iam::{ACCOUNT}:role/{unique('missing')}"
    token = account.token(account.service_account())
    assert refusal(account.assume, role_arn=missing, token=token) == DENIED


JUNK: dict[str, tuple[Callable[[Account, str], str], str, str]] = {
    "no JWT": (lambda *_: "junk" * 10, "InvalidIdentityToken", "not a valid JWT"),
    "two parts": (
        lambda account, name: account.token(name).rpartition(".")[0],
        "InvalidIdentityToken",
        "JWT",
    ),
    "audience": (lambda account, name: account.token(name, "else"), "InvalidIdentityToken", "audience"),
    "issuer": (
        lambda account, name: account.forged(name, iss="https://elsewhere.example.com"),
        "InvalidIdentityToken",
        "No OpenIDConnect provider found in your account for https://elsewhere.example.com",
    ),
    "key": (
        lambda account, name: account.forged(name, own_key=True),
        "InvalidIdentityToken",
        "Couldn't retrieve verification key",
    ),
    "expired": (
        lambda account, name: account.forged(name, exp=int(time.time()) - 1),
        "ExpiredTokenException",
        "Token expired: current date/time",
    ),
}


@pytest.mark.parametrize("case", JUNK)
def test_a_token_that_is_not_valid_is_named(account: Account, case: str) -> None:
    make, code, message = JUNK[case]
    name = account.service_account()
    role = account.role(web_trust(name))
    found = refusal(account.assume, role_arn=role, token=make(account, name))
    assert found[0] == code
    assert message in found[1]


def test_a_token_signed_by_the_clusters_key_is_valid_whoever_wrote_it(account: Account) -> None:
    """The counterpart of the refusals above: it is the changed claim that makes them."""
    name = account.service_account()
    account.assume(account.role(web_trust(name)), account.forged(name))


def test_without_the_provider_no_token_is_accepted(account: Account) -> None:
    name = account.service_account()
    role, token = account.role(web_trust(name)), account.token(name)
    account.iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=oidc_provider_arn(ISSUER))
    try:
        code, message = refusal(account.assume, role_arn=role, token=token)
    finally:
        account.iam.create_open_id_connect_provider(Url=ISSUER, ClientIDList=["sts.amazonaws.com"])
    assert (code, message) == (
        "InvalidIdentityToken",
        f"No OpenIDConnect provider found in your account for {ISSUER}",
    )
    account.assume(role, token)


def test_a_session_is_as_long_as_asked_and_allowed(account: Account) -> None:
    name = account.service_account()
    role, token = account.role(web_trust(name)), account.token(name)
    keys = account.assume(role, token, DurationSeconds=900)
    assert keys["Expiration"].timestamp() == pytest.approx(time.time() + 900, abs=30)
    assert refusal(account.assume, role_arn=role, token=token, DurationSeconds=7200)[0] == "ValidationError"


def test_a_session_is_held_to_the_policies_of_its_role(account: Account) -> None:
    name = account.service_account()
    role = account.role(web_trust(name), allow("elasticloadbalancing:DescribeTargetHealth"))
    elb = account.client("elbv2", account.assume(role, account.token(name)))
    code, message = refusal(elb.describe_load_balancers)
    assert code == "AccessDenied"
    assert f"assumed-role/{role.rpartition('/')[2]}/test is not authorized to perform" in message
    account.allow(role, allow("elasticloadbalancing:DescribeLoadBalancers"))
    elb.describe_load_balancers()


def test_a_session_without_its_token_and_an_unknown_key_are_invalid(account: Account) -> None:
    name = account.service_account()
    role = account.role(web_trust(name), allow("*"))
    keys = account.assume(role, account.token(name))
    for changes in ({"SessionToken": ""}, {"SessionToken": "other"}, {"AccessKeyId": "AKIAIOSFODNN7EXAMPLE"}):
        for service, call, code in (
            ("elbv2", "describe_load_balancers", "InvalidClientTokenId"),
            ("iam", "list_roles", "InvalidClientTokenId"),
            ("ec2", "describe_vpcs", "AuthFailure"),
            ("eks", "list_clusters", "UnrecognizedClientException"),
        ):
            client = account.client(service, {**keys, **changes})
            assert refusal(getattr(client, call))[0] == code


def test_a_role_may_be_assumed_by_whom_its_trust_policy_names(account: Account) -> None:
    sts = account.client("sts", account.deployer)
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole"}
    trusted = account.role({**trust, "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}})
    other = account.role({**trust, "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/another"}})
    keys = sts.assume_role(RoleArn=trusted, RoleSessionName="test")["Credentials"]
    assert account.client("sts", keys).get_caller_identity()["Arn"].endswith("/test")
    assert refusal(sts.assume_role, RoleArn=other, RoleSessionName="test")[0] == "AccessDenied"


def test_the_subject_is_what_the_trust_policy_compares(account: Account) -> None:
    name, other = account.service_account(), account.service_account()
    role = account.role(web_trust(name))
    assert refusal(account.assume, role_arn=role, token=account.forged(name, sub=subject(other))) == DENIED


def test_an_expired_session_is_refused_and_a_new_one_works(account: Account) -> None:
    name = account.service_account()
    role = account.role(web_trust(name), allow("*"))
    keys = account.assume(role, account.token(name))
    account.client("iam", keys).list_roles()
    assert account.control("DELETE", "sessions")["expired"] >= 1
    for service, call, code in (
        ("elbv2", "describe_load_balancers", "ExpiredToken"),
        ("sts", "get_caller_identity", "ExpiredToken"),
        ("ec2", "describe_vpcs", "RequestExpired"),
        ("eks", "list_clusters", "ExpiredTokenException"),
    ):
        assert refusal(getattr(account.client(service, keys), call))[0] == code
    account.client("iam", account.assume(role, account.token(name))).list_roles()


def test_a_deleted_role_ends_its_sessions_rights(account: Account) -> None:
    name = account.service_account()
    role = account.role(web_trust(name), allow("*"))
    keys = account.assume(role, account.token(name))
    account.iam.delete_role_policy(RoleName=role.rpartition("/")[2], PolicyName="inline")
    account.iam.delete_role(RoleName=role.rpartition("/")[2])
    assert refusal(account.client("elbv2", keys).describe_load_balancers)[0] == "AccessDenied"


def test_the_deployer_can_be_held_to_a_policy(account: Account) -> None:
    iam, roles = account.client("iam", account.deployer), account.client("eks", account.deployer)
    iam.list_users()
    users = {"Effect": "Deny", "Action": ["iam:*User*", "iam:*AccessKey*"], "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [allow("*"), users]}
    account.control("POST", "deployer-policy", policy)
    try:
        assert account.control("GET", "deployer-policy") == policy
        code, message = refusal(iam.create_user, UserName=unique("user"))
        assert (code, "with an explicit deny" in message) == ("AccessDenied", True)
        assert refusal(iam.create_access_key, UserName="any")[0] == "AccessDenied"
        iam.list_roles()
        roles.list_clusters()
        account.iam.list_users()  # the sandbox's own key
    finally:
        account.control("DELETE", "deployer-policy")
    iam.list_users()


def test_the_calls_of_each_caller_are_recorded(account: Account) -> None:
    role = account.role(web_trust("any"), allow("*"))
    account.control("DELETE", "calls")
    iam, caller = account.client("iam", account.deployer), f"arn:aws:iam::{ACCOUNT}:user/sandbox"
    iam.get_role(RoleName=role.rpartition("/")[2])
    iam.list_roles()
    refusal(iam.get_role, RoleName="missing")
    missing = f"arn:aws:iam::{ACCOUNT}:role/missing"
    assert account.control("GET", "calls")[caller] == {
        "iam:GetRole": sorted([missing, role]),
        "iam:ListRoles": ["*"],
    }
    account.control("DELETE", "calls")
    assert account.control("GET", "calls") == {}
