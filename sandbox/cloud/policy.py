"""The evaluation of IAM policy statements: identity-based policies and the trust policies of roles; pure.

Covered: Action, NotAction, Resource and NotResource with wildcards, Principal; StringEquals, StringLike and
their Not- and IfExists-forms on the condition keys of the call. An unsupported operator makes its condition
false: an Allow with such an operator allows nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from fnmatch import translate
from functools import cache
from re import IGNORECASE, Pattern
from re import compile as compile_pattern
from typing import Any

Statement = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """A request: `service:Action`, the ARNs (`*` if AWS has no resource level) and the Region.

    `context` has the values of further condition keys, with keys in lower case.
    """

    action: str
    resources: tuple[str, ...]
    region: str
    context: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def values(self, key: str) -> tuple[str, ...]:
        """Return the values of a condition key; empty if the request lacks the key."""
        return (self.region,) if key.lower() == "aws:requestedregion" else self.context.get(key.lower(), ())


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller in trust policies: kind `Federated`, `Service` or `AWS`, and its ARN or name."""

    kind: str
    name: str


class Verdict(Enum):
    """The combined result of a user's statements; an explicit Deny wins over any Allow."""

    ALLOWED = "allowed"
    DENIED = "explicit deny"
    SILENT = "implicit deny"


def judge(statements: Iterable[Statement], call: Call, resource: str) -> Verdict:
    """Return the verdict on a call for a single resource."""
    effects = {statement["Effect"] for statement in statements if _matches(statement, call, resource)}
    if "Deny" in effects:
        return Verdict.DENIED
    return Verdict.ALLOWED if "Allow" in effects else Verdict.SILENT


def trusts(statements: Iterable[Statement], principal: Principal, call: Call) -> bool:
    """Whether a role's trust policy lets `principal` make `call`; Deny wins."""
    effects = {
        statement["Effect"]
        for statement in statements
        if _names(statement.get("Principal", {}), principal)
        and _covers(statement, "Action", call.action, ignore_case=True)
        and _conditions_hold(statement, call)
    }
    return effects == {"Allow"}


def statements_of(document: dict[str, Any]) -> list[Statement]:
    """Return the statements of a policy document; a single statement may be without a list."""
    return _listed(document["Statement"])


def _matches(statement: Statement, call: Call, resource: str) -> bool:
    return (
        _covers(statement, "Action", call.action, ignore_case=True)
        and _covers(statement, "Resource", resource)
        and _conditions_hold(statement, call)
    )


def _names(element: Any, principal: Principal) -> bool:
    """Whether a Principal element names the principal; an account ARN or id stands for the whole account."""
    if element == "*":
        return True
    listed = _listed(element.get(principal.kind, []))
    account = principal.name.split(":")[4] if principal.kind == "AWS" else None
    return any(one in {"*", principal.name, account, f"arn:aws:iam::{account}:root"} for one in listed)


def _conditions_hold(statement: Statement, call: Call) -> bool:
    return all(_holds(operator, wanted, call) for operator, wanted in statement.get("Condition", {}).items())


def _covers(statement: Statement, element: str, value: str, *, ignore_case: bool = False) -> bool:
    """Whether Action or Resource (or the Not-form) of the statement covers a value."""
    if f"Not{element}" in statement:
        return not any(_like(one, value, ignore_case) for one in _listed(statement[f"Not{element}"]))
    return any(_like(one, value, ignore_case) for one in _listed(statement.get(element, [])))


def _holds(operator: str, wanted: dict[str, Any], call: Call) -> bool:
    """Whether a condition is fulfilled by the call's values."""
    name = operator.removesuffix("IfExists")
    if name not in {"StringEquals", "StringLike", "StringNotEquals", "StringNotLike"}:
        return False
    negated, wildcards = name.startswith("StringNot"), name.endswith("Like")
    for key, values in wanted.items():
        present, listed = call.values(key), _listed(values)
        if not present:
            if negated or operator.endswith("IfExists"):
                continue
            return False
        found = any(
            _like(one, value, False) if wildcards else one == value for one in listed for value in present
        )
        if found == negated:
            return False
    return True


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _like(pattern: str, value: str, ignore_case: bool) -> bool:
    return _compiled(pattern, ignore_case).fullmatch(value) is not None


@cache
def _compiled(pattern: str, ignore_case: bool) -> Pattern[str]:
    """Compile an IAM pattern: `*` and `?` are wildcards, brackets are literal."""
    return compile_pattern(translate(pattern.replace("[", "[[]")), IGNORECASE if ignore_case else 0)
