"""The ConfigMaps of the ownership registry."""

from collections.abc import Callable, Mapping
from typing import Any

from syncer.cluster.api import Api, RefusedError
from syncer.cluster.caller import Caller, without_namespace
from syncer.errors import DeniedError
from syncer.interfaces import RecordState
from syncer.manifests.rbac import state_names

_MERGE_PATCH = "application/merge-patch+json"


class KubernetesRecords:
    """Implements `syncer.interfaces.Records`, in a separate thread.

    A patch has only the changes, and the version of the last read: the API server refuses any other version.
    The answer to a write is without the content.
    """

    def __init__(
        self, api: Api, namespace: str, name: str, check_name: Callable[[], None] = lambda: None
    ) -> None:
        """Create the client; `check_name` runs after each permitted read, and raises if `name` is wrong."""
        self._api = api
        self._check_name = check_name
        self._all = f"/api/v1/namespaces/{namespace}/configmaps"
        self._namespace = namespace
        self._names = state_names(name)
        self._caller = Caller("record")

    async def read(self, number: int = 0) -> RecordState | None:
        """GET; None for 404."""

        def call() -> RecordState | None:
            try:
                found = _state(self._api.small("GET", f"{self._all}/{self._names[number]}"))
            except RefusedError as error:
                if error.status != 404:  # noqa: PLR2004
                    raise
                found = None
            self._check_name()
            return found

        return await self._caller.call(call)

    async def write(self, changes: Mapping[str, str | None], version: str, number: int = 0) -> str:
        """PATCH, or POST without a version."""

        def call() -> str:
            try:
                return _version(self._send(changes, version, self._names[number]))
            except RefusedError as error:
                if error.status == 404 and not version:  # noqa: PLR2004
                    raise without_namespace(error) from None
                if error.status in {413, 422}:  # too large: a later attempt would fail too
                    raise DeniedError(str(error)) from None
                raise

        return await self._caller.call(call)

    def _send(self, changes: Mapping[str, str | None], version: str, name: str) -> dict[str, Any]:
        if version:
            body = {"metadata": {"resourceVersion": version}, "data": dict(changes)}
            return self._api.small("PATCH", f"{self._all}/{name}", body, _MERGE_PATCH, metadata_only=True)
        data = {key: text for key, text in changes.items() if text is not None}
        metadata = {"namespace": self._namespace, "name": name}
        made = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
        return self._api.small("POST", self._all, made, metadata_only=True)


def _state(item: Mapping[str, Any]) -> RecordState:
    kept = (item.get("data") or {}).items()
    values = {key: text for key, text in kept if isinstance(text, str)}
    return RecordState(values=values, version=_version(item))


def _version(item: Mapping[str, Any]) -> str:
    return str(item["metadata"]["resourceVersion"])
