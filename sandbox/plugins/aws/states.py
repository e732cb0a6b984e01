"""Build a resource's recorded outputs and inputs from the program's inputs and AWS's values."""

from collections.abc import Mapping
from typing import Any, Final

from sandbox.plugins.aws.check import DEFAULTS
from sandbox.plugins.aws.property_rule import Rule
from sandbox.plugins.aws.schema import Shape, Type
from sandbox.plugins.difference import Difference
from sandbox.plugins.values import UNKNOWN, PropertyMap, Secret, has_secret, keep_secrets

_MAP: Final = Type("map")  # tagsAll, missing in the SDK's inputs


def plain(value: Any) -> Any:
    """Return `value` without the bridge's lists of filled-in defaults, which are not outputs."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items() if key != DEFAULTS}
    return [plain(item) for item in value] if isinstance(value, list) else value


def outputs(rules: Mapping[str, Rule], known: PropertyMap, told: PropertyMap, region: str) -> PropertyMap:
    """Merge AWS's values `told` over the previous values `known` over defaults; no nulls."""
    defaults = {key: rule.default for key, rule in rules.items() if "." not in key}
    regional: PropertyMap = {"region": region} if "region" in rules else {}
    everything = {**defaults, **plain(known), **told, **regional}
    return {key: value for key, value in everything.items() if value is not None}


def foreseen(rules: Mapping[str, Rule], shape: Shape, inputs: PropertyMap) -> PropertyMap:
    """Return the outputs for the preview of a creation: the inputs, and UNKNOWN for values from AWS."""
    found: PropertyMap = {}
    for name in shape.outputs:
        rule = rules.get(name)
        if name in inputs:
            found[name] = plain(inputs[name])
        elif name not in shape.inputs or (rule and rule.computed):
            found[name] = UNKNOWN
    return found


def foreseen_change(old: PropertyMap, inputs: PropertyMap, change: Difference) -> PropertyMap:
    """Return the outputs for the preview of an update."""
    gone = {path[0] for path in change.changes if len(path) == 1 and inputs.get(str(path[0])) is None}
    kept = {key: value for key, value in old.items() if key not in gone}
    found = {**kept, **plain(inputs)}
    for one, other in (("subnets", "subnetMappings"), ("subnetMappings", "subnets")):
        if one in change.fields:  # customizeDiffLoadBalancerNLB: SetNewComputed
            found[other] = UNKNOWN
    return found


def inputs(
    rules: Mapping[str, Rule], shape: Shape, old: PropertyMap, found: PropertyMap, change: Difference
) -> PropertyMap:
    """Return the inputs for the resource as `found`.

    An unchanged property keeps the program's notation; without `old` inputs (an import) every value that is
    neither empty nor a default becomes an input.
    """
    if not old:
        return {
            key: found[key]
            for key in shape.inputs
            if found.get(key) not in (None, "", [], {}) and found[key] != _default(rules, key)
        } | {DEFAULTS: []}
    refreshed = {key: value for key, value in old.items() if key not in change.fields}
    for key in change.fields:
        if key in found:
            refreshed[key] = _like(shape.inputs.get(key, _MAP), old.get(key), found[key])
    return refreshed


def secured(rules: Mapping[str, Rule], found: PropertyMap, given: PropertyMap) -> PropertyMap:
    """Return `found` with secrets: sensitive properties, and values given as secrets by the program."""
    marked = keep_secrets(found, given)
    for key, rule in rules.items():
        if rule.sensitive and key in marked and not isinstance(marked[key], Secret):
            marked[key] = Secret(marked[key])
    if has_secret(given.get("tags")) and "tagsAll" in marked:
        marked["tagsAll"] = marked["tagsAll"] if has_secret(marked["tagsAll"]) else Secret(marked["tagsAll"])
    return marked


def _default(rules: Mapping[str, Rule], key: str) -> Any:
    return rules[key].default if key in rules else None


def _like(kind: Type, old: Any, found: Any) -> Any:
    """Return `found` with only the nested properties of `old`: the others were never the program's."""
    if kind.kind == "object" and isinstance(old, Mapping) and isinstance(found, Mapping):
        listed = {key: value for key, value in old.items() if key == DEFAULTS}
        kept = [key for key in old if key in found and key in kind.properties]
        return listed | {key: _like(kind.properties[key], old[key], found[key]) for key in kept}
    if kind.item and isinstance(old, list) and isinstance(found, list) and old:
        last = len(old) - 1
        return [_like(kind.item, old[min(index, last)], each) for index, each in enumerate(found)]
    return found
