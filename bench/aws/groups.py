"""Target groups and instances, and AWS's rules for calls on target groups.

The rules are those of the sandbox's AWS (sandbox/cloud/elbv2, docs/sandbox-cloud.md) without quotas and data
plane: a target turns healthy a fixed time after registration. Times are monotonic seconds.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from bench.aws import xml

RUNNING = "running"


class Key(NamedTuple):
    """The key of a target."""

    id: str
    port: int


class Refusal(Exception):  # noqa: N818 (an AWS error response, not a fault of the fake)
    """An error response of AWS."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(slots=True)
class Target:
    """A registered or draining target."""

    healthy_at: float
    drained_at: float | None = None


@dataclass(slots=True)
class Group:
    """A target group of type instance. `body`: DescribeTargetHealth as rendered, valid until `body_until`."""

    arn: str
    port: int
    targets: dict[Key, Target] = field(default_factory=dict)
    body: bytes = b""
    body_until: float = 0.0

    @property
    def name(self) -> str:
        """Return the group's name."""
        return self.arn.split("/")[1]

    def forget(self) -> None:
        """Invalidate the rendered response."""
        self.body_until = 0.0


@dataclass(slots=True)
class Cloud:
    """Groups by ARN, and `instances`: EC2 state by id."""

    groups: dict[str, Group] = field(default_factory=dict)
    instances: dict[str, str] = field(default_factory=dict)
    healthy_after: float = 3.0
    drain: float = 300.0

    def group(self, arn: str) -> Group:
        """Return the group. Raises AWS's refusal for an unknown ARN."""
        try:
            return self.groups[arn]
        except KeyError:
            raise Refusal("TargetGroupNotFound", f"Target groups '{arn}' not found") from None

    def register(self, group: Group, keys: Sequence[Key], now: float) -> None:
        """Register all or none; a registered target is unchanged, a draining target is registered afresh."""
        self._require_running([key.id for key in keys])
        for key in keys:
            known = group.targets.get(key)
            if known is None or known.drained_at is not None:
                group.targets[key] = Target(now + self.healthy_after)
        group.forget()

    def deregister(self, group: Group, keys: Sequence[Key], now: float) -> None:
        """Deregister targets; an unregistered target is no error, a draining target continues to drain."""
        for key in keys:
            target = group.targets.get(key)
            if target is not None and target.drained_at is None:
                target.drained_at = now + self.drain
        group.forget()

    def health(self, group: Group, asked: Sequence[Key], now: float) -> bytes:
        """DescribeTargetHealth of the whole group, or of the given targets, registered or not."""
        if asked:
            return xml.health(self._states(group, asked, now))
        if now >= group.body_until:
            self._render(group, now)
        return group.body

    def states(self, group: Group, now: float) -> dict[Key, str]:
        """Return the state of every target of the group."""
        return {key: state for key, state, _ in self._states(group, list(group.targets), now)}

    def _render(self, group: Group, now: float) -> None:
        for key in [key for key, target in group.targets.items() if _over(target.drained_at, now)]:
            del group.targets[key]
        changes = [
            target.drained_at if target.drained_at is not None else target.healthy_at
            for target in group.targets.values()
        ]
        group.body_until = min((at for at in changes if at > now), default=float("inf"))
        group.body = xml.health(self._states(group, list(group.targets), now))

    def _states(self, group: Group, keys: Iterable[Key], now: float) -> list[tuple[Key, str, str]]:
        return [(key, *self._state(group.targets.get(key), key.id, now)) for key in keys]

    def _state(self, target: Target | None, instance: str, now: float) -> tuple[str, str]:
        if target is None or _over(target.drained_at, now):
            return "unused", "Target.NotRegistered"
        if target.drained_at is not None:
            return "draining", "Target.DeregistrationInProgress"
        if self.instances.get(instance) != RUNNING:
            return "unused", "Target.InvalidState"
        if now < target.healthy_at:
            return "initial", "Elb.InitialHealthChecking"
        return "healthy", ""

    def _require_running(self, ids: Sequence[str]) -> None:
        unknown = [one for one in ids if one not in self.instances]
        if unknown:
            raise Refusal("InvalidTarget", f"The following instances do not exist: {_quoted(unknown)}")
        idle = [one for one in ids if self.instances[one] != RUNNING]
        if idle:
            raise Refusal(
                "InvalidTarget",
                f"The following targets are not in a running state and cannot be registered: {_quoted(idle)}",
            )


def _over(moment: float | None, now: float) -> bool:
    return moment is not None and now >= moment


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
