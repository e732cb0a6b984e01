"""Compare a program's inputs with a resource: the changes, and the changes that replace the resource."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sandbox.plugins.aws.check import DEFAULTS
from sandbox.plugins.aws.property_rule import Rule
from sandbox.plugins.aws.schema import Shape, Type
from sandbox.plugins.difference import Change, Difference, Path, without
from sandbox.plugins.values import PropertyMap, Unknown, has_unknown

_Changes = Iterator[tuple[Path, Change]]

_NO_RULE: Final = Rule(source="")
_PROTOCOL_NAMES: Final = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6", "all": "-1"}
_SOURCES: Final = ("cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId")


@dataclass(frozen=True, slots=True)
class _Comparison:
    """A diff in progress: the rules of the type, and the old and new top-level values used by the rules."""

    rules: Mapping[str, Rule]
    old: Mapping[str, Any]
    new: Mapping[str, Any]

    def rule(self, path: Path) -> Rule:
        """Return the table's rule for a property path, without indexes into lists."""
        return self.rules.get(".".join(str(part) for part in path if not isinstance(part, int)), _NO_RULE)

    def counts(self, rule: Rule) -> bool:
        """Return whether a change of the property is relevant (DiffSuppressFunc)."""
        if rule.only_for is None:
            return True
        key, values = rule.only_for
        path = key.split(".")
        current = _at(self.new, path)
        if current is None:
            current = _at(self.old, path)
        return current in values or isinstance(current, Unknown)


def difference(
    token: str,
    rules: Mapping[str, Rule],
    shape: Shape,
    *,
    old: PropertyMap,
    new: PropertyMap,
    ignored: Sequence[str] = (),
) -> Difference:
    """Compare the recorded outputs `old` with the checked inputs `new` (both without secrets)."""
    comparison = _Comparison(rules, old, new)
    top = Type("object", properties={**shape.inputs, "tagsAll": Type("map", item=Type("string"))})
    changes = without(dict(_object(comparison, top, (), old, new)), ignored)
    forced = _FORCED[token](old, new, changes) if token in _FORCED else frozenset()
    replaces = frozenset(path for path in changes if path[0] in forced or comparison.rule(path).immutable)
    return Difference(
        changes=changes,
        replaces=replaces,
        delete_before_replace=bool(replaces) and _names_itself(rules, new),
        stables=tuple(sorted(key for key, rule in rules.items() if rule.immutable and "." not in key)),
    )


def _at(values: Any, path: Sequence[str]) -> Any:
    for key in path:
        values = values.get(key) if isinstance(values, Mapping) else values
    return values


def _names_itself(rules: Mapping[str, Rule], new: PropertyMap) -> bool:
    """Return whether the program fixes the name, so that old and new cannot exist at once.

    tfbridge schema.go nameRequiresDeleteBeforeReplace.
    """
    named = "name" in rules and rules["name"].autoname and new.get("name") is not None
    return bool(named and "name" not in (new.get(DEFAULTS) or ()))


def _object(comparison: _Comparison, kind: Type, path: Path, old: Any, new: Any) -> _Changes:
    before = old if isinstance(old, Mapping) else {}
    for key, inner in kind.properties.items():
        rule = comparison.rule((*path, key))
        if not comparison.counts(rule):
            continue
        if new.get(key) is not None:
            yield from _value(comparison, inner, (*path, key), before.get(key), new[key])
        elif not rule.computed and not _blank(before.get(key)):
            yield (*path, key), Change.DELETE


def _value(comparison: _Comparison, kind: Type, path: Path, old: Any, new: Any) -> _Changes:
    rule = comparison.rule(path)
    if isinstance(new, Unknown):
        yield path, Change.ADD if old is None else Change.UPDATE
    elif kind.kind == "object":
        yield from _object(comparison, kind, path, old, new)
    elif kind.kind == "map":
        before = old if isinstance(old, Mapping) else {}
        for key in sorted({*before, *new} - {DEFAULTS}):
            yield from _scalar(rule, (*path, key), before.get(key), new.get(key))
    elif kind.kind == "list":
        compare = _set if rule.unordered else _list
        items = old if isinstance(old, list) else []
        yield from compare(comparison, kind.item or Type("any"), path, items, new)
    else:
        yield from _scalar(rule, path, old, new)


def _list(comparison: _Comparison, item: Type, path: Path, old: list[Any], new: list[Any]) -> _Changes:
    for index in range(max(len(old), len(new))):
        if index >= len(new):
            yield (*path, index), Change.DELETE
        elif index >= len(old):
            yield (*path, index), Change.ADD
        else:
            yield from _value(comparison, item, (*path, index), old[index], new[index])


