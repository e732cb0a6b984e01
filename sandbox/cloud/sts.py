"""STS: AssumeRoleWithWebIdentity, AssumeRole and GetCallerIdentity.

moto would return keys for any token and trust policy, so the calls do not reach moto. Codes and messages are
AWS's (API reference, AssumeRoleWithWebIdentity; messages from public reports:
aws-actions/configure-aws-credentials issues 280 and 775, aws-sdk-net issue 3071).
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from sandbox.cloud import tokens
from sandbox.cloud.errors import AwsError
from sandbox.cloud.iam import Caller, Iam, trust_policy
from sandbox.cloud.policy import Call, Principal, trusts
from sandbox.cloud.query import Structure
from sandbox.cloud.sessions import Session, Sessions
from sandbox.cloud.tokens import Jwk, MalformedTokenError, Token, UnverifiedTokenError
from sandbox.layout import ACCOUNT

_WEB: Final = "sts:AssumeRoleWithWebIdentity"
_ROLE_ARN: Final = re.compile(r"arn:aws:iam::\d{12}:role/.+")
_MALFORMED: Final = (
    "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)"
)
_LEAST_S, _DEFAULT_S = 900, 3600


class Sts:
    """STS and its sessions; `keys` returns the public keys of an issuer, or raises AwsError."""

    def __init__(self, iam: Iam, sessions: Sessions, keys: Callable[[str], Sequence[Jwk]]) -> None:
        self._iam = iam
        self._sessions = sessions
        self._keys = keys

    def assume_role_with_web_identity(self, params: Structure, region: str) -> Structure:
        """Return credentials of a role for a token of an issuer."""
        duration = _duration(params, self._iam.role_of(_role_arn(params)))
        token = self._verified(params["WebIdentityToken"])
        audience = self._known_audience(token)
        role = self._iam.role_of(params["RoleArn"])
        provider = self._iam.oidc_provider(token.issuer)
        prefix = token.issuer.removeprefix("https://").lower()
        context = {f"{prefix}:sub": (token.subject,), f"{prefix}:aud": token.audiences}
        call = Call(_WEB, (), region, context)
        if role is None or not trusts(trust_policy(role), Principal("Federated", provider.arn), call):
            raise AwsError("AccessDenied", f"Not authorized to perform {_WEB}", 403)
        session = self._sessions.start(role, params["RoleSessionName"], duration)
        return {
            **_result(session),
            "SubjectFromWebIdentityToken": token.subject,
            "Provider": provider.arn,
            "Audience": audience,
        }

    def assume_role(self, params: Structure, caller: Caller, region: str) -> Structure:
        """Return credentials of a role for a caller in its trust policy."""
        role = self._iam.role_of(_role_arn(params))
        duration = _duration(params, role)
        call = Call("sts:AssumeRole", (params["RoleArn"],), region)
        if role is None or not trusts(trust_policy(role), Principal("AWS", caller.arn), call):
            what = f"{call.action} on resource: {params['RoleArn']}"
            text = f"User: {caller.arn} is not authorized to perform: {what}"
            raise AwsError("AccessDenied", text, 403)
        return _result(self._sessions.start(role, params["RoleSessionName"], duration))

    def _verified(self, text: str) -> Token:
        """Return the token in `text` if signed by its issuer and not expired."""
        try:
            token = tokens.parse(text)
        except MalformedTokenError:
            raise AwsError("InvalidIdentityToken", _MALFORMED) from None
        if self._iam.oidc_provider(token.issuer) is None:
            message = f"No OpenIDConnect provider found in your account for {token.issuer}"
            raise AwsError("InvalidIdentityToken", message)
        try:
            token.verify(self._keys(token.issuer))
        except UnverifiedTokenError:
            message = (
                "Couldn't retrieve verification key from your identity provider, please reference "
                "AssumeRoleWithWebIdentity documentation for requirements"
            )
            raise AwsError("InvalidIdentityToken", message) from None
        now = int(self._sessions.clock())
        if token.expires <= now:
            when = f"current date/time {now} must be before the expiration date/time {token.expires}"
            message = f"Token expired: {when}"
            raise AwsError("ExpiredTokenException", message)
        return token

    def _known_audience(self, token: Token) -> str:
        """Return the audience of the token that is a client id of its provider."""
        known = self._iam.oidc_provider(token.issuer).client_id_list
        for audience in token.audiences:
            if audience in known:
                return audience
        raise AwsError("InvalidIdentityToken", "Incorrect token audience")


def identity(caller: Caller) -> Structure:
    """Return the result of GetCallerIdentity."""
    return {"UserId": caller.user_id, "Account": ACCOUNT, "Arn": caller.arn}


def _role_arn(params: Structure) -> str:
    arn = str(params["RoleArn"])
    if not _ROLE_ARN.fullmatch(arn):
        raise AwsError("ValidationError", f"{arn} is invalid")
    return arn


def _duration(params: Structure, role: Any) -> int:
    seconds = int(params.get("DurationSeconds", _DEFAULT_S))
    if seconds < _LEAST_S:
        message = (
            f"1 validation error detected: Value '{seconds}' at 'durationSeconds' failed to satisfy "
            f"constraint: Member must have value greater than or equal to {_LEAST_S}"
        )
        raise AwsError("ValidationError", message)
    if role is not None and seconds > int(role.max_session_duration or _DEFAULT_S):
        message = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
        raise AwsError("ValidationError", message)
    return seconds


def _result(session: Session) -> Structure:
    return {
        "Credentials": {
            "AccessKeyId": session.access_key,
            "SecretAccessKey": session.secret_key,
            "SessionToken": session.token,
            "Expiration": session.expiration,
        },
        "AssumedRoleUser": {"AssumedRoleId": session.user_id, "Arn": session.arn},
    }
