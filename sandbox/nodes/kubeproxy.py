"""The health checks that kube-proxy answers on every node, over plain HTTP.

`/healthz` on port 10256 fails on a node that is deleted or that the Cluster Autoscaler is about to delete
(KEP-3836). `healthCheckNodePort` of a Service with externalTrafficPolicy Local answers 200 on every path
where the node has a ready endpoint of the Service, otherwise 503 (pkg/proxy/healthcheck of Kubernetes 1.36).
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sandbox.nodes.ingress import EntryPoint

NODE_PORT: Final = 10256
_AUTOSCALER_TAINT: Final = "ToBeDeletedByClusterAutoscaler"
_OK, _UNAVAILABLE, _NOT_FOUND = 200, 503, 404


@dataclass(frozen=True, slots=True)
class NodeCheck(EntryPoint):
    """The server of `/healthz`."""

    def answer(
        self, path: str, host: str, *, ready: bool, served: str, leaving: bool = False
    ) -> tuple[int, str]:
        """Return status and body for a request to a node that is `leaving` or not."""
        del host, ready, served
        if path != "/healthz":
            return _NOT_FOUND, "404 page not found\n"
        return _UNAVAILABLE if leaving else _OK, json.dumps({"nodeEligible": not leaving})


@dataclass(frozen=True, slots=True)
class LocalCheck(EntryPoint):
    """The server of a Service's healthCheckNodePort; `name` is the Service, `namespace/name`."""

    def answer(
        self, path: str, host: str, *, ready: bool, served: str, leaving: bool = False
    ) -> tuple[int, str]:
        """Return status and body; the ingress controller of the machine is the only local endpoint."""
        del path, host, served, leaving
        namespace, _, name = self.name.partition("/")
        body = {
            "service": {"namespace": namespace, "name": name},
            "localEndpoints": int(ready),
            "serviceProxyHealthy": True,
        }
        return _OK if ready else _UNAVAILABLE, json.dumps(body)


def checks(services: Iterable[Mapping[str, Any]]) -> dict[int, EntryPoint]:
    """Return kube-proxy's servers by port."""
    found: dict[int, EntryPoint] = {NODE_PORT: NodeCheck("kube-proxy")}
    for service in services:
        spec, metadata = service["spec"], service.get("metadata", {})
        if port := spec.get("healthCheckNodePort"):
            found[port] = LocalCheck(f"{metadata.get('namespace', '')}/{metadata.get('name', '')}")
    return found


def is_leaving(node: Mapping[str, Any]) -> bool:
    """Return whether kube-proxy takes the Node out of load balancers."""
    taints = node.get("spec", {}).get("taints") or []
    return "deletionTimestamp" in node["metadata"] or any(t.get("key") == _AUTOSCALER_TAINT for t in taints)
