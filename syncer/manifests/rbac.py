"""The syncer's rights in the cluster: read nodes and followed Services, write state and events."""

from collections.abc import Sequence
from typing import Any, Final

from syncer.manifests import Manifest
from syncer.manifests.pod import service_account_name

GROUP: Final = "rbac.authorization.k8s.io"
FOLLOW: Final = ["list", "watch"]
# The most ConfigMaps of the ownership registry: 3.6 MB, some 180,000 instances (ADR 0038).
STATE_MAPS: Final = 4


def service_account(name: Any, namespace: Any) -> Manifest:
    """Return the syncer's ServiceAccount."""
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": service_account_name(name), "namespace": namespace},
        "automountServiceAccountToken": False,  # the Pod's spec mounts the token
    }


def cluster_role(name: Any) -> Manifest:
    """Allow reads of nodes."""
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "ClusterRole",
        "metadata": {"name": name + "-role"},
        "rules": [rule("", "nodes", ["get", *FOLLOW])],
    }


def cluster_binding_name(name: Any) -> Any:
    """Return the name of the binding of `cluster_role`, as in the predecessor."""
    return name + "-role-binding"


def service_role(name: Any, namespace: Any, services: Any) -> Manifest:
    """Allow the named Services only: a list or watch needs `metadata.name=` as field selector."""
    return role(name + "-service", namespace, [rule("", "services", FOLLOW, services)])


def node_events_role(name: Any) -> Manifest:
    """Allow Events of Nodes; their namespace is `default`."""
    return role(name + "-node-events", "default", [_events()])


def events_role(name: Any, namespace: Any) -> Manifest:
    """Allow Events in the Deployment's namespace, and a get of the Deployment for the uid."""
    return role(name + "-events", namespace, [_events(), rule("apps", "deployments", ["get"], [name])])


def state_role(name: Any, namespace: Any) -> Manifest:
    """Allow the Lease, named like the Deployment, and registry; `create` cannot be restricted to a name."""
    leases, registry = ("coordination.k8s.io", "leases"), ("", "configmaps")
    rules = [
        rule(*leases, ["create"]),
        rule(*leases, ["get", "update"], [name]),
        rule(*registry, ["create"]),
        rule(*registry, ["get", "patch"], state_names(name)),
    ]
    return role(name + "-state", namespace, rules)


def state_names(name: Any) -> list[Any]:
    """Return the names of the registry's ConfigMaps; all but the first are for large clusters only."""
    return [name + "-state", *(name + f"-state-{number}" for number in range(1, STATE_MAPS))]


def _events() -> Manifest:
    return rule("", "events", ["create", "patch"])


def rule(group: str, resource: str, verbs: Sequence[str], names: Any = None) -> Manifest:
    """Return a rule for one resource, restricted to `names` if given."""
    held = {} if names is None else {"resourceNames": names}
    return {"apiGroups": [group], "resources": [resource], **held, "verbs": verbs}


def role(name: Any, namespace: Any, rules: list[Manifest]) -> Manifest:
    """Return a Role in one namespace."""
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "Role",
        "metadata": {"name": name, "namespace": namespace},
        "rules": rules,
    }


def binding(
    role: Manifest, account: Any, namespace: Any, *, name: Any = None, role_name: Any = None
) -> Manifest:
    """Return the binding of a Role or ClusterRole to the ServiceAccount `account` of `namespace`.

    The binding's name is `name`, else the role's; `role_name` replaces the role's name as a reference.
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
