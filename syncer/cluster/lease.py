"""The Lease of a syncer in the API server (coordination.k8s.io/v1)."""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from syncer.cluster.api import Api, RefusedError
from syncer.cluster.caller import Caller, without_namespace
from syncer.interfaces import LeaseRecord


class KubernetesLeases:
    """Implements `syncer.interfaces.Leases` in a separate thread: no other request delays a renewal."""

    def __init__(
        self, api: Api, namespace: str, name: str, check_name: Callable[[], None] = lambda: None
    ) -> None:
        """Create the client; `check_name` runs after each permitted read, and raises if `name` is wrong."""
        self._api = api
        self._check_name = check_name
        self._all = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
        self._metadata = {"namespace": namespace, "name": name}
        self._caller = Caller("lease")

    async def read(self) -> LeaseRecord | None:
        """GET; None for 404."""

        def call() -> LeaseRecord | None:
            try:
                found = lease_record(self._api.small("GET", f"{self._all}/{self._metadata['name']}"))
            except RefusedError as error:
                if error.status != 404:  # noqa: PLR2004
                    raise
                found = None
            self._check_name()
            return found

        return await self._caller.call(call)

    async def write(self, record: LeaseRecord) -> LeaseRecord:
        """POST without a version, else PUT; the API server refuses a PUT with an old version."""

        def call() -> LeaseRecord:
            body = _lease(record, self._metadata)
            if record.version:
                return lease_record(self._api.small("PUT", f"{self._all}/{self._metadata['name']}", body))
            try:
                return lease_record(self._api.small("POST", self._all, body))
            except RefusedError as error:
                if error.status == 404:  # noqa: PLR2004
                    raise without_namespace(error) from None
                raise

        return await self._caller.call(call)


def lease_record(lease: Mapping[str, Any]) -> LeaseRecord:
    """Parse a Lease's JSON; an unset field is empty or 0."""
    spec = lease.get("spec") or {}
    return LeaseRecord(
        holder=spec.get("holderIdentity") or "",
        duration=float(spec.get("leaseDurationSeconds") or 0),
        acquired=_seconds(spec.get("acquireTime")),
        renewed=_seconds(spec.get("renewTime")),
        transitions=int(spec.get("leaseTransitions") or 0),
        version=str(lease["metadata"]["resourceVersion"]),
    )


def _lease(record: LeaseRecord, metadata: Mapping[str, str]) -> dict[str, Any]:
    version = {"resourceVersion": record.version} if record.version else {}
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {**metadata, **version},
        "spec": {
            "holderIdentity": record.holder,
            "leaseDurationSeconds": int(record.duration),
            "acquireTime": _micro_time(record.acquired),
            "renewTime": _micro_time(record.renewed),
            "leaseTransitions": record.transitions,
        },
    }


def _micro_time(seconds: float) -> str:
    """Format a MicroTime as metav1 does: always six digits."""
    return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _seconds(moment: str | None) -> float:
    return dt.datetime.fromisoformat(moment).timestamp() if moment else 0.0
