"""The trust policy that a refused token needs, by AWS's answer and the token's claims.

AWS does not name the failed condition: the claims are shown beside the conditions.
"""

from typing import Final

from syncer.elb.claims import Claims

_STS: Final = "sts.amazonaws.com"
_PODS: Final = "pods.eks.amazonaws.com"
_ARN_PARTS: Final = 6


def web_identity(code: str, message: str, claims: Claims, role_arn: str) -> str | None:
    """Return the cure for a refused AssumeRoleWithWebIdentity; None without an explanation in the claims."""
    parts = role_arn.split(":")
    partition, account = (parts[1], parts[4]) if len(parts) == _ARN_PARTS else ("aws", "ACCOUNT")
    provider = f"arn:{partition}:iam::{account}:oidc-provider/{claims.issuer_path}"
    if code in {"AccessDenied", "IDPRejectedClaim"}:
        return (
            f"the token has {claims}; the role {role_arn} must exist and its trust policy contain: "
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
    """Return the cure for EKS's error from the Pod Identity agent; None if the claims do not explain it."""
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
    """Return the additional cure for a token without STS as audience."""
    if _STS in claims.audiences:
        return ""
    return f"; the usual audience is {_STS}: set it in the token's projected volume"
