"""The callers of the AWS API: users, sessions of roles and the sandbox's administrators, with their policies.

Signatures are not verified: the sandbox listens on loopback only, and proves the sufficiency of a policy, not
the correctness of a secret.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from moto.iam.models import iam_backends

from sandbox.cloud.client import ACCESS_KEY, DEPLOYER_KEY
from sandbox.cloud.errors import AwsError
from sandbox.cloud.policy import Call, Statement, Verdict, judge, statements_of
from sandbox.cloud.sessions import Sessions
from sandbox.layout import ACCOUNT

ADMINISTRATOR: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}


@dataclass(frozen=True, slots=True)
class Caller:
    """The principal of a request, and the statements of its policies."""

    arn: str
    user_id: str
    statements: tuple[Statement, ...]

    def authorise(self, call: Call, service: str) -> None:
        """Raise AccessDenied, worded for `service`, unless a policy allows the call on every resource."""
        for resource in call.resources:
            verdict = judge(self.statements, call, resource)
            if verdict is Verdict.DENIED:
                raise self._denied(
                    service, call, resource, "with an explicit deny in an identity-based policy"
                )
            if verdict is Verdict.SILENT:
                why = f"because no identity-based policy allows the {call.action} action"
                raise self._denied(service, call, resource, why)

    def _denied(self, service: str, call: Call, resource: str, why: str) -> AwsError:
        where = "" if resource == "*" else f" on resource: {resource}"
        code = "UnauthorizedOperation" if service == "ec2" else "AccessDenied"
        text = f"User: {self.arn} is not authorized to perform: {call.action}{where} {why}"
        return AwsError(code, text, 403)


class Iam:
    """The users, roles, keys and policies of the account, in moto's backend."""

    def __init__(self, sessions: Sessions) -> None:
        self._backend: Any = iam_backends[ACCOUNT]["aws"]
        self._sessions = sessions
        self.deployer_policy = ADMINISTRATOR

    def caller(self, access_key: str, token: str) -> Caller:
        """Return the caller of a key and session token.

        Raises AwsError: InvalidClientTokenId for an unknown or inactive key, ExpiredToken.
        """
        if session := self._sessions.find(access_key, token):
            role = self.role(session.role)
            in_force = _statements([role]) if role and role.id == session.role_id else ()
            return Caller(session.arn, session.user_id, tuple(in_force))
        administrators = {ACCESS_KEY: ADMINISTRATOR, DEPLOYER_KEY: self.deployer_policy}
        if access_key in administrators:
            statements = tuple(statements_of(administrators[access_key]))
            return Caller(f"arn:aws:iam::{ACCOUNT}:user/{access_key}", access_key.upper(), statements)
        for user in self._backend.users.values():
            for key in user.access_keys:
                if key.access_key_id == access_key and key.status == "Active":
                    holders = [user, *self._backend.get_groups_for_user(user.name)]
                    return Caller(user.arn, user.id, tuple(_statements(holders)))
        message = "The security token included in the request is invalid."
        raise AwsError("InvalidClientTokenId", message, 403)

    def role(self, name: str) -> Any:
        """Return moto's role by name; None if missing."""
        return next((role for role in self._backend.roles.values() if role.name == name), None)

    def role_of(self, arn: str) -> Any:
        """Return moto's role by ARN; None if missing."""
        return next((role for role in self._backend.roles.values() if role.arn == arn), None)

    def oidc_provider(self, issuer: str) -> Any:
        """Return moto's OpenID Connect provider of an issuer; None if missing."""
        return self._backend.open_id_providers.get(oidc_provider_arn(issuer))

    def role_of_profile(self, arn: str) -> Any:
        """Return moto's role in the instance profile with the ARN; None if missing."""
        for profile in self._backend.instance_profiles.values():
            if profile.arn == arn:
                return next(iter(profile.roles), None)
        return None

    def seed_role(self, name: str, trust: dict[str, Any]) -> None:
        """Create a role, and an instance profile of the same name with the role."""
        self._backend.create_role(name, json.dumps(trust), "/", None, "", [], "3600")
        self._backend.create_instance_profile(name, "/", [])
        self._backend.add_role_to_instance_profile(name, name)

    def seed_oidc_provider(self, issuer: str, audience: str) -> None:
        """Create the OpenID Connect provider of an issuer."""
        self._backend.create_open_id_connect_provider(issuer, [], [audience], [])


def oidc_provider_arn(issuer: str) -> str:
    """The ARN of the OpenID Connect provider of an issuer."""
    return f"arn:aws:iam::{ACCOUNT}:oidc-provider/{issuer.removeprefix('https://')}"


def trust_policy(role: Any) -> list[Statement]:
    """Return the statements of a role's trust policy."""
    return statements_of(json.loads(role.assume_role_policy_document))


def _statements(holders: list[Any]) -> Iterator[Statement]:
    for holder in holders:
        attached = (policy.versions for policy in holder.managed_policies.values())
        in_force = [one.document for versions in attached for one in versions if one.is_default]
        for document in (*holder.policies.values(), *in_force):
            yield from statements_of(json.loads(document))