def _set(comparison: _Comparison, item: Type, path: Path, old: list[Any], new: list[Any]) -> _Changes:
    """Compare sets without an order: an item without an equal on the other side is a change."""
    unmatched = list(range(len(old)))
    added = []
    for index, value in enumerate(new):
        where = (*path, index)
        same = (each for each in unmatched if not any(_value(comparison, item, where, old[each], value)))
        match = next(same, None)
        if match is None:
            added.append(index)
        else:
            unmatched.remove(match)
    for index in added:
        yield (*path, index), Change.UPDATE if index in unmatched else Change.ADD
    for index in unmatched:
        if index not in added:
            yield (*path, index), Change.DELETE


def _scalar(rule: Rule, path: Path, old: Any, new: Any) -> _Changes:
    if isinstance(new, Unknown):
        yield path, Change.ADD if old is None else Change.UPDATE
    elif new is None:
        yield path, Change.DELETE
    elif old is None:
        if not _blank(new):
            yield path, Change.ADD
    elif _plain(rule, old) != _plain(rule, new) or isinstance(old, bool) != isinstance(new, bool):
        yield path, Change.UPDATE


def _plain(rule: Rule, value: Any) -> Any:
    if rule.form.endswith("policy") and isinstance(value, str):
        return _policy(value)
    if rule.form == "ip-protocol" and isinstance(value, str):
        return _PROTOCOL_NAMES.get(value.lower(), value.lower())
    if rule.form == "dns-name" and isinstance(value, str):
        return value.lower().removesuffix(".")
    return value.upper() if rule.ignore_case and isinstance(value, str) else value


def _policy(text: str) -> Any:
    """Normalize a policy document: equivalent documents become equal (awspolicy.PoliciesAreEquivalent)."""
    try:
        return _policy_part(json.loads(text))
    except ValueError:
        return text


def _policy_part(part: Any, key: str = "") -> Any:
    if key == "Statement" and isinstance(part, dict):
        part = [part]
    if isinstance(part, dict):
        return {name: _policy_part(value, name) for name, value in part.items()}
    if isinstance(part, list):
        items = [_policy_part(each) for each in part]
        if len(items) == 1 and key != "Statement":
            return items[0]
        return sorted(items, key=lambda each: json.dumps(each, sort_keys=True))
    return part


def _blank(value: Any) -> bool:
    """Return whether a value is zero or absent; terraform-plugin-sdk v2 does not distinguish the two."""
    if isinstance(value, Mapping):
        return all(_blank(each) for key, each in value.items() if key != DEFAULTS)
    return value is None or value in ("", 0, False) or value == []


def _load_balancer(
    old: Mapping[str, Any], new: Mapping[str, Any], changes: Mapping[Path, Change]
) -> frozenset[str]:
    """elbv2/load_balancer.go customizeDiffLoadBalancerNLB.

    In place: only added subnets and another choice of security groups; not from 0 to n groups or back.
    """
    if old.get("loadBalancerType") != "network":
        return frozenset()
    changed = {str(path[0]) for path in changes}
    forced: set[str] = set()
    for key in ("subnetMappings", "subnets"):
        if key in changed and not has_unknown(new.get(key)):
            kept = not any(
                change in (Change.UPDATE, Change.DELETE) for path, change in changes.items() if path[0] == key
            )
            grown = len(new.get(key) or ()) > len(old.get(key) or ())
            if not (grown and (kept or key == "subnets")):
                forced.add(key)
    groups = new.get("securityGroups")
    if (
        "securityGroups" in changed
        and not has_unknown(groups)
        and bool(old.get("securityGroups")) != bool(groups)
    ):
        forced.add("securityGroups")
    return frozenset(forced)


def _security_group_rule(
    old: Mapping[str, Any], new: Mapping[str, Any], _changes: Mapping[Path, Change]
) -> frozenset[str]:
    """ec2/vpc_security_group_ingress_rule.go ModifyPlan: the kind of a rule's source never changes."""
    before = {key for key in _SOURCES if old.get(key) is not None}
    after = {key for key in _SOURCES if new.get(key) is not None}
    return frozenset(before | after) if before != after else frozenset()


_Forced = Callable[[Mapping[str, Any], Mapping[str, Any], Mapping[Path, Change]], frozenset[str]]
_FORCED: Final[Mapping[str, _Forced]] = {
    "aws:lb/loadBalancer:LoadBalancer": _load_balancer,
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _security_group_rule,
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": _security_group_rule,
}
