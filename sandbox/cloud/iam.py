"""Who signs a request, and whether that user's policies allow it.

The signature itself is not verified: the sandbox listens on loopback, and what is proven here is that a
policy is sufficient, not that a secret is right. Only keys made through IAM CreateAccessKey are held to
policies; any key that IAM never made is the administrator.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from moto.iam.models import iam_backends

from sandbox.cloud.errors import AwsError
from sandbox.cloud.policy import Call, Statement, Verdict, judge, statements_of
from sandbox.layout import ACCOUNT


@dataclass(frozen=True, slots=True)
class User:
    """An IAM user on whose behalf a request is made."""

    name: str
    arn: str


class Iam:
    """The users, keys and policies of the account, kept by moto."""

    def __init__(self) -> None:
        self._backend: Any = iam_backends[ACCOUNT]["aws"]
        self._made: set[str] = set()

    def notice_keys(self) -> None:
        """Remember every key there is, so that a deleted one is not taken for the administrator's."""
        self._made.update(key.access_key_id for user in self._users() for key in user.access_keys)

    def caller(self, access_key: str) -> User | None:
        """The user of a key, None for the administrator; raises InvalidClientTokenId for a dead key."""
        for user in self._users():
            for key in user.access_keys:
                if key.access_key_id == access_key and key.status == "Active":
                    return User(user.name, user.arn)
        if access_key in self._made:
            raise AwsError(
                "InvalidClientTokenId", "The security token included in the request is invalid.", 403
            )
        return None

    def authorise(self, user: User, call: Call) -> None:
        """Raise AccessDenied unless a policy of the user allows the call on every resource; Deny wins."""
        statements = list(self._statements(user))
        for resource in call.resources:
            verdict = judge(statements, call, resource)
            if verdict is Verdict.DENIED:
                raise _denied(user, call, resource, "with an explicit deny in an identity-based policy")
            if verdict is Verdict.SILENT:
                why = f"because no identity-based policy allows the {call.action} action"
                raise _denied(user, call, resource, why)

    def _users(self) -> Iterator[Any]:
        yield from self._backend.users.values()

    def _statements(self, user: User) -> Iterator[Statement]:
        held = next(one for one in self._users() if one.name == user.name)
        for holder in (held, *self._backend.get_groups_for_user(user.name)):
            attached = (policy.versions for policy in holder.managed_policies.values())
            in_force = [one.document for versions in attached for one in versions if one.is_default]
            for document in (*holder.policies.values(), *in_force):
                yield from statements_of(json.loads(document))


def _denied(user: User, call: Call, resource: str, why: str) -> AwsError:
    where = "" if resource == "*" else f" on resource: {resource}"
    code = "UnauthorizedOperation" if call.action.startswith("ec2:") else "AccessDenied"
    return AwsError(code, f"User: {user.arn} is not authorized to perform: {call.action}{where} {why}", 403)
