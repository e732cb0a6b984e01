"""Whether AWS checks the health of a group on a port that its Service has no more (safety rule 8)."""

from collections.abc import Collection, Iterable

from syncer.model import TargetHealth, TargetState

# kube-apiserver --service-node-port-range. A check elsewhere, such as kube-proxy's own 10256, is no NodePort.
_NODE_PORTS = range(30000, 32768)


def stale_check_port(healths: Iterable[TargetHealth], port: int, live: Collection[int]) -> int | None:
    """The port of the group's health check, where it is stale; None where nothing shows that it is.

    It is stale when it is a NodePort, but none of the Service's `live` ones, and what is registered on
    `port`, the group's own live one, fails the check. Where a target passes, somebody answers on purpose.
    """
    ours = [health for health in healths if health.target.port == port and health.registered]
    states = {health.state for health in ours}
    if TargetState.HEALTHY in states or TargetState.UNHEALTHY not in states:
        return None
    asked = {health.check_port for health in ours}
    return next((each for each in asked if each in _NODE_PORTS and each not in live), None)
