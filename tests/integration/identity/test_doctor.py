"""`doctor` names what is wrong with a trust policy: the token's claims beside what the policy must hold."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sandbox.cloud.iam import oidc_provider_arn
from sandbox.layout import ACCOUNT, ISSUER, REGION
from tests.integration.identity.conftest import (
    HOST_AND_PATH,
    Account,
    allow,
    subject,
    web_trust,
)

GROUP = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/http/73e2d6bc24d8a067"


def doctor(account: Account, **variables: str) -> str:
    """The text of the row about credentials."""
    environment = {
        "PATH": os.environ["PATH"],
        "KUBECONFIG": str(account.layout.kubeconfig),
        "AWS_ENDPOINT_URL": account.layout.aws_url,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_REGION": REGION,
        "NLB_SYNC_TARGET_GROUPS": f"{GROUP}=:30080",
        **variables,
    }
    done = subprocess.run(
        [sys.executable, "-m", "syncer", "doctor", "--json"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    checks = json.loads(done.stdout)["checks"]
    row = next(each for each in checks if each["check"] == "credentials")
    assert "Traceback" not in done.stderr
    return f"{row['result']}: {row['says']}"


def web(account: Account, directory: Path, role: str, token: str) -> str:
    file = directory / "token"
    file.write_text(token)
    said = doctor(account, AWS_ROLE_ARN=role, AWS_WEB_IDENTITY_TOKEN_FILE=str(file))
    assert token not in said
    assert token.split(".")[1] not in said
    return said


def test_good_credentials_are_named_by_their_role(account: Account, tmp_path: Path) -> None:
    name = account.service_account()
    role = account.role(web_trust(name), allow("elasticloadbalancing:*"))
    said = web(account, tmp_path, role, account.token(name))
    assert said.startswith(f"ok: arn:aws:sts::{ACCOUNT}:assumed-role/{role.rpartition('/')[2]}/")


@pytest.mark.parametrize(
    "changes",
    [
        {"Condition": {"StringEquals": {f"{HOST_AND_PATH}:sub": "system:serviceaccount:default:other"}}},
        {"Condition": {"StringEquals": {f"{HOST_AND_PATH}:aud": "other"}}},
        {"Principal": {"Federated": oidc_provider_arn("https://oidc.example.com/other")}},
    ],
    ids=["sub", "aud", "principal"],
)
def test_a_trust_policy_that_does_not_fit_is_shown_beside_the_claims(
    account: Account, tmp_path: Path, changes: dict[str, Any]
) -> None:
    name = account.service_account()
    role = account.role(web_trust(name, **changes))
    said = web(account, tmp_path, role, account.token(name))
    assert said.startswith("fails: ")
    assert f"the token has sub {subject(name)}, aud sts.amazonaws.com, iss {ISSUER}" in said
    assert f"{role} must exist and its trust policy contain" in said
    assert f"Principal Federated {oidc_provider_arn(ISSUER)}" in said
    assert f"{HOST_AND_PATH}:sub {subject(name)}" in said
    assert f"{HOST_AND_PATH}:aud sts.amazonaws.com" in said


def test_a_wrong_audience_is_named(account: Account, tmp_path: Path) -> None:
    name = account.service_account()
    said = web(account, tmp_path, account.role(web_trust(name)), account.token(name, "vault"))
    assert "Incorrect token audience" in said
    assert f"add the audience vault to the client ids of {oidc_provider_arn(ISSUER)}" in said
    assert "the usual audience is sts.amazonaws.com" in said


def test_an_issuer_without_provider_is_named(account: Account, tmp_path: Path) -> None:
    name, issuer = account.service_account(), "https://oidc.example.com/id/B"
    said = web(account, tmp_path, account.role(web_trust(name)), account.forged(name, iss=issuer))
    assert f"create the IAM OIDC provider of issuer {issuer} in account {ACCOUNT}" in said
