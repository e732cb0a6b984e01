"""What IAM policy statements say of a call: the evaluation of identity-based policies, pure.

Covered: Action, NotAction, Resource and NotResource with wildcards; StringEquals, StringLike and their Not-
and IfExists-forms on aws:RequestedRegion. Any other operator does not hold, so that an Allow which the
sandbox cannot judge allows nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from fnmatch import translate
from functools import cache
from re import IGNORECASE, Pattern
from re import compile as compile_pattern
from typing import Any

Statement = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked: `service:Action`, on which ARNs (`*` where AWS has none), in which Region."""

    action: str
    resources: tuple[str, ...]
    region: str


class Verdict(Enum):
    """What the statements of a user say together; an explicit Deny wins over any Allow."""

    ALLOWED = "allowed"
    DENIED = "explicit deny"
    SILENT = "implicit deny"


def judge(statements: Iterable[Statement], call: Call, resource: str) -> Verdict:
    """The verdict on a call for one of its resources."""
    effects = {statement["Effect"] for statement in statements if _matches(statement, call, resource)}
    if "Deny" in effects:
        return Verdict.DENIED
    return Verdict.ALLOWED if "Allow" in effects else Verdict.SILENT


def statements_of(document: dict[str, Any]) -> list[Statement]:
    """The statements of a policy document, which may hold a single one bare."""
    return _listed(document["Statement"])


def _matches(statement: Statement, call: Call, resource: str) -> bool:
    return (
        _covers(statement, "Action", call.action, ignore_case=True)
        and _covers(statement, "Resource", resource)
        and all(_holds(operator, wanted, call) for operator, wanted in statement.get("Condition", {}).items())
    )


def _covers(statement: Statement, element: str, value: str, *, ignore_case: bool = False) -> bool:
    """Whether Action or Resource (or their Not-form) of the statement covers a value."""
    if f"Not{element}" in statement:
        return not any(_like(one, value, ignore_case) for one in _listed(statement[f"Not{element}"]))
    return any(_like(one, value, ignore_case) for one in _listed(statement.get(element, [])))


def _holds(operator: str, wanted: dict[str, Any], call: Call) -> bool:
    """Whether a condition holds; keys other than aws:RequestedRegion are absent from every request."""
    name = operator.removesuffix("IfExists")
    if name not in {"StringEquals", "StringLike", "StringNotEquals", "StringNotLike"}:
        return False
    negated, wildcards = name.startswith("StringNot"), name.endswith("Like")
    for key, values in wanted.items():
        if key.lower() != "aws:requestedregion":
            if negated or operator.endswith("IfExists"):
                continue
            return False
        listed = _listed(values)
        found = any(_like(one, call.region, False) for one in listed) if wildcards else call.region in listed
        if found == negated:
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
