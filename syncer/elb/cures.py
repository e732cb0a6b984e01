"""Translate errors of a source of credentials into a CredentialsError that names the cure."""

from typing import Final

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnectionError

from syncer.elb import trust
from syncer.elb.claims import Claims
from syncer.errors import CredentialsError

# Calls of botocore's own clients during the fetch of credentials. Their errors have ELB's codes.
CREDENTIAL_OPERATIONS: Final = frozenset(
    {
        *("AssumeRole", "AssumeRoleWithWebIdentity", "AssumeRoleWithSAML", "GetSessionToken"),
        *("GetFederationToken", "GetRoleCredentials", "CreateToken", "CreateOAuth2Token"),
    }
)
_STS: Final = (
    "allow connections to STS: TCP 443, in a private network a VPC endpoint com.amazonaws.REGION.sts"
)
_TRUST: Final = (
    "allow sts:AssumeRoleWithWebIdentity for this ServiceAccount in the role's trust policy (`sub` is "
    "system:serviceaccount:NAMESPACE:NAME, `aud` is sts.amazonaws.com), and check the annotation "
    "eks.amazonaws.com/role-arn of the ServiceAccount"
)
_PROVIDER: Final = "create the IAM OIDC provider of the cluster's issuer, with the audience sts.amazonaws.com"
_AGENT: Final = (
    "check the Pod Identity association of the ServiceAccount, that its role trusts pods.eks.amazonaws.com, "
    "and that the add-on eks-pod-identity-agent runs on this node"
)
_METADATA: Final = (
    "check the node's instance profile, and the hop limit of its instance metadata (2 where Pods call it)"
)
_PROFILE: Final = "correct the profile (AWS_PROFILE) in AWS_CONFIG_FILE or AWS_SHARED_CREDENTIALS_FILE"
# Errors of the configuration itself: a change of a trust policy is no cure.
_OF_THE_PROFILE: Final = frozenset({"InfiniteLoopConfigError", "InvalidConfigError", "MfaError"})
# By botocore's name of the provider.
_CURES: Final = {
    "assume-role-with-web-identity": (
        "check AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE, which the annotation "
        "eks.amazonaws.com/role-arn of the ServiceAccount sets in a new Pod"
    ),
    "assume-role": "allow sts:AssumeRole in the role's trust policy and in the policy of the source "
    "credentials",
    "sso": "log in with `aws sso login`",
    "login": "log in with `aws login`",
    "container-role": _AGENT,
    "iam-role": _METADATA,
    "custom-process": "run the profile's credential_process in a shell and correct it",
    "env": "correct AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN",
    "explicit": "correct AWS_ACCESS_KEY and AWS_SECRET_KEY",
}
# Errors of STS for a web identity ("AssumeRoleWithWebIdentity", errors, in its API reference).
_CODES: Final = {
    "AccessDenied": _TRUST,
    "InvalidIdentityToken": _PROVIDER,
    "IDPRejectedClaim": _TRUST,
    "IDPCommunicationError": "allow STS to reach the issuer's keys; the syncer repeats the call",
    "ExpiredTokenException": "check that the kubelet renews the token file, and this machine's clock",
    "RegionDisabledException": "activate STS for this Region in the account's settings, or set AWS_REGION",
    "ValidationError": "correct AWS_ROLE_ARN",
}


def none_found() -> CredentialsError:
    """Return the failure of a chain without any credentials."""
    message = (
        "no source has credentials; give the Pod a role (a Pod Identity association, or the annotation "
        "eks.amazonaws.com/role-arn on its ServiceAccount), or set AWS_ACCESS_KEY_ID and "
        f"AWS_SECRET_ACCESS_KEY; for the role of the node: {_METADATA}"
    )
    return CredentialsError("AWS credentials", "NoCredentials", message)


def malformed(method: str, what: str, why: str) -> CredentialsError:
    """Return the failure of a key that is invalid in a request; the message omits the key."""
    return CredentialsError(_from(method), "MalformedKey", f"the {what} {why}; {_cure(method)}")


def credentials_fault(
    method: str, error: Exception, claims: Claims | None = None, role_arn: str = ""
) -> CredentialsError:
    """Return the failure for `error`; `method` is botocore's name of the provider, "" if unknown.

    `claims` are from the Pod's token and `role_arn` is the requested role, if known.
    """
    if isinstance(error, ClientError):
        details = error.response.get("Error", {})
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", "Unknown")
        code = details.get("Code") or str(status)
        message = _one_line(details.get("Message", ""))
        cure = _cure(method or _method_of(error.operation_name))
        if error.operation_name == "AssumeRoleWithWebIdentity":
            named = trust.web_identity(code, message, claims, role_arn) if claims else None
            cure = named or _CODES.get(code) or cure
        return CredentialsError(_from(method), code, f"{error.operation_name}: {message}; {cure}")
    code = type(error).__name__
    if method == "container-role" and claims and (named := trust.pod_identity(str(error), claims)):
        return CredentialsError(_from(method), code, f"{_one_line(str(error))}; {named}")
    if isinstance(error, OSError) and error.filename:
        why = (error.strerror or code).lower()
        return CredentialsError(_from(method), code, f"cannot read {error.filename}: {why}; {_cure(method)}")
    if code in _OF_THE_PROFILE:
        return CredentialsError(_from(method), code, f"{_one_line(str(error))}; {_PROFILE}")
    far = isinstance(error, NoConnectionError | HTTPClientError) and method not in _NEAR
    return CredentialsError(_from(method), code, f"{_one_line(str(error))}; {_STS if far else _cure(method)}")


# Providers without requests over the wider network.
_NEAR: Final = frozenset({"container-role", "iam-role", "custom-process", "env"})


def _method_of(operation: str) -> str:
    """Return the provider of such a call."""
    return {"GetRoleCredentials": "sso", "CreateToken": "sso", "AssumeRole": "assume-role"}.get(operation, "")


def _from(method: str) -> str:
    return f"AWS credentials ({method})" if method else "AWS credentials"


def _cure(method: str) -> str:
    return _CURES.get(method, _PROFILE)


def _one_line(text: str) -> str:
    return " ".join(text.split())
