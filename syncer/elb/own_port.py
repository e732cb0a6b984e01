"""Port 0 stands for a group's own port, where AWS does not let us ask which one that is."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from syncer.model import InstanceId, Target, TargetGroupArn, TargetHealth

OWN = 0


class OwnPorts:
    """Learns a group's own port from where targets that were registered without a port turn up."""

    def __init__(self) -> None:
        self._asked: dict[TargetGroupArn, set[InstanceId]] = {}
        self._learnt: dict[TargetGroupArn, int] = {}

    def registering(self, group: TargetGroupArn, targets: Iterable[Target]) -> None:
        """Remember which instances are registered without a port."""
        without = {target.id for target in targets if target.port == OWN}
        if without and group not in self._learnt:
            self._asked.setdefault(group, set()).update(without)

    def seen(self, group: TargetGroupArn, healths: Sequence[TargetHealth]) -> Sequence[TargetHealth]:
        """What AWS lists, with the own port written as 0 once it is learnt."""
        asked = self._asked.get(group) or set()
        if group not in self._learnt:
            ports = {health.target.port for health in healths if health.target.id in asked}
            if len(ports) != 1:
                return healths  # nothing there yet, or an instance that is also there on another port
            self._learnt[group] = ports.pop()
            self._asked.pop(group, None)
        own = self._learnt[group]
        return [
            replace(health, target=Target(health.target.id, OWN)) if health.target.port == own else health
            for health in healths
        ]
