"""What a role's trust policy must hold for a token that AWS refuses, by AWS's answer and the token's claims.

AWS does not tell which condition fails: the claims are shown beside the conditions that they must meet.
"""

from typing import Final

from syncer.elb.claims import Claims

_STS: Final = "sts.amazonaws.com"
_PODS: Final = "pods.eks.amazonaws.com"
_ARN_PARTS: Final = 6


def web_identity(code: str, message: str, claims: Claims, role_arn: str) -> str | None:
    """The cure for an AssumeRoleWithWebIdentity that STS refused; None where the claims explain nothing."""
    parts = role_arn.split(":")
    partition, account = (parts[1], parts[4]) if len(parts) == _ARN_PARTS else ("aws", "ACCOUNT")
    provider = f"arn:{partition}:iam::{account}:oidc-provider/{claims.issuer_path}"
    if code in {"AccessDenied", "IDPRejectedClaim"}:
        return (
            f"the token has {claims}; the role {role_arn} must exist and its trust policy hold: "
            f"Principal Federated {provider}, Action sts:AssumeRoleWithWebIdentity, "
            f"StringEquals {claims.issuer_path}:sub {claims.subject}, "
            f"{claims.issuer_path}:aud {_audience(claims)}{_other_audience(claims)}"
        )
    if code == "InvalidIdentityToken" and "audience" in message.lower():
        return (
            f"the token has {claims}; add the audience {_audience(claims)} to the client ids of {provider}"
            f"{_other_audience(claims)}"
        )
    if code == "InvalidIdentityToken" and "provider found" in message:
        return (
            f"the token has {claims}; create the IAM OIDC provider of issuer {claims.issuer} in account "
            f"{account}, with audience {_STS}"
        )
    return None


def pod_identity(message: str, claims: Claims) -> str | None:
    """The cure for what the Pod Identity agent passes on from EKS; None where the claims explain nothing."""
    account = claims.service_account
    if "AccessDenied" in message:
        return (
            f"the token has {claims}; the trust policy of the role associated with ServiceAccount {account} "
            f"must allow sts:AssumeRole and sts:TagSession to Principal Service {_PODS}"
        )
    if "ResourceNotFound" in message:
        return (
            f"the token has {claims}; create a Pod Identity association of ServiceAccount {account} in this "
            "cluster"
        )
    if "InvalidToken" in message:
        return f"the token has {claims}; its audience must be {_PODS} and its issuer this EKS cluster"
    return None


def _audience(claims: Claims) -> str:
    return claims.audiences[0] if claims.audiences else _STS


def _other_audience(claims: Claims) -> str:
    """What to add where the token is made for something other than STS."""
    if _STS in claims.audiences:
        return ""
    return f"; the usual audience is {_STS}: set it in the token's projected volume"
