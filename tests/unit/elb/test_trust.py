"""The cure that is named for each refusal of AWS, from the claims of the token."""

import pytest
from botocore.exceptions import ClientError, MetadataRetrievalError

from syncer.elb.claims import Claims
from syncer.elb.cures import credentials_fault

CLAIMS = Claims(
    "https://oidc.example.com/id/A", "system:serviceaccount:nlb:syncer-sa", ("sts.amazonaws.com",)
)
ROLE = "arn:aws-cn:iam::123456789012:role/syncer"


def refused(code: str, message: str, claims: Claims | None = CLAIMS) -> str:
    answer = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": 403}}
    error = ClientError(answer, "AssumeRoleWithWebIdentity")  # type: ignore[arg-type]
    return str(credentials_fault("assume-role-with-web-identity", error, claims, ROLE))


def agents(message: str, claims: Claims | None = CLAIMS) -> str:
    said = f"Received non 200 response 400 from container metadata: [400]: {message}"
    return str(credentials_fault("container-role", MetadataRetrievalError(error_msg=said), claims))


def test_a_denied_role_shows_what_its_trust_policy_must_hold() -> None:
    said = refused("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
    assert f"the role {ROLE} must exist" in said
    assert "Principal Federated arn:aws-cn:iam::123456789012:oidc-provider/oidc.example.com/id/A" in said
    assert "oidc.example.com/id/A:sub system:serviceaccount:nlb:syncer-sa" in said
    assert "oidc.example.com/id/A:aud sts.amazonaws.com" in said
    assert "usual audience" not in said


def test_an_audience_that_is_not_stss_is_pointed_out() -> None:
    other = Claims(CLAIMS.issuer, CLAIMS.subject, ("vault",))
    assert "the usual audience is sts.amazonaws.com" in refused("AccessDenied", "Not authorized", other)


def test_without_claims_the_cure_is_the_general_one() -> None:
    said = refused("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity", None)
    assert "system:serviceaccount:NAMESPACE:NAME" in said
    assert "eks-pod-identity-agent" in agents("(AccessDeniedException): Unauthorized", None)


def test_other_refusals_keep_their_cure() -> None:
    assert "kubelet renews" in refused("ExpiredTokenException", "Token expired")
    assert "OIDC provider" in refused("InvalidIdentityToken", "Couldn't retrieve verification key")


@pytest.mark.parametrize(
    ("message", "cure"),
    [
        ("(AccessDeniedException): Unauthorized Exception!", "allow sts:AssumeRole and sts:TagSession"),
        ("(ResourceNotFoundException): no association", "create a Pod Identity association"),
        ("(InvalidTokenException): wrong", "its audience must be pods.eks.amazonaws.com"),
        ("(ThrottlingException): slow down", "eks-pod-identity-agent"),
    ],
)
def test_the_agents_refusal_names_the_service_account(message: str, cure: str) -> None:
    said = agents(message)
    assert cure in said
    assert "Throttling" in message or "system:serviceaccount:nlb:syncer-sa" in said
