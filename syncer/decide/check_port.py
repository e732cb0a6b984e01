"""Detects a group health check on a NodePort that the Service no longer has (safety rule 8)."""

from collections.abc import Collection, Iterable

from syncer.model import TargetHealth, TargetState

# Range of kube-apiserver --service-node-port-range. Another check port, such as 10256 of kube-proxy, is no
# NodePort.
NODE_PORTS = range(30000, 32768)


def stale_check_port(healths: Iterable[TargetHealth], port: int, live: Collection[int]) -> int | None:
    """Return the health check port of the group if stale, else None.

    The port is stale if it is a NodePort outside the Service's `live` NodePorts, and the registered targets
    on `port`, the group's live NodePort, fail the check. If a target passes, the check port is in use on
    purpose.
    """
    ours = [health for health in healths if health.target.port == port and health.registered]
    states = {health.state for health in ours}
    if TargetState.HEALTHY in states or TargetState.UNHEALTHY not in states:
        return None
    check_ports = {health.check_port for health in ours}
    return next((each for each in check_ports if each in NODE_PORTS and each not in live), None)
