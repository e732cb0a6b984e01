"""An account of plain data for tests of the rules."""

from dataclasses import dataclass, field
from functools import partial

from sandbox.elbv2 import actions
from sandbox.elbv2.account import Balancer, Conditions, Delayed, Instance
from sandbox.elbv2.targets import TargetKey, Targets

A, B, C = (f"i-{letter * 17}" for letter in "abc")
HEALTHY_S, REGISTRATION_S, DELAY_S = 20.0, 5.0, 300.0
STATES = Delayed(HEALTHY_S, REGISTRATION_S)


@dataclass
class AGroup:
    """A target group of default port 80."""

    port: int = 80
    target_type: str = "instance"
    vpc_id: str = "vpc-1"
    deregistration_delay_s: float = DELAY_S
    lingering_s: float = 0.0
    targets: Targets = field(default_factory=partial(Targets, history=True))


class AnAccount:
    """Three running instances in two zones; all groups belong to one load balancer."""

    def __init__(self, groups: int = 1, conditions: Conditions | None = None) -> None:
        self.groups = [AGroup() for _ in range(groups)]
        self.instances = {
            name: Instance("running", zone, "vpc-1") for name, zone in ((A, "1a"), (B, "1a"), (C, "1b"))
        }
        self.owner: Balancer | None = Balancer(None, self.groups)
        self.given = conditions or Conditions(checks=STATES)

    def instance(self, instance_id: str) -> Instance | None:
        return self.instances.get(instance_id)

    def balancer_of(self, group: AGroup) -> Balancer | None:
        return self.owner if any(group is each for each in self.groups) else None

    def conditions(self, group: AGroup) -> Conditions:  # noqa: ARG002
        return self.given

    def register(self, *ids: str, at: float = 0.0, group: int = 0, port: int | None = None) -> None:
        actions.register(self, self.groups[group], [(one, port) for one in ids], at)

    def deregister(self, *ids: str, at: float = 0.0, group: int = 0, port: int | None = None) -> None:
        actions.deregister(self, self.groups[group], [(one, port) for one in ids], at)

    def states(self, at: float, lag_s: float = 0.0, *asked: str) -> dict[TargetKey, tuple[str, str]]:
        named = [(one, None) for one in asked] if asked else None
        found = actions.describe(self, self.groups[0], at, asked=named, lag_s=lag_s)
        return {key: (health.state, health.reason) for key, health, _, _ in found}

    def state(self, at: float, one: str = A, lag_s: float = 0.0) -> str:
        """The state of a target on the default port; `absent` if not listed."""
        return self.states(at, lag_s).get((one, 80), ("absent", ""))[0]
