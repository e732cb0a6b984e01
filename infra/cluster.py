"""Compare the configuration with the cluster: namespaces that it lacks, NodePorts of other Services."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Final

import pulumi

from .clusterreads import connected, foreign, get
from .keys import Settings
from .ports import fixed_node_ports
from .problems import Change, Problem

_SERVICES: Final = "/api/v1/services"


def wrong_in_cluster(settings: Settings, opts: pulumi.ResourceOptions | None) -> Iterator[Problem]:
    """Report namespaces that the cluster lacks, and fixed NodePorts that another Service has.

    Only the default Kubernetes provider's cluster is read: the SDK does not reveal the kubeconfig of a
    provider resource. A component with dependencies may get its namespace from them. An unreachable cluster
    is not a problem here: the provider reports it where it matters.
    """
    wanted, ports = _namespaces(settings), list(fixed_node_ports(settings))
    if not (wanted or ports) or foreign(opts):
        return
    client = connected()
    if client is None:
        return
    for name, problem in wanted.items():
        if is_missing(client, name):
            yield problem
    if ports:
        yield from _taken(settings, ports, client)


def _namespaces(settings: Settings) -> dict[str, Problem]:
    """Return the problem of each namespace that the stack does not create, for a cluster that lacks it."""
    ingress, syncer = settings.ingress, settings.syncer.namespace
    wanted: dict[str, Problem] = {}
    allowed = "a namespace of the cluster"
    if isinstance(ingress.namespace, str) and not ingress.create_namespace:
        path, fix = "ingress.namespace", Change("ingress.createNamespace", "true")
        missing = f"{ingress.namespace}, which the cluster lacks"
        other = f"give the namespace of the Service {ingress.name}"
        wanted[ingress.namespace] = Problem(path, missing, allowed, fix if ingress.create else other)
    if isinstance(syncer, str) and syncer != ingress.namespace:
        fix_ = f"kubectl create namespace {syncer}"
        wanted[syncer] = Problem("syncer.namespace", f"{syncer}, which the cluster lacks", allowed, fix_)
    return wanted


def is_missing(client: Any, namespace: str) -> bool:
    """Return whether the cluster certainly lacks a namespace."""
    path, check = f"/api/v1/namespaces/{namespace}", "whether the namespaces exist"
    code, body = get(client, path, "`get` of namespaces", check)
    return code == HTTPStatus.NOT_FOUND and body["kind"] == "Status"


def _taken(settings: Settings, ports: list[tuple[str, int]], client: Any) -> Iterator[Problem]:
    """Report fixed NodePorts that the API server has given to another Service than the stack's."""
    own, home = settings.ingress.name, settings.ingress.namespace
    _, body = get(client, _SERVICES, "`list` of Services", "whether other Services have the NodePorts")
    users: dict[int, str] = {}
    for service in body.get("items") or ():
        namespace, name = service["metadata"]["namespace"], service["metadata"]["name"]
        if name == own and (namespace == home or not isinstance(home, str)):
            continue
        spec = service.get("spec") or {}
        numbers = {each.get("nodePort") for each in spec.get("ports") or ()}
        numbers.add(spec.get("healthCheckNodePort"))
        users.update(dict.fromkeys(numbers - {None, 0}, f"{namespace}/{name}"))
    for path, number in ports:
        if number in users:
            read = f"{number}, a NodePort of the Service {users[number]}"
            fix = f"remove {path} and let the API server choose, or take another number"
            yield Problem(path, read, "a NodePort that no other Service has", fix)
