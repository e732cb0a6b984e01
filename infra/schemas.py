"""Generated forms of the keys' declarations: the `config:` of Pulumi.yaml, and a JSON Schema for editors."""

import json
from collections.abc import Iterator
from typing import Any, Final

from .keys import ROOT
from .problems import NAMESPACE
from .shapes import REQUIRED, Entries, Optional, Record, Rows, Shape, Text, Whole, camel

# A value written by `pulumi config set --secret`.
SECURE: Final = {
    "type": "object",
    "properties": {"secure": {"type": "string"}},
    "required": ["secure"],
    "additionalProperties": False,
}


def project_config() -> str:
    """Return the body of `config:` in Pulumi.yaml: the CLI refuses wrong types before the program runs."""
    return "".join(line for name, shape in ROOT.fields.items() for line in project_key(camel(name), shape))


def project_key(name: str, shape: Shape) -> Iterator[str]:
    """Yield the lines of a key. An object has no inner types: the program checks the content."""
    inner = shape.inner if isinstance(shape, Optional) else shape
    yield f"  {name}:\n    type: {inner.kind}\n"
    if isinstance(inner, Rows):
        yield f"    items: {{type: {inner.item.kind}}}\n"
    yield f"    description: {json.dumps(inner.reason)}\n"
    if not needed(shape):
        default = {} if isinstance(inner, Record) else shape.default
        yield f"    default: {json.dumps(default)}\n"


def needed(shape: Shape) -> bool:
    """Return whether the key is required: no default, or an object with a required key inside."""
    inside = shape.fields.values() if isinstance(shape, Record) else ()
    return shape.default is REQUIRED or any(needed(each) for each in inside)


def editor_schema() -> str:
    """Return the JSON Schema of a Pulumi.<stack>.yaml, as text."""
    keys = {f"{NAMESPACE}:{camel(name)}": schema_of(shape) for name, shape in ROOT.fields.items()}
    required = [f"{NAMESPACE}:{camel(name)}" for name, shape in ROOT.fields.items() if needed(shape)]
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Stack configuration of {NAMESPACE}",
        "type": "object",
        "properties": {
            "config": {
                "type": "object",
                "properties": keys,
                "required": required,
                "patternProperties": {f"^(?!{NAMESPACE}:)[^:]+:": {}},
                "additionalProperties": False,
            }
        },
        "required": ["config"],
    }
    return json.dumps(document, indent=2) + "\n"


def schema_of(shape: Shape) -> dict[str, Any]:
    """Return the schema of a key's value, with description and default."""
    inner = shape.inner if isinstance(shape, Optional) else shape
    schema: dict[str, Any] = {"description": inner.reason} if inner.reason else {}
    if not needed(shape) and shape.default is not None and not isinstance(inner, Record):
        schema["default"] = shape.default
    values = values_of(inner)
    if isinstance(shape, Optional) and shape.default is not None:  # null differs from an absent key
        values = {"anyOf": [values, {"type": "null"}]}
    return schema | values


def values_of(shape: Shape) -> dict[str, Any]:
    """Return the allowed values."""
    if isinstance(shape, Record):
        return {
            "type": "object",
            "properties": {camel(name): schema_of(each) for name, each in shape.fields.items()},
            "required": [camel(name) for name, each in shape.fields.items() if needed(each)],
            "additionalProperties": False,
        }
    if isinstance(shape, Rows):
        return {"type": "array", "items": schema_of(shape.item), "minItems": shape.least}
    if isinstance(shape, Entries):
        return {
            "type": "object",
            "propertyNames": {"pattern": f"^(?:{shape.key_pattern})$"},
            "additionalProperties": schema_of(shape.item),
            "minProperties": shape.least,
        }
    if isinstance(shape, Whole):
        return {"type": "integer", "minimum": shape.low, "maximum": shape.high}
    if isinstance(shape, Text):
        tests = {"enum": list(shape.choices)} if shape.choices else {"pattern": f"^(?:{shape.pattern})$"}
        text: dict[str, Any] = {"type": "string", **tests}
        if shape.number:
            text = {"anyOf": [text, {"type": "integer", "minimum": 1, "maximum": 65535}]}
        return {"anyOf": [text, SECURE]} if shape.output else text
    return {"type": shape.kind}
