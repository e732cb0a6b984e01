"""The checks of `doctor` in the cluster: rights, nodes, live NodePorts and a health check of a node."""

import socket
import urllib.error
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from http.client import HTTPException
from urllib.request import ProxyHandler, build_opener

from syncer.cluster.api import Api, RefusedError
from syncer.cluster.caller import without_namespace
from syncer.cluster.events import Workload
from syncer.cluster.once import has_nodes, internal_address, list_nodes, ports_of
from syncer.cluster.place import Place
from syncer.cluster.rights import Right, allowed, own_name
from syncer.commands.finding import Finding, fails, note, ok
from syncer.config.settings import ServicePort, Settings
from syncer.decide.desired import nobody, outcome
from syncer.decide.evaluate import evaluate
from syncer.decide.service_ports import by_label, node_port_of
from syncer.errors import ClusterError
from syncer.manifests.rbac import state_names
from syncer.model import NodeView

_PATIENCE_S = 2.0


@dataclass(slots=True)
class ClusterSeen:
    """Observed state of the cluster for the other checks; None and empty where unreadable."""

    nodes: tuple[NodeView, ...] | None = None
    ports: dict[str, dict[str, int]] = field(default_factory=dict)


def needed_rights(
    settings: Settings, workload: Workload | None, place: Place | None
) -> Iterator[tuple[Right, str]]:
    """List the rights of the syncer, with the loss without the right; "" for an essential right."""
    yield Right(verb="list", resource="nodes"), ""
    yield Right(verb="watch", resource="nodes"), "the list is read every 30 s instead"
    found = "`wait` takes instance ids only"
    if settings.server_side_selector:
        found += ", and `explain` finds no Node that the selector does not match"
    yield Right(verb="get", resource="nodes"), found
    for service in _services(settings):
        namespace, _, name = service.partition("/")
        right = Right(verb="list", resource="services", namespace=namespace, name=name)
        yield right, ""
        right = Right(verb="watch", resource="services", namespace=namespace, name=name)
        yield right, "the list is read every 30 s instead"
    if place is not None:
        for verb in ("get", "create", "update"):
            name = "" if verb == "create" else place.name  # RBAC cannot restrict a create to a name
            right = Right(
                verb=verb,
                resource="leases",
                group="coordination.k8s.io",
                namespace=place.namespace,
                name=name,
            )
            yield right, "no leader election; run one replica only"
        yield from _registry_rights(place)
    yield from _event_rights(workload)


def _registry_rights(place: Place) -> Iterator[tuple[Right, str]]:
    """List the rights for the registry's ConfigMaps; RBAC cannot restrict a create to a name."""
    first, *others = state_names(place.name)
    lost = "the ownership registry is lost at the next start"
    for verb, name in (("get", first), ("create", ""), ("patch", first)):
        right = Right(verb=verb, resource="configmaps", namespace=place.namespace, name=name)
        yield right, f"{lost}, and holds cannot be confirmed"
    for name in others:
        for verb in ("get", "patch"):
            right = Right(verb=verb, resource="configmaps", namespace=place.namespace, name=name)
            yield right, f"above 45,000 instances {lost}"


def _event_rights(workload: Workload | None) -> Iterator[tuple[Right, str]]:
    """List the rights for Events: a Node's in namespace `default`, the Deployment's beside the Deployment."""
    places = {"default": "events of Nodes"}
    if workload is not None:
        own = workload.namespace
        places[own] = "events of Nodes and of the Deployment" if own in places else "events of the Deployment"
        right = Right(
            verb="get", resource="deployments", group="apps", namespace=own, name=workload.deployment
        )
        yield right, "events of the Deployment go to the log only"
    for namespace, events in places.items():
        for verb in ("create", "patch"):
            right = Right(verb=verb, resource="events", namespace=namespace)
            yield right, f"{events} go to the log only"


def check_identity(api: Api, place: Place | None) -> Iterator[Finding]:
    """Report the identity behind the rights, and the unchecked rights."""
    try:
        yield ok("rights", f"the syncer's identity is {own_name(api)}")
    except ClusterError as error:
        yield note("rights", f"cannot read the syncer's identity: {error}")
    if place is None:
        yield note(
            "rights",
            "not checked: Lease and ownership registry, outside a Pod and without NLB_SYNC_NAMESPACE",
        )


