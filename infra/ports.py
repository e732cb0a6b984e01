"""NodePorts that the API server or the nodes refuse."""

from collections.abc import Iterator, Mapping
from typing import Final

from .keys import Settings
from .problems import Change, Problem

# kube-proxy's rules for a NodePort take the packets of the process with this port away. Below 1024, which
# infra/clusterkeys.py excludes, are the ports of sshd and other services of the system.
TAKEN: Final[Mapping[int, str]] = {
    10248: "the kubelet's health check",
    10249: "kube-proxy's metrics",
    10250: "the kubelet",
    10255: "the kubelet",
    10256: "kube-proxy's health check",
}
OF_THE_SYNCER: Final = (8080, 8081)
# `--service-node-port-range` of kube-apiserver. Clusters outside EKS can have another range, and the API
# server does not publish it, so a port outside the default is only a warning (infra/advice.py).
DEFAULT_RANGE: Final = range(30000, 32768)


def fixed_node_ports(settings: Settings) -> Iterator[tuple[str, int]]:
    """Yield the key and the number of every fixed NodePort. An adopted Service has its own NodePorts."""
    if not settings.ingress.create:
        return
    for index, port in enumerate(settings.ingress.ports):
        if port.node_port is not None:
            yield f"ingress.ports[{index}].nodePort", port.node_port
    if settings.ingress.health_check_node_port is not None:
        yield "ingress.healthCheckNodePort", settings.ingress.health_check_node_port


def wrong_node_ports(settings: Settings) -> Iterator[Problem]:
    """Report fixed NodePorts on which a node itself listens."""
    taken = dict(TAKEN)
    if settings.syncer.host_network:
        taken.update(dict.fromkeys(OF_THE_SYNCER, "the syncer with syncer.hostNetwork"))
    for path, port in fixed_node_ports(settings):
        if port in taken:
            read = f"{port}, a port of {taken[port]}"
            fix = f"take a port of 30000-32767, or remove {path}"
            yield Problem(path, read, "a port that is free on every node", fix)
    yield from wrong_check_port(settings)


def wrong_check_port(settings: Settings) -> Iterator[Problem]:
    """Report a healthCheckNodePort that has no effect, or that is a NodePort of the Service too."""
    path, port = "ingress.healthCheckNodePort", settings.ingress.health_check_node_port
    if port is None:
        return
    if not settings.ingress.create:
        allowed = "none beside ingress.create false: the Service has its own"
        yield Problem(path, str(port), allowed, Change(path, None))
    elif settings.target_groups or not settings.checks_locally:
        allowed = "none without healthCheck.port local"
        yield Problem(
            path, str(port), allowed, Change(path, None, after=", or set healthCheck.port to local")
        )
    for index, each in enumerate(settings.ingress.ports):
        if each.node_port == port:
            read = f"{port}, as in ingress.ports[{index}].nodePort"
            yield Problem(path, read, "a port of its own", f"change {path} or remove it")
