"""Read the own identity and rights from the API server; the requests need no right."""

from dataclasses import dataclass

from syncer.cluster.api import Api

_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_WHO = "/apis/authentication.k8s.io/v1/selfsubjectreviews"


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """A verb on a resource; `group` "" is the core API, `namespace` "" the whole cluster."""

    verb: str
    resource: str
    group: str = ""
    namespace: str = ""
    name: str = ""

    def __str__(self) -> str:
        """Describe the right for users: `list services/ingress in default`."""
        named = f"{self.resource}/{self.name}" if self.name else self.resource
        return f"{self.verb} {named}" + (f" in {self.namespace}" if self.namespace else "")


def allowed(api: Api, right: Right) -> bool:
    """Return whether RBAC allows the right; ClusterError without an answer."""
    attributes = {
        "verb": right.verb,
        "resource": right.resource,
        "group": right.group,
        "namespace": right.namespace,
        "name": right.name,
    }
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {key: value for key, value in attributes.items() if value}},
    }
    answer = api.small("POST", _REVIEWS, body)
    return bool((answer.get("status") or {}).get("allowed"))


def own_name(api: Api) -> str:
    """Return the syncer's name in the API server, `system:serviceaccount:NAMESPACE:NAME` in a Pod.

    By a SelfSubjectReview (Kubernetes 1.28).
    """
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    user = (api.small("POST", _WHO, body).get("status") or {}).get("userInfo") or {}
    return str(user.get("username") or "")
