"""Names of objects: auto-naming, and the ids of objects in Pulumi (metadata/naming.go)."""

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any, Final

from sandbox.plugins.provider import Naming, ProviderError
from sandbox.plugins.values import Unknown

AUTONAMED: Final = "pulumi.com/autonamed"
_SUFFIX_DIGITS: Final = 8


def identify(obj: Mapping[str, Any]) -> str:
    """Return `namespace/name`, or `name` without a namespace."""
    metadata = obj.get("metadata") or {}
    namespace, name = metadata.get("namespace"), metadata.get("name", "")
    return f"{namespace}/{name}" if namespace else name


def split(ident: str) -> tuple[str, str]:
    """Return namespace (possibly "") and name of an id."""
    namespace, _, name = ident.rpartition("/")
    return namespace, name


def is_autonamed(obj: Mapping[str, Any]) -> bool:
    """Return whether `assign` chose the name, so that a replacement can have another name."""
    annotations = (obj.get("metadata") or {}).get("annotations") or {}
    return isinstance(annotations, Mapping) and annotations.get(AUTONAMED) == "true"


def assign(obj: dict[str, Any], logical: str, naming: Naming) -> None:
    """Name `obj` after the resource where the program gives neither name nor generateName."""
    metadata = _metadata(obj)
    if metadata is None or _given(metadata):
        return
    if naming.mode == "disable":
        raise ProviderError(f"automatic naming is disabled but {logical} has no metadata.name: give it one")
    _set(metadata, naming.proposed or f"{logical}-{_suffix(naming.seed, logical)}")


def adopt(obj: dict[str, Any], old: Mapping[str, Any]) -> None:
    """Keep the previous name from `assign` where the program still gives no name."""
    metadata = _metadata(obj)
    name = (old.get("metadata") or {}).get("name")
    if metadata is not None and not _given(metadata) and is_autonamed(old) and name:
        _set(metadata, name)


def _metadata(obj: dict[str, Any]) -> dict[str, Any] | None:
    """Return the metadata to write to; None for metadata that is unknown as a whole."""
    metadata = obj.setdefault("metadata", {})
    return metadata if isinstance(metadata, dict) else None


def _given(metadata: Mapping[str, Any]) -> bool:
    return bool(metadata.get("name") or metadata.get("generateName"))


def _set(metadata: dict[str, Any], name: str) -> None:
    metadata["name"] = name
    annotations = metadata.get("annotations")
    if not isinstance(annotations, Unknown):
        metadata["annotations"] = {**(annotations or {}), AUTONAMED: "true"}


def _suffix(seed: bytes, logical: str) -> str:
    """Return eight hex digits, the same for the same seed: preview and update agree on the name."""
    if not seed:
        return secrets.token_hex(_SUFFIX_DIGITS // 2)
    return hashlib.sha512(seed + logical.encode()).hexdigest()[:_SUFFIX_DIGITS]
