"""The Node objects of the sandbox: labels and taints by kind of node, as in kops."""

from enum import StrEnum
from typing import Any

from sandbox.cloud.network import INSTANCE_TYPE, NodeInstance
from sandbox.layout import REGION

EXCLUDE_LABEL = "node.kubernetes.io/exclude-from-external-load-balancers"
GROUP_LABEL = "kops.k8s.io/instancegroup"
_CONTROL_PLANE = "node-role.kubernetes.io/control-plane"


class Kind(StrEnum):
    """The instance groups of the sandbox's cluster; the value is the kops label's."""

    WORKER = "nodes"
    CRITICAL = "critical"
    CONTROL_PLANE = "control-plane"


_TAINTS = {
    Kind.WORKER: [],
    # The predecessor's Deployment tolerates this taint and selects the group by its label.
    Kind.CRITICAL: [{"key": "process", "value": "critical", "effect": "NoSchedule"}],
    Kind.CONTROL_PLANE: [{"key": _CONTROL_PLANE, "effect": "NoSchedule"}],
}


def node_object(name: str, zone: str, instance: NodeInstance, kind: Kind) -> dict[str, Any]:
    """Return the Node as registered by its kubelet: without a status, therefore not Ready."""
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": _labels(name, zone, kind),
            "annotations": {
                "node.alpha.kubernetes.io/ttl": "0",
                "volumes.kubernetes.io/controller-managed-attach-detach": "true",
            },
        },
        "spec": {
            "providerID": f"aws:///{zone}/{instance.instance_id}",
            "taints": _TAINTS[kind],
        },
    }


def _labels(name: str, zone: str, kind: Kind) -> dict[str, str]:
    roles = (
        {_CONTROL_PLANE: "", EXCLUDE_LABEL: ""}
        if kind is Kind.CONTROL_PLANE
        else {"node-role.kubernetes.io/node": ""}
    )
    return {
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/instance-type": INSTANCE_TYPE,
        "beta.kubernetes.io/os": "linux",
        "failure-domain.beta.kubernetes.io/region": REGION,
        "failure-domain.beta.kubernetes.io/zone": zone,
        GROUP_LABEL: kind,
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "node.kubernetes.io/instance-type": INSTANCE_TYPE,
        "topology.kubernetes.io/region": REGION,
        "topology.kubernetes.io/zone": zone,
        **roles,
    }
