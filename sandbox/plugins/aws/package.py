"""The package schema of the offline AWS provider, for program checks by Pulumi's YAML host."""

from collections.abc import Mapping
from typing import Any, Final

from sandbox.plugins.aws.schema import FUNCTIONS, PROVIDER, RESOURCES, Shape, Type

_ANY: Final = {"$ref": "pulumi.json#/Any"}
# `aws:ec2/securityGroup:SecurityGroup` is `aws:ec2:SecurityGroup` in programs.
_MODULES: Final = "(.*)(?:/[^/]*)"


def package_schema(version: str, shapes: Mapping[str, Shape]) -> dict[str, Any]:
    """Describe every type and function of `shapes` like the official package of this version.

    An output without an input of the same name has the type Any: the offline provider has only the names of
    such outputs.
    """
    types: dict[str, Any] = {}
    return {
        "name": "aws",
        "version": version,
        "meta": {"moduleFormat": _MODULES},
        "provider": {"inputProperties": _properties(shapes[PROVIDER].inputs, PROVIDER, types)},
        "resources": {token: _resource(shapes[token], token, types) for token in RESOURCES},
        "functions": {token: _function(shapes[token], token, types) for token in FUNCTIONS},
        "types": types,
    }


def _resource(shape: Shape, token: str, types: dict[str, Any]) -> dict[str, Any]:
    inputs = _properties(shape.inputs, token, types)
    return {
        "inputProperties": inputs,
        "requiredInputs": sorted(shape.required),
        "properties": {name: inputs.get(name, _ANY) for name in shape.outputs},
    }


def _function(shape: Shape, token: str, types: dict[str, Any]) -> dict[str, Any]:
    inputs = _properties(shape.inputs, token, types)
    return {
        "inputs": {"type": "object", "properties": inputs},
        "outputs": {"type": "object", "properties": {name: inputs.get(name, _ANY) for name in shape.outputs}},
    }


def _properties(properties: Mapping[str, Type], owner: str, types: dict[str, Any]) -> dict[str, Any]:
    return {name: _spec(each, _nested(owner, name), types) for name, each in properties.items()}


def _spec(of: Type, token: str, types: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a type; an object is stored in `types` under `token` and referenced."""
    if of.kind == "any":
        return _ANY
    if of.kind == "object":
        types[token] = {"type": "object", "properties": _properties(of.properties, token, types)}
        return {"$ref": f"#/types/{token}"}
    if of.item is None:
        return {"type": of.kind}
    inner = _spec(of.item, token, types)
    return (
        {"type": "array", "items": inner}
        if of.kind == "list"
        else {"type": "object", "additionalProperties": inner}
    )


def _nested(owner: str, name: str) -> str:
    """Return the token of the type of property `name`, such as `aws:lb/LoadBalancerSubnetMappings:…`."""
    module, _, kind = owner.removeprefix("pulumi:").partition(":")[2].rpartition(":")
    own = f"{kind}{name[0].upper()}{name[1:]}"
    return f"aws:{module.partition('/')[0]}/{own}:{own}"
