"""Create, apply, read and delete objects of a cluster."""

import time
from collections.abc import Callable, Mapping
from copy import deepcopy
from http import HTTPStatus
from typing import Any, Final

from sandbox.plugins.kubernetes.catalog import Catalog, Kind, NoMatchError
from sandbox.plugins.kubernetes.connection import ApiError, Connection
from sandbox.plugins.kubernetes.managers import CREATOR, taken_over

Object = Mapping[str, Any]
# A Namespace or CustomResourceDefinition of the same program may still be missing (await.go Creation
# retries).
_RETRY_DELAYS_S: Final = (0.5, 1.0, 2.0, 4.0)
_TAKE_OVER_ATTEMPTS: Final = 5
_CONFLICT_HELP: Final = (
    "Server-Side Apply field conflict detected. See https://www.pulumi.com/registry/packages/kubernetes/"
    "how-to-guides/managing-resources-with-server-side-apply/#handle-field-conflicts-on-existing-resources "
    "for troubleshooting help."
)


class Objects:
    """The cluster behind a connection."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._catalog = Catalog(connection)

    def kind(self, obj: Object) -> Kind:
        """Return the API server's data of the object's kind. Raises NoMatchError."""
        return self._catalog.find(obj.get("apiVersion", ""), obj.get("kind", ""))

    def served(self, obj: Object) -> bool:
        """Return whether the API server serves the object's kind now."""
        return self._catalog.exists(obj.get("apiVersion", ""), obj.get("kind", ""))

    def namespaced(self, obj: Object) -> bool:
        """Return whether the kind is namespaced; true for a kind that is not served yet."""
        return not self.served(obj) or self.kind(obj).namespaced

    def path(self, obj: Object, *, collection: bool = False) -> str:
        """Return the URL path of the object or its collection."""
        metadata = obj["metadata"]
        namespace = metadata.get("namespace") or self.connection.namespace
        return self.kind(obj).path(namespace, "" if collection else metadata["name"])

    def get(self, obj: Object) -> dict[str, Any]:
        """Return the live object. Raises ApiError."""
        return self.connection.get(self.path(obj))

    def create(self, obj: Object, *, dry_run: bool, show: Callable[[str], None]) -> dict[str, Any]:
        """POST the object; retry for 7.5 s while the kind or namespace does not exist.

        An unknown or duplicate field is an error (fieldValidation=Strict).
        """
        query = {"fieldManager": CREATOR, "fieldValidation": "Strict", **_dry(dry_run)}
        for number, delay in enumerate((*_RETRY_DELAYS_S, None), 1):
            try:
                return self.connection.send("POST", self.path(obj, collection=True), obj, query=query)
            except (NoMatchError, ApiError) as error:
                missing = isinstance(error, NoMatchError) or error.status == HTTPStatus.NOT_FOUND
                if not missing or dry_run or delay is None:
                    raise
                show(f"Retry #{number}; creation failed: {error}")
                time.sleep(delay)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def apply(self, obj: Object, manager: str, *, force: bool, dry_run: bool) -> dict[str, Any]:
        """Server-side apply as `manager`; create a missing object. Raises ApiError."""
        query = {
            "fieldManager": manager,
            "fieldValidation": "Strict",
            "force": "true" if force else "false",
            **_dry(dry_run),
        }
        try:
            return self.connection.send(
                "PATCH", self.path(obj), obj, query=query, content="application/apply-patch+yaml"
            )
        except ApiError as error:
            if error.status == HTTPStatus.CONFLICT and error.reason == "Conflict":
                raise ApiError(
                    error.status, error.reason, f"{_CONFLICT_HELP} The field manager {manager!r}: {error}"
                ) from error
            raise

    def relinquish(self, obj: Object, manager: str) -> None:
        """Apply an empty object as `manager`: afterwards the manager owns no field (ssa/relinquish.go)."""
        empty = {key: obj[key] for key in ("apiVersion", "kind")}
        named = {key: value for key, value in obj["metadata"].items() if value}
        self.apply({**empty, "metadata": named}, manager, force=False, dry_run=False)

    def take_over(self, obj: Object, manager: str) -> dict[str, Any]:
        """Return the live object, with fields of the creation and of kubectl moved to `manager`'s applies."""
        for attempt in range(_TAKE_OVER_ATTEMPTS):
            live = self.get(obj)
            owners = taken_over(live, manager)
            if owners is None:
                return live
            seen = live["metadata"]["resourceVersion"]
            patch = [
                {"op": "replace", "path": "/metadata/managedFields", "value": owners},
                {"op": "replace", "path": "/metadata/resourceVersion", "value": seen},
            ]
            content = "application/json-patch+json"
            try:
                return self.connection.send("PATCH", self.path(obj), patch, content=content)
            except ApiError as error:
                # A controller may write status between the read and the write.
                if error.status != HTTPStatus.CONFLICT or attempt + 1 == _TAKE_OVER_ATTEMPTS:
                    raise
        raise AssertionError("unreachable: the last attempt returns or raises")

    def delete(self, obj: Object, propagation: str) -> str | None:
        """Begin the deletion; return the uid of the deleted object, or None for a missing object."""
        body = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation}
        try:
            path = self.path(obj)
            uid = self.connection.get(path)["metadata"]["uid"]
            self.connection.send("DELETE", path, body)
        except NoMatchError:
            return None
        except ApiError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise
        return str(uid)


def keep_live(obj: Object, live: Object, ignored: list[tuple[str | int, ...]]) -> dict[str, Any]:
    """Return `obj` with the live values at the `ignored` paths (await.go handleSSAIgnoreFields)."""
    kept = deepcopy(dict(obj))
    for path in ignored:
        found = _at(live, path[:-1])
        target = _at(kept, path[:-1])
        if isinstance(found, Mapping) and isinstance(target, dict) and path[-1] in found:
            target[path[-1]] = deepcopy(found[path[-1]])
    return kept


def _at(value: Any, path: tuple[str | int, ...]) -> Any:
    for part in path:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _dry(dry_run: bool) -> dict[str, str]:
    return {"dryRun": "All"} if dry_run else {}
