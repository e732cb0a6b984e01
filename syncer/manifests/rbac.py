"""What the syncer may do in the cluster: read nodes and its Services, write its state and events."""

from collections.abc import Sequence
from typing import Any, Final

from syncer.manifests import Manifest
from syncer.manifests.pod import service_account_name

GROUP: Final = "rbac.authorization.k8s.io"
FOLLOW: Final = ["list", "watch"]


def service_account(name: Any, namespace: Any) -> Manifest:
    """The syncer's ServiceAccount."""
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": service_account_name(name), "namespace": namespace},
        "automountServiceAccountToken": False,  # the Pod asks for its token itself
    }


def cluster_role(name: Any) -> Manifest:
    """Read nodes."""
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "ClusterRole",
        "metadata": {"name": name + "-role"},
        "rules": [rule("", "nodes", ["get", *FOLLOW])],
    }


def cluster_binding_name(name: Any) -> Any:
    """The binding of `cluster_role`, as the predecessor called it."""
    return name + "-role-binding"


def service_role(name: Any, namespace: Any, services: Any) -> Manifest:
    """Held to the names: only a list or watch with `metadata.name=` as field selector passes."""
    return role(name + "-service", namespace, [rule("", "services", FOLLOW, services)])


def node_events_role(name: Any) -> Manifest:
    """Events of Nodes lie in namespace default."""
    return role(name + "-node-events", "default", [_events()])


def events_role(name: Any, namespace: Any) -> Manifest:
    """Events of the Deployment lie beside it; it is found by its uid."""
    return role(name + "-events", namespace, [_events(), rule("apps", "deployments", ["get"], [name])])


def state_role(name: Any, namespace: Any) -> Manifest:
    """The Lease, called like the Deployment, and the registry; `create` cannot be held to a name."""
    leases, registry = ("coordination.k8s.io", "leases"), ("", "configmaps")
    rules = [
        rule(*leases, ["create"]),
        rule(*leases, ["get", "update"], [name]),
        rule(*registry, ["create"]),
        rule(*registry, ["get", "patch"], [name + "-state"]),
    ]
    return role(name + "-state", namespace, rules)


def _events() -> Manifest:
    return rule("", "events", ["create", "patch"])


def rule(group: str, resource: str, verbs: Sequence[str], names: Any = None) -> Manifest:
    """A rule for one resource, held to `names` where there are any."""
    held = {} if names is None else {"resourceNames": names}
    return {"apiGroups": [group], "resources": [resource], **held, "verbs": verbs}


def role(name: Any, namespace: Any, rules: list[Manifest]) -> Manifest:
    """A Role in one namespace."""
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "Role",
        "metadata": {"name": name, "namespace": namespace},
        "rules": rules,
    }


def binding(
    role: Manifest, account: Any, namespace: Any, *, name: Any = None, role_name: Any = None
) -> Manifest:
    """The binding of a Role or ClusterRole to the ServiceAccount `account` of `namespace`.

    It is called like the role unless there is a `name`; `role_name` replaces the role's name as a reference.
    """
    kind, metadata = role["kind"], role["metadata"]
    referred = metadata["name"] if role_name is None else role_name
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": f"{kind}Binding",
        "metadata": {**metadata, "name": metadata["name"] if name is None else name},
        "roleRef": {"apiGroup": GROUP, "kind": kind, "name": referred},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": namespace}],
    }
