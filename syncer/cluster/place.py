"""Where this syncer's own objects lie, a Lease and a ConfigMap, and what it is called in them."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from syncer.errors import MisconfiguredError
from syncer.text.quote import quoted

_NAMESPACE = "var/run/secrets/kubernetes.io/serviceaccount/namespace"
_DEFAULT_NAME = "nlb-sync"
# A Deployment's Pod is called by it, by its ReplicaSet's hash and by five letters, both of the alphabet that
# Kubernetes uses for generated names (k8s.io/apimachinery/pkg/util/rand: no vowels, no 0, 1 and 3).
_POD = re.compile(
    r"(?P<deployment>[a-z0-9][-a-z0-9.]*)-[bcdfghjklmnpqrstvwxz2456789]{1,10}-[bcdfghjklmnpqrstvwxz2456789]{5}"
)
# Those names are cut to 58 letters before the five ("maxGeneratedNameLength" of k8s.io/apiserver): of a
# Deployment with a long name the hash loses its end, and with it the dash.
_CUT = 58
_LONGEST = 63
_LONGEST_LINE = 1024


# The kubelet writes a Pod's /etc/hosts with one of these first lines (pkg/kubelet/kubelet_pods.go).
_HOSTS = "etc/hosts"
_OWN_NETWORK = "# Kubernetes-managed hosts file."
_HOST_NETWORK = "# Kubernetes-managed hosts file (host network)."


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """`identity` differs for each process; the name is the same for all replicas of a Deployment.

    `host` is the host name that `name` was made of, where it may be the Node's and not the Pod's; else "".
    """

    namespace: str
    name: str
    identity: str
    host: str = ""


def own_place(environment: Mapping[str, str], namespace: str, name: str) -> Place | None:
    """The place that is configured, else the Pod's namespace and its Deployment's name, which are its own.

    Two syncers of one cluster therefore never meet. None outside a Pod where no namespace is configured.

    Raises:
        MisconfiguredError: where only the host name is known, and it is the Node's (hostNetwork).

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
    """The Pod's name: POD_NAME (a field reference), else the host name, with hostNetwork the Node's."""
    return environment.get("POD_NAME", "").strip() or environment.get("HOSTNAME", "")


def nameless(host: str) -> MisconfiguredError:
    """The error where replicas on two Nodes would make two names, and so elect two leaders."""
    return MisconfiguredError(
        f"NLB_SYNC_NAME is not set, and the host name {quoted(host)} is the Node's, not the Pod's "
        "(hostNetwork); set NLB_SYNC_NAME to a name that all replicas share, or POD_NAME from metadata.name"
    )


def deployment_of(pod: str) -> str:
    """The name of the Deployment that made a Pod of this name; "" where none did."""
    made = _POD.fullmatch(pod)
    if made:
        return made["deployment"]
    return pod[:_CUT].rpartition("-")[0] if len(pod) == _LONGEST else ""


def mounted_namespace(environment: Mapping[str, str]) -> str:
    """The namespace that the kubelet mounts beside the token; "" outside a Pod."""
    return _first_line(environment, _NAMESPACE)


def _first_line(environment: Mapping[str, str], path: str) -> str:
    """The first line of a file that the kubelet mounts; "" where it cannot be read."""
    root = Path(environment.get("CONTAINER_SANDBOX_MOUNT_POINT") or "/")
    try:
        with (root / path).open(encoding="utf-8", errors="replace") as file:
            return file.readline(_LONGEST_LINE).strip()
    except (OSError, ValueError):
        return ""
