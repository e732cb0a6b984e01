"""A container's environment, exactly as declared in the Pod: pure, from objects passed as arguments."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.kubelet.quantity import in_units_of

Reference = tuple[str, str]  # ("secrets" or "configmaps", name)
Objects = Mapping[Reference, Mapping[str, bytes] | None]  # None: the object does not exist

_REFERENCE = re.compile(r"\$(?:\$|\((?P<name>[^)]*)\))")
_BY_KEY = re.compile(r"^metadata\.(?P<map>labels|annotations)\['(?P<key>[^']+)'\]$")
_KINDS = {"secrets": "secret", "configmaps": "configmap"}


class ConfigError(Exception):
    """A container's reference cannot be resolved; the message is the kubelet's, for the status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The kubelet's own knowledge of a Pod: its addresses, and the node's allocatable resources."""

    pod_ip: str
    host_ip: str
    allocatable: Mapping[str, str]


def references(container: Mapping[str, Any]) -> set[Reference]:
    """Return the Secrets and ConfigMaps of a container's environment."""
    found = set()
    for source in container.get("envFrom", []):
        found.update(_named(source, {"secretRef": "secrets", "configMapRef": "configmaps"}))
    for variable in container.get("env", []):
        kinds = {"secretKeyRef": "secrets", "configMapKeyRef": "configmaps"}
        found.update(_named(variable.get("valueFrom") or {}, kinds))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """A container in its Pod, and all possible references of its environment."""

    container: Mapping[str, Any]
    pod: Mapping[str, Any]
    facts: Facts
    objects: Objects


def environment(declared: Declared, base: Mapping[str, str]) -> dict[str, str]:
    """Apply `base`, then envFrom, then env in order; a value may refer to earlier. Raises ConfigError."""
    found = dict(base)
    for source in declared.container.get("envFrom", []):
        found |= _whole(source, declared.objects)
    for variable in declared.container.get("env", []):
        value = _value(variable, declared, found)
        if value is not None:
            found[variable["name"]] = value
    return found


def expand(text: str, known: Mapping[str, str]) -> str:
    """Replace `$(NAME)` by its value; unknown names stay unchanged, and `$$` is a plain `$`.

    The rules of k8s.io/kubernetes third_party/forked/golang/expansion.
    """

    def replace(match: re.Match[str]) -> str:
        name = match["name"]
        return "$" if name is None else known.get(name, match[0])

    return _REFERENCE.sub(replace, text)


def field(path: str, pod: Mapping[str, Any], facts: Facts) -> str:
    """Return the value of a fieldRef. Raises ConfigError for a path missing in the downward API."""
    metadata, spec = pod["metadata"], pod["spec"]
    by_key = _BY_KEY.match(path)
    if by_key:
        return str(metadata.get(by_key["map"], {}).get(by_key["key"], ""))
    values = {
        "metadata.name": metadata["name"],
        "metadata.namespace": metadata["namespace"],
        "metadata.uid": metadata["uid"],
        "spec.nodeName": spec.get("nodeName", ""),
        "spec.serviceAccountName": spec.get("serviceAccountName", "default"),
        "status.podIP": facts.pod_ip,
        "status.podIPs": facts.pod_ip,
        "status.hostIP": facts.host_ip,
        "status.hostIPs": facts.host_ip,
    }
    if path not in values:
        raise ConfigError(f"unsupported fieldPath: {path}")
    return str(values[path])


def resource(reference: Mapping[str, Any], container: Mapping[str, Any], facts: Facts) -> str:
    """Return the value of a resourceFieldRef; an unset limit is the node's allocatable amount."""
    what, _, name = reference["resource"].partition(".")
    resources = container.get("resources", {})
    given = resources.get(what, {}).get(name)
    if given is None:
        given = facts.allocatable.get(name, "0") if what == "limits" else "0"
    divisor = reference.get("divisor") or "1"
    return str(in_units_of(given, "1" if divisor == "0" else divisor))


def decoded(kind: str, item: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the data of a Secret (`secrets`) or ConfigMap (`configmaps`) as bytes by key."""
    data = item.get("data") or {}
    if kind == "secrets":
        return {key: base64.b64decode(value) for key, value in data.items()}
    binary = item.get("binaryData") or {}
    text = {key: value.encode() for key, value in data.items()}
    return text | {key: base64.b64decode(value) for key, value in binary.items()}


def lookup(reference: Reference, key: str, objects: Objects, *, optional: bool) -> bytes | None:
    """Return a key of a Secret or ConfigMap; None if optional and missing. Raises ConfigError otherwise."""
    kind, name = reference
    data = objects.get(reference)
    if data is None:
        if optional:
            return None
        raise ConfigError(f'{_KINDS[kind]} "{name}" not found')
    if key not in data:
        if optional:
            return None
        raise ConfigError(f"couldn't find key {key} in {_KINDS[kind]} {name}")
    return data[key]


def _value(variable: Mapping[str, Any], declared: Declared, known: Mapping[str, str]) -> str | None:
    source = variable.get("valueFrom")
    if not source:
        return expand(variable.get("value", ""), known)
    if "fieldRef" in source:
        return field(source["fieldRef"]["fieldPath"], declared.pod, declared.facts)
    if "resourceFieldRef" in source:
        return resource(source["resourceFieldRef"], declared.container, declared.facts)
    for kind, objects_of in (("secretKeyRef", "secrets"), ("configMapKeyRef", "configmaps")):
        if kind in source:
            one = source[kind]
            reference = (objects_of, one.get("name", ""))
            found = lookup(reference, one["key"], declared.objects, optional=one.get("optional", False))
            return None if found is None else _text(found)
    raise ConfigError(f"env {variable['name']}: this source is not simulated: {', '.join(source)}")


def _text(value: bytes) -> str:
    """Decode a variable's value; bytes that are not UTF-8 reach the process unchanged (os.fsencode)."""
    return value.decode(errors="surrogateescape")


def _whole(source: Mapping[str, Any], objects: Objects) -> dict[str, str]:
    found: dict[str, str] = {}
    for kind, objects_of in (("secretRef", "secrets"), ("configMapRef", "configmaps")):
        if kind in source:
            name = source[kind].get("name", "")
            data = objects.get((objects_of, name))
            if data is None and not source[kind].get("optional", False):
                raise ConfigError(f'{_KINDS[objects_of]} "{name}" not found')
            prefix = source.get("prefix", "")
            found |= {prefix + key: _text(value) for key, value in (data or {}).items()}
    return found


def _named(source: Mapping[str, Any], kinds: Mapping[str, str]) -> set[Reference]:
    return {(objects, source[kind].get("name", "")) for kind, objects in kinds.items() if kind in source}
