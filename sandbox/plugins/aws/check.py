"""Validate a resource's inputs and fill in the provider's defaults, without calls to AWS."""

import hashlib
import json
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sandbox.plugins.aws.cross_checks import CROSS_CHECKS, tag_problems
from sandbox.plugins.aws.property_rule import Rule, violation
from sandbox.plugins.aws.property_rules import RULES
from sandbox.plugins.aws.schema import Shape, Type
from sandbox.plugins.provider import Failure, Naming
from sandbox.plugins.values import PropertyMap, Unknown

DEFAULTS: Final = "__defaults"  # the bridge's list of filled-in properties (schema.go defaultsKey)
_RANDOM: Final = 7  # hexadecimal characters after the logical name (tfbridge names.go AutoName)

_WANTED: Final[Mapping[str, tuple[str, Any]]] = {
    "string": ("a string", str),
    "integer": ("a whole number", int),
    "number": ("a number", (int, float)),
    "boolean": ("a bool", bool),
    "list": ("a list", list),
    "map": ("a map", dict),
    "object": ("an object", dict),
}


@dataclass(slots=True)
class Checking:
    """A check in progress: the resource's type and logical name, the rules, and the failures so far.

    `hidden` are the top-level properties with secrets: messages must not quote the values.
    """

    token: str
    name: str
    rules: Mapping[str, Rule]
    hidden: frozenset[str] = frozenset()
    failures: list[Failure] = field(default_factory=list)

    def fail(self, where: str, problem: str) -> None:
        """Record a failure in the wording of the bridge, with an empty property."""
        path = f"{self.name}.{where}" if where else self.name
        if re.split(r"[.\[]", where, maxsplit=1)[0] in self.hidden:
            problem = "the value, a secret, is not one that this property takes"
        self.failures.append(Failure("", f"{problem}. Examine values at '{path}'."))


def check_inputs(checking: Checking, shape: Shape, news: PropertyMap) -> PropertyMap:
    """Return `news` (without secrets) with defaults filled in at every level; failures go to `checking`."""
    checked = _object(checking, Type("object", properties=shape.inputs), "", "", news)
    _combinations(checking, checked)
    if checking.failures:
        return checked
    cross = CROSS_CHECKS.get(checking.token)
    for where, problem in (*tag_problems(checking.token, checked), *(cross(checked) if cross else ())):
        checking.fail(where, problem)
    return checked


def automatic_name(checking: Checking, news: PropertyMap, olds: PropertyMap, naming: Naming) -> str:
    """Return the name for an unnamed resource: the previous name, or `<logical name>-<7 hex>`.

    Empty where the type has no name, the program gives a name or prefix, or the stack disables naming.
    """
    rule = checking.rules.get("name")
    if rule is None or not rule.autoname or any(_given(news, key) for key in ("name", *rule.conflicts)):
        return ""
    if "name" in olds.get(DEFAULTS, ()) and olds.get("name"):
        return str(olds["name"])
    if naming.mode == "disable":
        return ""
    if naming.mode in ("enforce", "propose") and naming.proposed:
        return naming.proposed
    prefix = f"{checking.name}-"
    if len(prefix) + _RANDOM > rule.autoname:
        checking.failures.append(
            Failure(
                "",
                f"could not make instance of '{checking.token}': name '{prefix}' plus {_RANDOM} random chars "
                f"is longer than maximum length {rule.autoname}; shorten the logical name",
            )
        )
        return ""
    if not naming.seed:
        return prefix + secrets.token_hex(4)[:_RANDOM]
    return prefix + hashlib.sha256(naming.seed + prefix.encode()).hexdigest()[:_RANDOM]


def snake(path: str) -> str:
    """Return the provider's spelling of a property: health_check.port for healthCheck.port."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", path).lower()


def rules_of(token: str) -> Mapping[str, Rule]:
    """Return the rules of a type."""
    return RULES[token]


def _given(news: Mapping[str, Any], key: str) -> bool:
    return news.get(key) is not None


def _object(checking: Checking, kind: Type, path: str, shown: str, value: Mapping[str, Any]) -> PropertyMap:
    checked: PropertyMap = {}
    for key, item in value.items():
        if item is None or key == DEFAULTS:
            continue
        where = f"{shown}.{key}" if shown else key
        if key not in kind.properties:
            checking.fail(where, "Invalid or unknown key")
            continue
        checked[key] = _value(checking, kind.properties[key], f"{path}.{key}" if path else key, where, item)
    filled = []
    for key in kind.properties:
        rule = checking.rules.get(f"{path}.{key}" if path else key)
        if rule is None or key in checked:
            continue
        if rule.required:
            missing = f'The argument "{snake(key)}" is required, but no definition was found.'
            checking.fail(f"{shown}.{key}" if shown else key, f"Missing required argument. {missing}")
        elif rule.default is not None:
            checked[key] = rule.default
            filled.append(key)
    checked[DEFAULTS] = filled
    return checked


def _value(checking: Checking, kind: Type, path: str, shown: str, value: Any) -> Any:
    if isinstance(value, Unknown):
        return value
    if kind.json and isinstance(value, dict | list):
        value = json.dumps(value, separators=(",", ":"))
    if not _fits(kind, value):
        checking.fail(shown, _mistyped(kind, path, value))
        return value
    rule = checking.rules.get(path)
    problem = violation(rule, value) if rule else ""
    if rule and rule.unsupported:
        checking.fail(shown, f'"{snake(path)}" is not supported by the offline provider')
    elif problem:
        checking.fail(shown, f'invalid value for "{snake(path)}": {problem}')
    if kind.kind == "object":
        return _object(checking, kind, path, shown, value)
    if kind.kind == "list":
        inside = path if kind.item and kind.item.kind == "object" else f"{path}.*"
        return [
            _value(checking, kind.item or Type("any"), inside, f"{shown}[{index}]", item)
            for index, item in enumerate(value)
        ]
    if kind.kind == "map":
        items = ((key, item) for key, item in value.items() if item is not None)
        return {
            key: _value(checking, kind.item or Type("any"), f"{path}.*", f"{shown}.{key}", item)
            for key, item in items
        }
    return value


def _fits(kind: Type, value: Any) -> bool:
    if kind.kind == "any":
        return True
    wanted = _WANTED[kind.kind][1]
    return isinstance(value, wanted) and not (isinstance(value, bool) and kind.kind != "boolean")


def _mistyped(kind: Type, path: str, value: Any) -> str:
    got = json.dumps(value, default=str)
    return (
        "Incorrect attribute value type. Inappropriate value for attribute "
        f'"{snake(path)}": {_WANTED[kind.kind][0]} is required, got {got[:80]}'
    )


def _combinations(checking: Checking, checked: PropertyMap) -> None:
    for key, problem in _conflicts(checking.rules, lambda name: _given(checked, name)):
        checking.fail(key, problem)


def _conflicts(rules: Mapping[str, Rule], given: Callable[[str], bool]) -> Iterator[tuple[str, str]]:
    for key, rule in rules.items():
        for other in rule.conflicts:
            if given(key) and given(other):
                yield (
                    key,
                    f'Conflicting configuration arguments. "{snake(key)}": conflicts with {snake(other)}',
                )
        if rule.exactly_one:
            count = sum(given(each) for each in rule.exactly_one)
            names = ",".join(snake(each) for each in rule.exactly_one)
            if count == 0:
                yield key, f"Missing required argument. one of `{names}` must be specified"
            elif count > 1:
                yield key, f"Invalid combination of arguments. only one of `{names}` can be specified"
