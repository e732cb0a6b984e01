"""Changes that the API server refuses in place, so that the object must be replaced (provider/diff.go)."""

from collections.abc import Mapping
from typing import Any, Final

from sandbox.plugins.difference import Path, parse

_POD_FIELDS: Final = (
    "affinity automountServiceAccountToken dnsConfig dnsPolicy enableServiceLinks hostAliases hostIPC "
    "hostNetwork hostPID hostname imagePullSecrets nodeName nodeSelector overhead preemptionPolicy "
    "priority priorityClassName readinessGates restartPolicy runtimeClassName schedulerName "
    "securityContext serviceAccount serviceAccountName shareProcessNamespace subdomain "
    "terminationGracePeriodSeconds volumes"
)
_CONTAINER_FIELDS: Final = (
    "args command env image imagePullPolicy lifecycle livenessProbe ports readinessProbe resources "
    "securityContext stdin stdinOnce terminationMessagePath terminationMessagePolicy tty volumeDevices "
    "volumeMounts workingDir"
)
_VOLUME_SOURCES: Final = (
    "awsElasticBlockStore azureDisk azureFile cephfs cinder csi fc flexVolume flocker gcePersistentDisk "
    "glusterfs hostPath iscsi local nfs photonPersistentDisk portworxVolume quobyte rbd scaleIO storageos "
    "vsphereVolume"
)
_POD: Final = tuple(f"spec.{name}" for name in _POD_FIELDS.split()) + tuple(
    f"spec.{containers}[*].{name}"
    for containers in ("containers", "initContainers")
    for name in _CONTAINER_FIELDS.split()
)
_VOLUME: Final = tuple(f"spec.{name}" for name in _VOLUME_SOURCES.split())
_FORCE_NEW: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("apps", "DaemonSet"): ("spec.selector",),
    ("apps", "Deployment"): ("spec.selector",),
    ("apps", "StatefulSet"): (
        "spec.podManagementPolicy",
        "spec.revisionHistoryLimit",
        "spec.selector",
        "spec.serviceName",
        "spec.volumeClaimTemplates",
    ),
    ("", "PersistentVolume"): _VOLUME,
    ("", "PersistentVolumeClaim"): (
        "spec.accessModes",
        "spec.selector",
        "spec.storageClassName",
        "spec.volumeName",
    ),
    ("", "Pod"): _POD,
    ("", "ResourceQuota"): ("spec.scopes",),
    ("", "Secret"): ("type",),
    ("", "Service"): ("spec.clusterIP",),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): ("roleRef",),
    ("rbac.authorization.k8s.io", "RoleBinding"): ("roleRef",),
    ("storage.k8s.io", "StorageClass"): ("parameters", "provisioner"),
    ("batch", "Job"): ("spec.completions", "spec.parallelism", "spec.selector", "spec.template"),
}


def force_new(
    obj: Mapping[str, Any], *, mutable_secrets: bool, mutable_config_maps: bool, patch: bool = False
) -> list[Path]:
    """Return the property paths of `obj` that force a replacement; for a patch only the object's identity.

    Secrets and ConfigMaps are immutable by default, so that workloads with references by name roll over to
    the new content.
    """
    if patch:
        return [parse("metadata.name"), parse("metadata.namespace")]
    group = obj.get("apiVersion", "").rpartition("/")[0]
    kind = obj.get("kind", "")
    paths = ["metadata.name", "metadata.namespace", *_FORCE_NEW.get((group, kind), ())]
    immutable = bool(obj.get("immutable"))
    if (group, kind) == ("", "Secret") and (immutable or not mutable_secrets):
        paths += ["stringData", "data"]
    if (group, kind) == ("", "ConfigMap") and (immutable or not mutable_config_maps):
        paths += ["binaryData", "data"]
    return [parse(path) for path in paths]


def forces(changed: Path, rules: list[Path]) -> bool:
    """Return whether a change at `changed` touches one of `rules`: below, or above (a whole parent)."""
    return any(all(want in ("*", have) for have, want in zip(changed, rule, strict=False)) for rule in rules)
