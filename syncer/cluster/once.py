"""A single read of the cluster, for commands: the rights and pages of the watch, but no watch."""

from syncer.cluster.api import Api, RefusedError, page_of
from syncer.cluster.decode import node_page
from syncer.decide.nodes import node_view
from syncer.decide.policy import NodePolicy
from syncer.decide.service_ports import LivePort, live_ports
from syncer.model import NodeView

_PAGE = "250"
_NOT_FOUND = 404


def list_nodes(api: Api, policy: NodePolicy, label_selector: str = "") -> tuple[NodeView, ...]:
    """Return every Node that the API server selects, complete; ClusterError otherwise."""
    views: list[NodeView] = []
    token = ""
    selection = {"labelSelector": label_selector} if label_selector else {}
    while True:
        query = {**selection, "limit": _PAGE, **({"continue": token} if token else {})}
        page = page_of("nodes", api.get("/api/v1/nodes", query, node_page), token)
        views += [node_view(item, policy) for item in page.items]
        if not page.rest:
            return tuple(views)
        token = page.rest


def has_nodes(api: Api) -> bool:
    """Return whether the cluster has any Node, by a list of at most one."""
    return bool(page_of("nodes", api.get("/api/v1/nodes", {"limit": "1"}, node_page), "").items)


def find_node(api: Api, name: str, policy: NodePolicy) -> NodeView | None:
    """Return the Node of this name, or None. Needs the right to `get` nodes."""
    try:
        return node_view(api.get(f"/api/v1/nodes/{name}", {}), policy)
    except RefusedError as error:
        if error.status == _NOT_FOUND:
            return None
        raise


def ports_of(api: Api, service: str) -> tuple[LivePort, ...]:
    """Return the TCP ports of the Service `namespace/name`; empty if the Service does not exist."""
    namespace, _, name = service.partition("/")
    query = {"fieldSelector": f"metadata.name={name}"}
    found = api.get(f"/api/v1/namespaces/{namespace}/services", query).get("items") or ()
    return tuple(port for item in found for port in live_ports(item))


def internal_address(api: Api, name: str) -> str:
    """Return the InternalIP of a Node; "" without one."""
    addresses = (api.get(f"/api/v1/nodes/{name}", {}).get("status") or {}).get("addresses") or ()
    return next((str(each["address"]) for each in addresses if each.get("type") == "InternalIP"), "")
