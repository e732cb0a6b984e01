"""Port 0 is a placeholder for a group's own port, where AWS denies the read of the port."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from syncer.model import InstanceId, Target, TargetGroupArn, TargetHealth

OWN = 0


class OwnPorts:
    """Learns a group's own port from the listed port of targets that were registered without a port."""

    def __init__(self) -> None:
        self._without_port: dict[TargetGroupArn, set[InstanceId]] = {}
        self._learnt: dict[TargetGroupArn, int] = {}

    def registering(self, group: TargetGroupArn, targets: Iterable[Target]) -> None:
        """Remember the instances that are registered without a port."""
        without = {target.id for target in targets if target.port == OWN}
        if without and group not in self._learnt:
            self._without_port.setdefault(group, set()).update(without)

    def seen(self, group: TargetGroupArn, healths: Sequence[TargetHealth]) -> Sequence[TargetHealth]:
        """Return AWS's list, with the own port written as 0 once the port is known."""
        instances = self._without_port.get(group) or set()
        if group not in self._learnt:
            ports = {health.target.port for health in healths if health.target.id in instances}
            if len(ports) != 1:
                return healths  # not listed yet, or an instance that is also listed with another port
            self._learnt[group] = ports.pop()
            self._without_port.pop(group, None)
        own = self._learnt[group]
        return [
            replace(health, target=Target(health.target.id, OWN)) if health.target.port == own else health
            for health in healths
        ]
