"""Convert property values between the engine's wire form (protobuf Struct) and Python.

The wire form is from pulumi sdk/go/common/resource/plugin/rpc.go and sig/sig.go (v3.250.0): unknowns are
sentinel strings, and secrets, assets, archives, references and outputs are objects with a signature key.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sandbox.plugins.protocol import struct_pb2

PropertyMap = dict[str, Any]

_SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
_SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - a marker
_ASSET: Final = "c44067f5952c0a294b673a41bacd8c17"
_ARCHIVE: Final = "0def7320c3a5731c473e5ecbe6d01bc7"
_REFERENCE: Final = "5cf8f73096256a8f31e491e813e4eb8e"
_OUTPUT: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
_UNKNOWN_STRING: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_UNKNOWNS: Final = frozenset(
    {
        _UNKNOWN_STRING,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # bool
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # number
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # array
        "030794c1-ac77-496b-92df-f27374a8bd58",  # asset
        "e48ece36-62e2-4504-bad9-02848725956a",  # archive
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # object
    }
)


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value known only after the creation of a resource of the same preview."""


UNKNOWN: Final = Unknown()


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that the engine encrypts in the state and hides in the output."""

    value: Any


@dataclass(frozen=True, slots=True)
class Asset:
    """A file or an archive, as described by the engine (hash, path, text, uri or assets)."""

    archive: bool
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ResourceReference:
    """Another resource passed as a value; `id` is UNKNOWN in the preview of its creation."""

    urn: str
    id: Any = None
    version: str = ""


def decode(struct: Any) -> PropertyMap:
    """Return the Python values of a protobuf Struct; whole numbers become `int`."""
    return {key: _decode(value) for key, value in struct.fields.items()}


def encode(properties: Mapping[str, Any]) -> Any:
    """Return the protobuf Struct of Python values."""
    struct = struct_pb2.Struct()
    struct.update({key: _encode(value) for key, value in properties.items()})
    return struct


def reveal(value: Any) -> Any:
    """Replace every Secret in `value` by its content."""
    return _rewrite(value, lambda leaf: reveal(leaf.value) if isinstance(leaf, Secret) else leaf)


def has_unknown(value: Any) -> bool:
    """Return whether `value` contains an unknown."""
    return _any(value, lambda leaf: isinstance(leaf, Unknown))


def has_secret(value: Any) -> bool:
    """Return whether `value` contains a secret."""
    return _any(value, lambda leaf: isinstance(leaf, Secret))


def keep_secrets(outputs: Mapping[str, Any], inputs: Mapping[str, Any]) -> PropertyMap:
    """Return `outputs`; secret are values whose input of the same path holds a secret.

    The engine does the same for providers without support for secrets (provider_plugin.go annotateSecrets).
    """
    marked: PropertyMap = dict(outputs)
    for key, given in inputs.items():
        if key not in marked or isinstance(marked[key], Secret):
            continue
        if isinstance(marked[key], Mapping) and isinstance(given, Mapping):
            marked[key] = keep_secrets(marked[key], given)
        elif has_secret(given):
            marked[key] = Secret(marked[key])
    return marked


def _decode(value: Any) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return _decode_object(decode(value.struct_value))
    if kind == "list_value":
        return [_decode(item) for item in value.list_value.values]
    if kind == "string_value":
        return UNKNOWN if value.string_value in _UNKNOWNS else value.string_value
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    return value.bool_value if kind == "bool_value" else None


def _decode_object(fields: PropertyMap) -> Any:
    signature = fields.get(_SIGNATURE)
    if signature is None:
        return fields
    if signature == _SECRET:
        return Secret(fields["value"])
    if signature == _OUTPUT:
        value = fields.get("value", UNKNOWN)
        return Secret(value) if fields.get("secret") else value
    if signature == _REFERENCE:
        ident = fields.get("id")
        return ResourceReference(
            fields["urn"], UNKNOWN if ident == "" else ident, fields.get("packageVersion", "")
        )
    if signature in (_ASSET, _ARCHIVE):
        rest = {key: value for key, value in fields.items() if key != _SIGNATURE}
        return Asset(signature == _ARCHIVE, rest)
    raise ValueError(f"a value has the signature {signature}, which this provider does not know")


def _encode(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _encode(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_encode(item) for item in value]
    if isinstance(value, Unknown):
        return _UNKNOWN_STRING
    if isinstance(value, Secret):
        return {_SIGNATURE: _SECRET, "value": _encode(value.value)}
    if isinstance(value, Asset):
        return {_SIGNATURE: _ARCHIVE if value.archive else _ASSET, **_encode(value.fields)}
    if isinstance(value, ResourceReference):
        return _encode_reference(value)
    return value


def _encode_reference(value: ResourceReference) -> dict[str, Any]:
    wire = {_SIGNATURE: _REFERENCE, "urn": value.urn}
    if value.id is not None:
        wire["id"] = "" if isinstance(value.id, Unknown) else value.id
    if value.version:
        wire["packageVersion"] = value.version
    return wire


def _rewrite(value: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(value, Mapping):
        return {key: _rewrite(item, change) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rewrite(item, change) for item in value]
    return change(value)


def _any(value: Any, holds: Callable[[Any], bool]) -> bool:
    if isinstance(value, Mapping):
        return any(_any(item, holds) for item in value.values())
    if isinstance(value, (list, tuple)):
        return any(_any(item, holds) for item in value)
    return holds(value) or (isinstance(value, Secret) and _any(value.value, holds))
