"""Where this syncer's own objects lie, a Lease and a ConfigMap, and what it is called in them."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_NAMESPACE = "var/run/secrets/kubernetes.io/serviceaccount/namespace"
_DEFAULT_NAME = "nlb-sync"
# A Deployment's Pod is called by it, by its ReplicaSet's hash and by five letters, both of the alphabet that
# Kubernetes uses for generated names (k8s.io/apimachinery/pkg/util/rand: no vowels, no 0, 1 and 3).
_POD = re.compile(r"(?P<deployment>.+)-[bcdfghjklmnpqrstvwxz2456789]{1,10}-[bcdfghjklmnpqrstvwxz2456789]{5}")
# Those names are cut to 58 letters before the five ("maxGeneratedNameLength" of k8s.io/apiserver): of a
# Deployment with a long name the hash loses its end, and with it the dash.
_CUT = 58
_LONGEST = 63


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """`identity` differs for each process; the other two are the same for all replicas of a Deployment."""

    namespace: str
    name: str
    identity: str


def own_place(environment: Mapping[str, str], namespace: str, name: str) -> Place | None:
    """The place that is configured, else the Pod's namespace and its Deployment's name, which are its own.

    Two syncers of one cluster therefore never meet. None outside a Pod where no namespace is configured.
    """
    pod = environment.get("HOSTNAME", "")
    if not namespace and environment.get("KUBERNETES_SERVICE_HOST") and not environment.get("KUBECONFIG"):
        namespace = mounted_namespace(environment)
    if not namespace:
        return None
    return Place(
        namespace=namespace,
        name=name or deployment_of(pod) or _DEFAULT_NAME,
        identity=f"{pod or 'nlb-sync'}_{secrets.token_hex(4)}",
    )


def deployment_of(pod: str) -> str:
    """The name of the Deployment that made a Pod of this name; "" where none did."""
    made = _POD.fullmatch(pod)
    if made:
        return made["deployment"]
    return pod[:_CUT].rpartition("-")[0] if len(pod) == _LONGEST else ""


def mounted_namespace(environment: Mapping[str, str]) -> str:
    """The namespace that the kubelet mounts beside the token; "" outside a Pod."""
    root = Path(environment.get("CONTAINER_SANDBOX_MOUNT_POINT") or "/")
    try:
        return (root / _NAMESPACE).read_text(encoding="utf-8").strip()
    except OSError:
        return ""
