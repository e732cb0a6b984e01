"""The ConfigMap of the ownership registry."""

from collections.abc import Callable, Mapping
from typing import Any

from syncer.cluster.api import Api, RefusedError
from syncer.cluster.caller import Caller, without_namespace
from syncer.errors import DeniedError
from syncer.interfaces import RecordState

_MERGE_PATCH = "application/merge-patch+json"


class KubernetesRecords:
    """Implements `syncer.interfaces.Records`, in a separate thread.

    A patch has only the changes, and the version of the last read: the API server refuses any other version.
    """

    def __init__(
        self, api: Api, namespace: str, name: str, check_name: Callable[[], None] = lambda: None
    ) -> None:
        """Create the client; `check_name` runs after each permitted read, and raises if `name` is wrong."""
        self._api = api
        self._check_name = check_name
        self._all = f"/api/v1/namespaces/{namespace}/configmaps"
        self._metadata = {"namespace": namespace, "name": f"{name}-state"}
        self._caller = Caller("record")

    async def read(self) -> RecordState | None:
        """GET; None for 404."""

        def call() -> RecordState | None:
            try:
                found = _state(self._api.small("GET", self._path))
            except RefusedError as error:
                if error.status != 404:  # noqa: PLR2004
                    raise
                found = None
            self._check_name()
            return found

        return await self._caller.call(call)

    async def write(self, changes: Mapping[str, str | None], version: str) -> RecordState:
        """PATCH, or POST without a version."""

        def call() -> RecordState:
            try:
                return _state(self._send(changes, version))
            except RefusedError as error:
                if error.status == 404 and not version:  # noqa: PLR2004
                    raise without_namespace(error) from None
                if error.status in {413, 422}:  # too large: a later attempt would fail too
                    raise DeniedError(str(error)) from None
                raise

        return await self._caller.call(call)

    @property
    def _path(self) -> str:
        return f"{self._all}/{self._metadata['name']}"

    def _send(self, changes: Mapping[str, str | None], version: str) -> dict[str, Any]:
        if version:
            body = {"metadata": {"resourceVersion": version}, "data": dict(changes)}
            return self._api.small("PATCH", self._path, body, _MERGE_PATCH)
        data = {key: text for key, text in changes.items() if text is not None}
        made = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": self._metadata, "data": data}
        return self._api.small("POST", self._all, made)


def _state(item: Mapping[str, Any]) -> RecordState:
    kept = (item.get("data") or {}).items()
    values = {key: text for key, text in kept if isinstance(text, str)}
    return RecordState(values=values, version=str(item["metadata"]["resourceVersion"]))
