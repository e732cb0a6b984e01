"""Calls of the nodes process to the simulated AWS, on behalf of Pods and instances."""

from typing import Any, Final

import aiohttp

from sandbox.cloud.client import ACCESS_KEY
from sandbox.layout import REGION, Layout

CLUSTER: Final = "sandbox"
_OK: Final = 200


class RefusedError(Exception):
    """AWS refused a call: `status`, `code` and its message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.status, self.code, self.message = status, code, message


class Cloud:
    """The simulated AWS; calls raise RefusedError, and aiohttp's errors if AWS does not answer."""

    def __init__(self, layout: Layout, session: aiohttp.ClientSession) -> None:
        self._url, self._session = layout.aws_url, session

    async def associated(self, namespace: str, account: str) -> bool:
        """Whether a ServiceAccount has a Pod Identity association."""
        path = f"/clusters/{CLUSTER}/pod-identity-associations"
        wanted = {"namespace": namespace, "serviceAccount": account}
        found = await self._call("GET", path, signed_for="eks", params=wanted)
        return bool(found["associations"])

    async def pod_credentials(self, token: str) -> dict[str, Any]:
        """AssumeRoleForPodIdentity of EKS Auth."""
        path = f"/clusters/{CLUSTER}/assume-role-for-pod-identity"
        return await self._call("POST", path, signed_for="eks-auth", json={"token": token})

    async def instance(self, instance_id: str) -> dict[str, Any]:
        """Return the metadata options of an instance: `role`, `hop_limit`, `tokens`."""
        return await self._call("GET", f"/_sandbox/instances/{instance_id}")

    async def instance_credentials(self, instance_id: str) -> dict[str, Any]:
        """Return credentials of an instance's role, in the form of the instance metadata."""
        return await self._call("POST", f"/_sandbox/instances/{instance_id}/credentials")

    async def _call(self, method: str, path: str, *, signed_for: str = "", **more: Any) -> dict[str, Any]:
        headers = {"Authorization": _signature(signed_for)} if signed_for else {}
        async with self._session.request(method, self._url + path, headers=headers, **more) as answer:
            found: dict[str, Any] = await answer.json(content_type=None)
            if answer.status != _OK:
                code = answer.headers.get("x-amzn-errortype", str(answer.status))
                raise RefusedError(answer.status, code, found.get("message") or found.get("error", ""))
            return found


def _signature(service: str) -> str:
    """Return a header with the sandbox's own key; the cloud does not verify signatures."""
    scope = f"{ACCESS_KEY}/20000101/{REGION}/{service}/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"
