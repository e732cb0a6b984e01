"""The kubelet's Node status and Lease: as large and varied as on a real machine (about 10 KB)."""

import datetime as dt
import hashlib
import uuid
from typing import Any

from sandbox.nodes.ec2 import Instance

KUBELET_VERSION = "v1.36.3"
_MEBIBYTE = 1024 * 1024
# --node-status-max-images of the kubelet: 50 by default, with digest and tag.
_IMAGES = 50
_LEASE_S = 40  # leaseDurationSeconds of the kubelet

_HEALTHY = {
    "MemoryPressure": ("False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    "DiskPressure": ("False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    "PIDPressure": ("False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    "Ready": ("True", "KubeletReady", "kubelet is posting ready status"),
}


def timestamp(now: dt.datetime) -> str:
    """`metav1.Time`: seconds, in UTC."""
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")


def node_status(instance: Instance, known: dict[str, Any], now: dt.datetime) -> dict[str, Any]:
    """Return the `status` of a running node; unchanged conditions in `known` keep their transition times."""
    before = {condition["type"]: condition for condition in known.get("conditions", [])}
    return {
        "addresses": [
            {"type": "InternalIP", "address": instance.ip},
            {"type": "Hostname", "address": instance.node},
            {"type": "InternalDNS", "address": _internal_dns(instance.ip)},
        ],
        "capacity": _resources(cpu="4", memory_mib=15_800),
        "allocatable": _resources(cpu="3920m", memory_mib=14_700),
        "conditions": [_condition(kind, before.get(kind), now) for kind in _HEALTHY],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        "nodeInfo": _node_info(instance),
        "images": [_image(number) for number in range(_IMAGES)],
    }


def is_ready(status: dict[str, Any]) -> bool:
    """Whether the node's Ready condition is True."""
    return any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions", []))


def lease(instance: Instance, node_uid: str, now: dt.datetime) -> dict[str, Any]:
    """Return the Lease in kube-node-lease, owned by its Node for garbage collection."""
    owner = {"apiVersion": "v1", "kind": "Node", "name": instance.node, "uid": node_uid}
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": instance.node, "namespace": "kube-node-lease", "ownerReferences": [owner]},
        "spec": {
            "holderIdentity": instance.node,
            "leaseDurationSeconds": _LEASE_S,
            "renewTime": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        },
    }


def _condition(kind: str, before: dict[str, Any] | None, now: dt.datetime) -> dict[str, Any]:
    status, reason, message = _HEALTHY[kind]
    unchanged = before is not None and before["status"] == status
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message,
        "lastHeartbeatTime": timestamp(now),
        "lastTransitionTime": before["lastTransitionTime"] if before and unchanged else timestamp(now),
    }


def _resources(*, cpu: str, memory_mib: int) -> dict[str, str]:
    return {
        "cpu": cpu,
        "memory": f"{memory_mib * _MEBIBYTE // 1024}Ki",
        "ephemeral-storage": "83873772Ki",
        "hugepages-1Gi": "0",
        "hugepages-2Mi": "0",
        "pods": "58",  # ENI limit of an m5.xlarge with the VPC CNI
    }


def _node_info(instance: Instance) -> dict[str, str]:
    identity = hashlib.sha256(instance.id.encode()).hexdigest()[:32]
    return {
        "machineID": f"ec2{identity[3:]}",
        "systemUUID": str(uuid.UUID(f"ec2{identity[3:]}")),
        "bootID": str(uuid.UUID(identity[::-1])),
        "kernelVersion": "6.12.46-66.121.amzn2023.x86_64",
        "osImage": "Amazon Linux 2023",
        "containerRuntimeVersion": "containerd://2.1.4",
        "kubeletVersion": KUBELET_VERSION,
        "kubeProxyVersion": "",
        "operatingSystem": "linux",
        "architecture": "amd64",
    }


def _image(number: int) -> dict[str, Any]:
    name = f"registry.example/platform/component-{number:02}"
    digest = hashlib.sha256(name.encode()).hexdigest()
    return {
        "names": [f"{name}@sha256:{digest}", f"{name}:v1.{number}.0"],
        "sizeBytes": 20_000_000 + number * 3_141_592,
    }


def _internal_dns(ip: str) -> str:
    return f"ip-{ip.replace('.', '-')}.eu-central-1.compute.internal"
