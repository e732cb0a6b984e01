"""Notes what happens to targets, once, for all who tell of it: counters, histograms, events."""

from collections.abc import Iterable, Mapping, Sequence

from syncer.group import Group
from syncer.model import InstanceId, NodeView, Target, TargetState
from syncer.ports import Clock, Cluster
from syncer.tally import Tally


class Chronicle:
    """Called on the loop by those who write and read. Times are seconds since the epoch.

    How long a node waits for its traffic is counted for nodes that turned Ready since the start: what a
    restart finds has not waited for us.
    """

    def __init__(self, cluster: Cluster, tally: Tally, clock: Clock) -> None:
        self._cluster = cluster
        self._tally = tally
        self._clock = clock
        self._started = clock.now()
        self._joining: dict[tuple[str, Target], float] = {}

    def registered(self, group: Group, targets: Sequence[Target]) -> None:
        """AWS acknowledged the registration of `targets`, none of which was registered before."""
        now, nodes = self._clock.now(), self._nodes(targets)
        for target in targets:
            node = nodes.get(target.id)
            if node is None or node.ready_since is None or node.ready_since < self._started:
                continue
            self._tally.ready_to_registered[group.arn].observe(now - node.ready_since)
            self._joining[group.arn, target] = node.ready_since

    def deregistered(self, group: Group, targets: Sequence[Target]) -> None:
        """AWS acknowledged the deregistration of `targets`."""
        for target in targets:
            self._joining.pop((group.arn, target), None)

    def read(self, group: Group) -> None:
        """The group was read: those that joined may be healthy now, or gone again."""
        for (arn, target), ready_since in list(self._joining.items()):
            if arn != group.arn:
                continue
            health = group.actual.targets.get(target)
            if health is not None and health.state is TargetState.HEALTHY:
                self._tally.ready_to_healthy[group.arn].observe(self._clock.now() - ready_since)
            elif health is not None and health.registered:
                continue
            del self._joining[arn, target]

    def _nodes(self, targets: Iterable[Target]) -> Mapping[InstanceId, NodeView]:
        """The Node of each target's instance; of several the newest."""
        asked = {target.id for target in targets}
        known = (self._cluster.nodes or {}).values()
        found = [node for node in known if node.instance_id in asked]
        return {node.instance_id: node for node in sorted(found, key=_age) if node.instance_id is not None}


def _age(node: NodeView) -> float:
    return node.created
