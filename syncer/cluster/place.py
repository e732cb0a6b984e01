"""The place and name of the syncer's own objects: a Lease and a ConfigMap."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from syncer.errors import MisconfiguredError
from syncer.text.quote import quoted

_NAMESPACE = "var/run/secrets/kubernetes.io/serviceaccount/namespace"
_DEFAULT_NAME = "nlb-sync"
# The name of a Deployment's Pod: the Deployment's name, the ReplicaSet's hash and five letters, both of the
# alphabet of Kubernetes' generated names (k8s.io/apimachinery/pkg/util/rand: no vowels, no 0, 1 and 3).
_POD = re.compile(
    r"(?P<deployment>[a-z0-9][-a-z0-9.]*)-[bcdfghjklmnpqrstvwxz2456789]{1,10}-[bcdfghjklmnpqrstvwxz2456789]{5}"
)
# Generated names are cut to 58 letters before the five ("maxGeneratedNameLength" of k8s.io/apiserver): with a
# long Deployment name the end of the hash and the next dash are missing.
_CUT = 58
_LONGEST = 63
_LONGEST_LINE = 1024


# The kubelet writes a Pod's /etc/hosts with one of these first lines (pkg/kubelet/kubelet_pods.go).
_HOSTS = "etc/hosts"
_OWN_NETWORK = "# Kubernetes-managed hosts file."
_HOST_NETWORK = "# Kubernetes-managed hosts file (host network)."


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """`identity` is unique for each process; the name is shared by all replicas of a Deployment.

    `host` is the host name behind `name`, if possibly the Node's and not the Pod's; else "".
    """

    namespace: str
    name: str
    identity: str
    host: str = ""


def own_place(environment: Mapping[str, str], namespace: str, name: str) -> Place | None:
    """Return the configured place, else the Pod's own namespace and Deployment's name.

    Two syncers of a cluster therefore never share a place. None outside a Pod without a configured namespace.

    Raises:
        MisconfiguredError: only the host name is known, and the name is the Node's (hostNetwork).

    """
    pod = own_pod(environment)
    if not namespace and environment.get("KUBERNETES_SERVICE_HOST") and not environment.get("KUBECONFIG"):
        namespace = mounted_namespace(environment)
    if not namespace:
        return None
    sure = bool(name or environment.get("POD_NAME") or not pod)
    hosts = "" if sure else _first_line(environment, _HOSTS)
    if hosts == _HOST_NETWORK:
        raise nameless(pod)
    return Place(
        namespace=namespace,
        name=name or deployment_of(pod) or _DEFAULT_NAME,
        identity=f"{pod or 'nlb-sync'}_{secrets.token_hex(4)}",
        host="" if sure or hosts == _OWN_NETWORK else pod,
    )


def own_pod(environment: Mapping[str, str]) -> str:
    """Return the Pod's name: POD_NAME (a field reference), else the host name (hostNetwork: the Node's)."""
    return environment.get("POD_NAME", "").strip() or environment.get("HOSTNAME", "")


def nameless(host: str) -> MisconfiguredError:
    """Return the error for a Node's host name: two Nodes would give two names, and so two leaders."""
    return MisconfiguredError(
        f"NLB_SYNC_NAME is not set, and the host name {quoted(host)} is the Node's, not the Pod's "
        "(hostNetwork); set NLB_SYNC_NAME to a name that all replicas share, or POD_NAME from metadata.name"
    )


def deployment_of(pod: str) -> str:
    """Return the Deployment's name from a Pod's name; "" for a Pod without a Deployment."""
    made = _POD.fullmatch(pod)
    if made:
        return made["deployment"]
    return pod[:_CUT].rpartition("-")[0] if len(pod) == _LONGEST else ""


def mounted_namespace(environment: Mapping[str, str]) -> str:
    """Return the namespace, mounted by the kubelet beside the token; "" outside a Pod."""
    return _first_line(environment, _NAMESPACE)


def _first_line(environment: Mapping[str, str], path: str) -> str:
    """Return the first line of a file mounted by the kubelet; "" if unreadable."""
    root = Path(environment.get("CONTAINER_SANDBOX_MOUNT_POINT") or "/")
    try:
        with (root / path).open(encoding="utf-8", errors="replace") as file:
            return file.readline(_LONGEST_LINE).strip()
    except (OSError, ValueError):
        return ""
