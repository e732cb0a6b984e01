"""The changes of EKS's webhook to a Pod with an AWS role: pure.

The names are from github.com/aws/amazon-eks-pod-identity-webhook (pkg/handler, pkg/containercredentials): a
Pod Identity association has priority over the ServiceAccount's annotation, a container that already sets one
of the variables keeps its own value, and containers named in the Pod's skip annotation get nothing.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sandbox.layout import REGION

Object = dict[str, Any]

ROLE_ANNOTATION: Final = "eks.amazonaws.com/role-arn"
_SKIP_ANNOTATION: Final = "eks.amazonaws.com/skip-containers"  # on the Pod
_AUDIENCE_ANNOTATION: Final = "eks.amazonaws.com/audience"
_EXPIRATION_ANNOTATION: Final = "eks.amazonaws.com/token-expiration"
_EXPIRATION_S: Final = 86_400
AGENT_URL: Final = "http://169.254.170.23"  # the same on every node (EKS user guide)
_REGIONAL: Final = {
    "AWS_STS_REGIONAL_ENDPOINTS": "regional",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_REGION": REGION,
}
# The AWS SDK's files: the SDK has no setting for a mount point other than the root directory.
FILES: Final = (
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_CA_BUNDLE",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A token for a Pod, and its variables; `own` are variables that a container can also set itself."""

    volume: str
    directory: str
    file: str
    audience: str
    seconds: int
    own: Mapping[str, str]


def pod_identity(agent_url: str) -> Grant:
    """Return the grant of a Pod whose ServiceAccount has a Pod Identity association."""
    directory, file = "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount", "eks-pod-identity-token"
    return Grant(
        volume="eks-pod-identity-token",
        directory=directory,
        file=file,
        audience="pods.eks.amazonaws.com",
        seconds=_EXPIRATION_S,
        own={
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{agent_url}/v1/credentials",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": f"{directory}/{file}",
        },
    )


def service_account_role(account: Mapping[str, Any]) -> Grant | None:
    """Return the grant of a Pod by the role annotation of its ServiceAccount; None without the annotation."""
    annotations = account["metadata"].get("annotations", {})
    if not annotations.get(ROLE_ANNOTATION):
        return None
    directory = "/var/run/secrets/eks.amazonaws.com/serviceaccount"
    return Grant(
        volume="aws-iam-token",
        directory=directory,
        file="token",
        audience=annotations.get(_AUDIENCE_ANNOTATION, "sts.amazonaws.com"),
        seconds=int(annotations.get(_EXPIRATION_ANNOTATION, _EXPIRATION_S)),
        own={
            "AWS_ROLE_ARN": annotations[ROLE_ANNOTATION],
            "AWS_WEB_IDENTITY_TOKEN_FILE": f"{directory}/token",
        },
    )


def granted(pod: Object, grant: Grant | None) -> Object:
    """Return the Pod with volume, mounts and variables of `grant`."""
    if grant is None:
        return pod
    changed = copy.deepcopy(pod)
    spec = changed["spec"]
    containers = [one for kind in ("initContainers", "containers") for one in spec.get(kind, [])]
    skipped = pod.get("metadata", {}).get("annotations", {}).get(_SKIP_ANNOTATION, "").split(",")
    takers = [one for one in containers if not grant.own.keys() & _names(one) and one["name"] not in skipped]
    for container in takers:
        added = {**{k: v for k, v in _REGIONAL.items() if k not in _names(container)}, **grant.own}
        container["env"] = [
            *container.get("env", []),
            *({"name": name, "value": value} for name, value in added.items()),
        ]
        mount = {"name": grant.volume, "mountPath": grant.directory, "readOnly": True}
        container["volumeMounts"] = [*container.get("volumeMounts", []), mount]
    if takers:
        token = {"path": grant.file, "audience": grant.audience, "expirationSeconds": grant.seconds}
        volume = {"name": grant.volume, "projected": {"sources": [{"serviceAccountToken": token}]}}
        spec["volumes"] = [*spec.get("volumes", []), volume]
    return changed


def moved_files(env: Mapping[str, str], container: Mapping[str, Any], root: str) -> dict[str, str]:
    """Return the variables with a file in a volume, with the path below `root`, the directory of mounts."""
    mounts = [mount["mountPath"].rstrip("/") for mount in container.get("volumeMounts", [])]
    return {
        name: root + env[name]
        for name in FILES
        if any(env.get(name, "").startswith(f"{mount}/") for mount in mounts)
    }


def moved_agent(env: Mapping[str, str], agent_url: str) -> dict[str, str]:
    """Return the variable of the Pod Identity agent's link-local address, with the sandbox's address."""
    name = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
    uri = env.get(name, "")
    return {name: uri.replace(AGENT_URL, agent_url, 1)} if uri.startswith(f"{AGENT_URL}/") else {}


def _names(container: Mapping[str, Any]) -> set[str]:
    return {variable["name"] for variable in container.get("env", [])}
