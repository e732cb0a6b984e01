"""A Pod's volumes as directories: Secrets, ConfigMaps, downward API and rotating ServiceAccount tokens."""

import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.kubelet import environment
from sandbox.kubelet.environment import ConfigError, Facts, Objects, Reference
from sandbox.nodes.kube import Kube

Files = dict[str, bytes]

# The kubelet requests a new token after 80 % of the old token's lifetime, or a day (k8s.io/kubernetes
# pkg/kubelet/token).
_TOKEN_SHARE, _TOKEN_MAX_S = 0.8, 24 * 3600.0
_TOKEN_DEFAULT_S = 3600
_MODE = 0o644  # Kubernetes' default for all volume kinds
_SOURCES = ("configMap", "secret", "downwardAPI", "serviceAccountToken")


@dataclass(frozen=True, slots=True)
class _Token:
    value: str
    renew_at: float


@dataclass(slots=True)
class Volumes:
    """The volumes of a Pod below `directory`; repeated calls of `write` update the volumes."""

    kube: Kube
    directory: Path
    _tokens: dict[tuple[str, int], _Token] = field(default_factory=dict)

    async def write(self, pod: Mapping[str, Any], facts: Facts, objects: Objects) -> None:
        """Create or update all volumes. Raises ConfigError, and ApiError for a refused token."""
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)  # readable only by the container
        for volume in pod["spec"].get("volumes", []):
            place = self.directory / volume["name"]
            place.mkdir(exist_ok=True)
            if "emptyDir" in volume:
                place.chmod(0o777)
            else:
                _replace_files(place, await self._files(volume, pod, facts, objects))

    async def _files(
        self, volume: Mapping[str, Any], pod: Mapping[str, Any], facts: Facts, objects: Objects
    ) -> Files:
        if "projected" in volume:
            sources = volume["projected"].get("sources") or []
        else:
            sources = [{kind: volume[kind]} for kind in _SOURCES if kind in volume]
        if not sources:
            kinds = ", ".join(set(volume) - {"name"})
            raise ConfigError(f"volume {volume['name']}: kind {kinds} is not simulated in the sandbox")
        files: Files = {}
        for source in sources:
            ((kind, spec),) = source.items()
            files |= await self._source(kind, spec, pod, facts, objects)
        return files

    async def _source(
        self, kind: str, spec: Mapping[str, Any], pod: Mapping[str, Any], facts: Facts, objects: Objects
    ) -> Files:
        if kind == "serviceAccountToken":
            return {spec["path"]: (await self._token(spec, pod)).encode()}
        if kind == "downwardAPI":
            return {
                item["path"]: environment.field(item["fieldRef"]["fieldPath"], pod, facts).encode()
                for item in spec.get("items", [])
            }
        return _items(_reference(kind, spec), spec, objects)

    async def _token(self, spec: Mapping[str, Any], pod: Mapping[str, Any]) -> str:
        audience, seconds = spec.get("audience", ""), spec.get("expirationSeconds", _TOKEN_DEFAULT_S)
        known = self._tokens.get((audience, seconds))
        if known and time.monotonic() < known.renew_at:
            return known.value
        metadata = pod["metadata"]
        account = pod["spec"].get("serviceAccountName", "default")
        bound = {"apiVersion": "v1", "kind": "Pod", "name": metadata["name"], "uid": metadata["uid"]}
        asked = {
            "expirationSeconds": seconds,
            "boundObjectRef": bound,
            **({"audiences": [audience]} if audience else {}),
        }
        path = f"/api/v1/namespaces/{metadata['namespace']}/serviceaccounts/{account}/token"
        answer = await self.kube.create(path, {"spec": asked})
        lives = min(_TOKEN_SHARE * seconds, _TOKEN_MAX_S)
        token = _Token(answer["status"]["token"], time.monotonic() + lives)
        self._tokens[audience, seconds] = token
        return token.value


def references(pod: Mapping[str, Any]) -> set[Reference]:
    """Return the Secrets and ConfigMaps of a Pod's volumes."""
    volumes = pod["spec"].get("volumes", [])
    sources = [*volumes, *(one for v in volumes for one in (v.get("projected") or {}).get("sources") or [])]
    return {
        _reference(kind, source[kind])
        for source in sources
        for kind in ("configMap", "secret")
        if kind in source
    }


def link(root: Path, volumes: Path, container: Mapping[str, Any]) -> None:
    """Create a container's mount paths below `root` as links to the volumes."""
    for mount in container.get("volumeMounts", []):
        place = root / mount["mountPath"].lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        place.symlink_to(volumes / mount["name"] / mount.get("subPath", ""))


def remove(directory: Path) -> None:
    """Remove a Pod's volumes and mounts, including all Secrets."""
    shutil.rmtree(directory, ignore_errors=True)


def _reference(kind: str, spec: Mapping[str, Any]) -> Reference:
    # A Secret volume has `secretName`, all other kinds have `name`.
    name = spec.get("secretName") or spec.get("name", "")
    return ("secrets" if kind == "secret" else "configmaps"), name


def _items(reference: Reference, spec: Mapping[str, Any], objects: Objects) -> Files:
    optional = spec.get("optional", False)
    data = objects.get(reference)
    if data is None:
        if optional:
            return {}
        raise ConfigError(f'{reference[0].removesuffix("s")} "{reference[1]}" not found')
    items = spec.get("items") or [{"key": key, "path": key} for key in data]
    found = {i["path"]: environment.lookup(reference, i["key"], objects, optional=optional) for i in items}
    return {path: value for path, value in found.items() if value is not None}


def _replace_files(place: Path, files: Files) -> None:
    for path, content in files.items():
        target = place / path
        if target.exists() and target.read_bytes() == content:
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix="..")
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            os.fchmod(file.fileno(), _MODE)
        Path(temporary).replace(target)
    for left in place.iterdir():
        if left.is_file() and left.name not in files:
            left.unlink()
