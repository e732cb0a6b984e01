"""Target groups and instances of the fake; `sandbox.elbv2` has the rules.

No quotas and no data plane: a target turns healthy a fixed time after its registration, or after the start of
its instance. Times are monotonic seconds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bench.aws import xml
from sandbox.elbv2 import actions
from sandbox.elbv2.account import Balancer, Conditions, Delayed, Instance
from sandbox.elbv2.actions import Described, Named
from sandbox.elbv2.errors import Refusal
from sandbox.elbv2.targets import TargetKey, Targets

RUNNING = "running"


@dataclass(slots=True)
class Group:
    """A target group of type instance. `body`: DescribeTargetHealth as rendered, valid until `body_until`."""

    arn: str
    port: int
    deregistration_delay_s: float = 300.0
    lingering_s: float = 0.0
    target_type: str = "instance"
    vpc_id: str = ""
    targets: Targets = field(default_factory=Targets)
    body: bytes = b""
    body_until: float = 0.0

    @property
    def name(self) -> str:
        """Return the group's name."""
        return self.arn.split("/")[1]

    def forget(self) -> None:
        """Invalidate the rendered response."""
        self.body_until = 0.0


class Cloud:
    """Groups of one load balancer by ARN, instances by id; `sandbox.elbv2.account.Account`."""

    def __init__(
        self,
        groups: Mapping[str, int] | None = None,
        instances: Mapping[str, str] | None = None,
        *,
        healthy_after: float = 3.0,
        drain: float = 300.0,
    ) -> None:
        self.groups = {arn: Group(arn, port, drain) for arn, port in (groups or {}).items()}
        self.instances = {one: Instance(state) for one, state in (instances or {}).items()}
        self._balancer = Balancer(None, list(self.groups.values()))
        self._conditions = Conditions(checks=Delayed(healthy_after))

    def group(self, arn: str) -> Group:
        """Return the group. Raises AWS's refusal for an unknown ARN."""
        try:
            return self.groups[arn]
        except KeyError:
            raise Refusal("TargetGroupNotFound", f"Target groups '{arn}' not found") from None

    def set_states(self, states: Mapping[str, str], now: float) -> None:
        """Change the state of instances; the checks of a started instance begin afresh."""
        for one, state in states.items():
            known = self.instances.get(one)
            if known is None or known.state != state:
                self.instances[one] = Instance(state, started_at=now)
        for group in self.groups.values():
            group.forget()

    def register(self, group: Group, targets: Named, now: float) -> None:
        """RegisterTargets."""
        actions.register(self, group, targets, now)
        group.forget()

    def deregister(self, group: Group, targets: Named, now: float) -> None:
        """DeregisterTargets."""
        actions.deregister(self, group, targets, now)
        group.forget()

    def health(self, group: Group, asked: Sequence[tuple[str, int]], now: float) -> bytes:
        """DescribeTargetHealth of the whole group, or of the given targets, registered or not."""
        if asked:
            return _rendered(actions.describe(self, group, now, asked=asked))
        if now >= group.body_until:
            group.body = _rendered(actions.describe(self, group, now))
            group.body_until = actions.next_change(self, group, now)
        return group.body

    def states(self, group: Group, now: float) -> dict[TargetKey, str]:
        """Return the state of every target of the group."""
        return {key: health.state for key, health, _, _ in actions.describe(self, group, now)}

    def instance(self, instance_id: str) -> Instance | None:
        """Return the instance; None for an unknown id."""
        return self.instances.get(instance_id)

    def balancer_of(self, _group: Group) -> Balancer:
        """Return the load balancer."""
        return self._balancer

    def conditions(self, _group: Group) -> Conditions:
        """Return the limits in force."""
        return self._conditions


def _rendered(found: Sequence[Described]) -> bytes:
    return xml.health((key, health.state, health.reason) for key, health, _, _ in found)