def check_rights(api: Api, rights: Iterable[tuple[Right, str]]) -> Iterator[Finding]:
    """Report missing rights, a line for each, or a single line when all are present."""
    missing = False
    for right, lost in rights:
        try:
            if allowed(api, right):
                continue
        except ClusterError as error:
            yield fails("rights", f"cannot check the rights: {error}")
            return
        missing = True
        how = f"RBAC does not allow: {right}"
        yield note("rights", f"{how}; {lost}") if lost else fails("rights", f"{how}; grant the right")
    if not missing:
        yield ok("rights", "RBAC allows all calls of the syncer")


def check_place(api: Api, place: Place | None) -> Iterator[Finding]:
    """Check that the namespace of Lease and registry exists, by a dry-run create of a ConfigMap.

    RBAC allows requests in missing namespaces too.
    """
    if place is None:
        return
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": state_names(place.name)[0]}}
    try:
        api.small("POST", f"/api/v1/namespaces/{place.namespace}/configmaps", body, dry=True)
    except RefusedError as error:
        if error.status == 404:  # noqa: PLR2004
            yield fails("settings", str(without_namespace(error)))
    except ClusterError:
        return  # a missing answer is reported with the rights


def check_cluster(api: Api, settings: Settings, seen: ClusterSeen) -> Iterator[Finding]:
    """Read nodes and Services into `seen` and report the results."""
    try:
        seen.nodes = list_nodes(api, settings.node_policy, settings.sent_selector)
        why = _nobody(api, settings, seen.nodes)
    except ClusterError as error:
        yield fails("nodes", str(error))
    else:
        listed = f"{len(seen.nodes)} nodes are listed"
        yield fails("nodes", f"{listed}, but {why}") if why else ok("nodes", listed)
    for service in _services(settings):
        try:
            ports = ports_of(api, service)
        except ClusterError as error:
            yield fails("service", str(error))
            continue
        followed = {
            each.port
            for each in settings.groups
            if isinstance(each.port, ServicePort) and each.port.service == service
        }
        found = {each: node_port_of(ports, each.port) for each in followed}
        seen.ports[service] = {port.label: port.node_port for port in ports if port.node_port}
        seen.ports[service] |= {each.port: number for each, number in found.items() if number}
        for each in sorted(followed, key=str):
            if not found[each]:
                yield fails("service", each.missing(by_label(ports)))
        if all(found.values()):
            listed = ", ".join(f"{each.port} {found[each]}".lstrip() for each in sorted(followed, key=str))
            yield ok("service", f"{service} has the NodePorts {listed}")


def _nobody(api: Api, settings: Settings, nodes: Sequence[NodeView]) -> str:
    """Return why no Node may be a target; "" if any may, or if the cluster has no Node."""
    if nodes or not settings.sent_selector:
        verdicts = evaluate(nodes, frozenset(), settings.node_policy).verdicts
        return nobody(Counter(map(outcome, verdicts)))
    if not has_nodes(api):
        return ""
    return (
        "the cluster has nodes: the API server selects none by the label selector "
        f"{settings.node_selector.text} (NLB_SYNC_SERVER_SIDE_SELECTOR is true); correct the selector"
    )


def answers(
    api: Api, nodes: Sequence[NodeView], protocol: str, port: int, path: str
) -> tuple[bool | None, str]:
    """Return whether a Ready node answers the health check from here; None where unknown."""
    ready = [node for node in nodes if node.ready and node.instance_id is not None]
    result = "no Ready node has an InternalIP"
    for node in ready[:3]:
        try:
            address = internal_address(api, node.name)
        except ClusterError as error:
            return None, str(error)
        if not address:
            continue
        good, result = _knock(protocol, address, port, path)
        if good is not None:
            return good, f"{node.name} {result}"
    return None, result


def _knock(protocol: str, address: str, port: int, path: str) -> tuple[bool | None, str]:
    """Check health as AWS does. A failed connection proves nothing: a firewall may admit the NLB only."""
    where = f"{address}:{port}"
    try:
        if protocol == "TCP":
            socket.create_connection((address, port), _PATIENCE_S).close()
            return True, f"accepts connections on {where}"
        url = f"{protocol.lower()}://{where}{path}"
        with build_opener(ProxyHandler({})).open(url, timeout=_PATIENCE_S) as reply:
            return True, f"answers {reply.status} on {where}{path}"
    except urllib.error.HTTPError as error:
        with error:
            return False, f"answers {error.code} on {where}{path}"
    except HTTPException:
        return False, f"does not answer HTTP on {where}{path}"
    except OSError as error:
        return None, f"cannot be reached from here on {where} ({getattr(error, 'reason', error)})"


def _services(settings: Settings) -> list[str]:
    return sorted({each.port.service for each in settings.groups if isinstance(each.port, ServicePort)})
