"""NodePorts that the API server or the nodes refuse."""

from collections.abc import Iterator, Mapping
from typing import Final

from .keys import Settings
from .problems import Problem

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


def wrong_node_ports(settings: Settings) -> Iterator[Problem]:
    """Report fixed NodePorts on which a node itself listens. An adopted Service has its own NodePorts."""
    taken = dict(TAKEN)
    if settings.syncer.host_network:
        taken.update(dict.fromkeys(OF_THE_SYNCER, "the syncer with syncer.hostNetwork"))
    for index, port in enumerate(settings.ingress.ports if settings.ingress.create else ()):
        if port.node_port in taken:
            path = f"ingress.ports[{index}].nodePort"
            read = f"{port.node_port}, a port of {taken[port.node_port]}"
            fix = f"take a port of 30000-32767, or remove {path}"
            yield Problem(path, read, "a port that is free on every node", fix)
