"""The Deployment, and its objects in the same namespace: ConfigMap, network policy, budget."""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from syncer.manifests import Manifest, present
from syncer.manifests.pod import CONTAINER, HTTP_PORT, PROBE_PORT, Workload, pod_spec

# Changes with the ConfigMap, so that the Deployment rolls.
STAMP: Final = "node-nlb-sync/configuration"
# Containers to which EKS's webhook adds no credentials (amazon-eks-pod-identity-webhook).
SKIP_CONTAINERS: Final = "eks.amazonaws.com/skip-containers"
MANAGED_BY: Final = "app.kubernetes.io/managed-by"


def labels(workload: Workload) -> Manifest:
    """Return the labels of the Pods and of the objects here."""
    return {
        MANAGED_BY: workload.managed_by,
        **workload.labels,
        **workload.app,
        "app.kubernetes.io/name": "node-nlb-sync",
        "app.kubernetes.io/instance": workload.name,
    }


def metadata(workload: Workload, name: Any = None) -> Manifest:
    """Return the metadata of an object beside the Deployment, by default with the Deployment's name."""
    return {"name": name or workload.name, "namespace": workload.namespace, "labels": labels(workload)}


def config_map(workload: Workload, settings: Any) -> Manifest:
    """Return the syncer's settings, as variables of its container."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata(workload), "data": settings}


def secret(workload: Workload, name: Any, data: Mapping[str, Any]) -> Manifest:
    """Return a Secret with `data`: `stringData` would differ at every refresh."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata(workload, name),
        "data": data,
    }


def network_policy(workload: Workload) -> Manifest:
    """Allow in: the HTTP ports, for probes and Prometheus. Out: DNS, AWS, API server, credentials."""

    def ports(protocol: str, *numbers: Any) -> list[Manifest]:
        return [{"protocol": protocol, "port": number} for number in numbers]

    egress: list[Manifest] = [{"ports": [*ports("UDP", 53), *ports("TCP", 53, *workload.egress_ports)]}]
    if networks := workload.credentials.link_local:
        egress.append({"to": [{"ipBlock": {"cidr": each}} for each in networks], "ports": ports("TCP", 80)})
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(workload),
        "spec": {
            "podSelector": {"matchLabels": workload.app},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"ports": ports("TCP", HTTP_PORT, PROBE_PORT)}],
            "egress": egress,
        },
    }


def disruption_budget(workload: Workload) -> Manifest:
    """Allow one eviction at a time; with a single replica a minimum would block every node drain."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": metadata(workload),
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": workload.app}},
    }


def deployment(workload: Workload, stamp: Any) -> Manifest:
    """Return the Deployment; `stamp` is `fingerprint` of the settings."""
    annotations = {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": str(HTTP_PORT),
        **workload.annotations,
        STAMP: stamp,
    }
    if not workload.credentials.from_webhook:
        annotations[SKIP_CONTAINERS] = CONTAINER
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {**metadata(workload), **present(annotations=dict(workload.annotations) or None)},
        "spec": {
            "replicas": workload.replicas,
            "strategy": rolling(workload),
            "selector": {"matchLabels": workload.app},
            "template": {
                "metadata": {"labels": labels(workload), "annotations": annotations},
                "spec": pod_spec(workload),
            },
        },
    }


def rolling(workload: Workload) -> Manifest:
    """Require a ready new Pod before an old Pod ends, so that a wrong node selector stops its own rollout.

    With hostNetwork two Pods of one node would need the same ports: there the old Pod ends first.
    """
    return {
        "type": "RollingUpdate",
        "rollingUpdate": {
            "maxSurge": workload.with_host_network(0, 1),
            "maxUnavailable": workload.with_host_network(1, 0),
        },
    }


def fingerprint(settings: Mapping[str, str], secrets: str = "") -> str:
    """Hash the container's environment, so that a change rolls the Deployment; made of no secret."""
    text = "\n".join([*(f"{key}={settings[key]}" for key in sorted(settings)), secrets])
    return hashlib.sha256(text.encode()).hexdigest()[:16]
