"""Who signs a request, and whether that user's policies allow it.

The signature itself is not verified: the sandbox listens on loopback, and what is proven here is that a
policy is sufficient, not that a secret is right. Only keys made through IAM CreateAccessKey are held to
policies; any key that IAM never made is the administrator.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import translate
from functools import cache
from re import IGNORECASE, Pattern
from re import compile as compile_pattern
from typing import Any

from moto.iam.models import iam_backends

from sandbox.cloud.errors import AwsError
from sandbox.layout import ACCOUNT


@dataclass(frozen=True, slots=True)
class User:
    """An IAM user on whose behalf a request is made."""

    name: str
    arn: str


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked: `service:Action`, on which ARNs (`*` where AWS has none), in which Region."""

    action: str
    resources: tuple[str, ...]
    region: str


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
            effects = {one["Effect"] for one in statements if _matches(one, call, resource)}
            if "Deny" in effects:
                raise _denied(
                    user, call.action, resource, "with an explicit deny in an identity-based policy"
                )
            if "Allow" not in effects:
                raise _denied(
                    user,
                    call.action,
                    resource,
                    f"because no identity-based policy allows the {call.action} action",
                )

    def _users(self) -> Iterator[Any]:
        yield from self._backend.users.values()

    def _statements(self, user: User) -> Iterator[dict[str, Any]]:
        held = next(one for one in self._users() if one.name == user.name)
        for holder in (held, *self._backend.get_groups_for_user(user.name)):
            attached = (policy.versions for policy in holder.managed_policies.values())
            in_force = [one.document for versions in attached for one in versions if one.is_default]
            for document in (*holder.policies.values(), *in_force):
                yield from _listed(json.loads(document)["Statement"])


def _denied(user: User, action: str, resource: str, why: str) -> AwsError:
    where = "" if resource == "*" else f" on resource: {resource}"
    code = "UnauthorizedOperation" if action.startswith("ec2:") else "AccessDenied"
    return AwsError(code, f"User: {user.arn} is not authorized to perform: {action}{where} {why}", 403)


def _matches(statement: dict[str, Any], call: Call, resource: str) -> bool:
    return (
        _covers(statement, "Action", call.action, ignore_case=True)
        and _covers(statement, "Resource", resource)
        and all(_holds(operator, wanted, call) for operator, wanted in statement.get("Condition", {}).items())
    )


def _covers(statement: dict[str, Any], element: str, value: str, *, ignore_case: bool = False) -> bool:
    """Whether Action or Resource (or their Not-form) of the statement covers a value."""
    if f"Not{element}" in statement:
        return not any(_like(one, value, ignore_case) for one in _listed(statement[f"Not{element}"]))
    return any(_like(one, value, ignore_case) for one in _listed(statement.get(element, [])))


def _holds(operator: str, wanted: dict[str, Any], call: Call) -> bool:
    """Whether a condition holds; only aws:RequestedRegion is known, other keys are absent from requests."""
    known = {"aws:requestedregion": call.region}
    for key, values in wanted.items():
        actual = known.get(key.lower())
        name = operator.removesuffix("IfExists")
        if actual is None:
            if operator.endswith("IfExists") or name.startswith("StringNot"):
                continue
            return False
        equal = any(_like(one, actual, False) for one in _listed(values))
        if name not in {"StringEquals", "StringLike", "StringNotEquals", "StringNotLike"}:
            return False
        if equal == name.startswith("StringNot"):
            return False
    return True


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _like(pattern: str, value: str, ignore_case: bool) -> bool:
    return _compiled(pattern, ignore_case).fullmatch(value) is not None


@cache
def _compiled(pattern: str, ignore_case: bool) -> Pattern[str]:
    """An IAM pattern: `*` and `?` are wildcards, brackets are themselves."""
    return compile_pattern(translate(pattern.replace("[", "[[]")), IGNORECASE if ignore_case else 0)
