"""`wait NODE --drained|--healthy`: for drain scripts and lifecycle hooks.

Exit codes: 0 reached, 1 the time is over, 2 a flag or variable is wrong, 3 the goal cannot be reached, no
such Node, or AWS denies the read.
"""

import argparse
import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from syncer.clock import SystemClock
from syncer.commands.flags import own_url
from syncer.commands.names import hint, instance_of, plain
from syncer.commands.patience import Patience, Progress, Sight, UntilDrained, UntilHealthy
from syncer.commands.printing import Exit, complain, show, show_json
from syncer.commands.quarantine import Quarantine, quarantine_at, reason_text
from syncer.commands.reach import aws
from syncer.config.settings import Settings, load
from syncer.decide.desired import ZONE_NOT_ENABLED
from syncer.decide.evaluate import Facts, rule_for
from syncer.decide.reasons import meaning_of
from syncer.decide.serving import serving_of
from syncer.decide.zones import Source, is_enabled, zone_text
from syncer.elb.arn import parse_arn
from syncer.errors import AccessDeniedError, AwsError, ClusterError, SyncerError, TargetGroupNotFoundError
from syncer.interfaces import Clock, Elb
from syncer.model import InstanceId, NodeView, Standing, TargetGroupArn, TargetHealth

_REPORT_AGAIN_S = 10.0


class NotPossibleError(SyncerError):
    """The goal cannot be reached, or the state cannot be known."""


class NotYetError(SyncerError):
    """A later attempt may succeed."""


@dataclass(slots=True)
class Watchman:
    """Polls the groups until a Patience is done or the time is over. Times are monotonic seconds."""

    elb: Elb
    clock: Clock
    groups: tuple[TargetGroupArn, ...]
    say: Callable[[str], None]
    every: float
    timeout: float
    quarantine: Callable[[], Awaitable[Quarantine]] | None = None
    began: float = field(init=False)
    _reported: tuple[float, str] = (0.0, "")
    _faults: dict[TargetGroupArn, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.began = self.clock.monotonic()

    @property
    def waited(self) -> float:
        """Seconds since the start."""
        return self.clock.monotonic() - self.began

    async def until(self, patience: Patience, instance: InstanceId) -> Progress:
        """Poll until done or timeout, and return the last progress."""
        while True:
            progress = patience.look(self.clock.monotonic(), await self._sight(instance))
            if progress.done:
                return progress
            held = await self._held(instance)
            progress = replace(progress, line=progress.line + held)
            if not await self.pause(progress.line + self._unread(), progress.over_in):
                return progress

    async def pause(self, line: str, over_in: float | None = None) -> bool:
        """Report the state and wait until the next poll; False when the time is over."""
        now = self.clock.monotonic()
        if line.partition(";")[0] != self._reported[1] or now - self._reported[0] >= _REPORT_AGAIN_S:
            self.say(f"{self.waited:.0f} s: {line}")
            self._reported = (now, line.partition(";")[0])
        left = self.timeout - self.waited
        if left <= 0:
            return False
        await self.clock.sleep(min(self.every, left, self.every if over_in is None else over_in))
        return True

    async def listed_zone(self, instance: InstanceId) -> str:
        """Return the zone in AWS of a target of the instance, "" without one."""
        sight = await self._sight(instance)
        return next((each.zone for looks in sight.values() for each in looks or () if each.zone), "")

    async def _sight(self, instance: InstanceId) -> Sight:
        looks = await asyncio.gather(*(self._look(arn, instance) for arn in self.groups))
        return {parse_arn(arn).name: look for arn, look in zip(self.groups, looks, strict=True)}

    async def _look(self, arn: TargetGroupArn, instance: InstanceId) -> list[TargetHealth] | None:
        try:
            listed = await self.elb.describe(arn)
        except (AccessDeniedError, TargetGroupNotFoundError) as error:
            raise NotPossibleError(f"{parse_arn(arn).name}: {error}") from None
        except AwsError as error:
            self._faults[arn] = str(error)
            return None
        self._faults.pop(arn, None)
        return _of_instance(listed, instance)

    async def _held(self, instance: InstanceId) -> str:
        """Return the running syncer's holds of the instance with their times; "" without an answer."""
        if self.quarantine is None:
            return ""
        held = await self.quarantine()
        lines = [
            f"{parse_arn(arn).name} holds it for {each.why}: {reason_text(each.why, each.retry_in)}"
            for arn in self.groups
            for target, each in held.get(arn, {}).items()
            if target.id == instance
        ]
        return f" ({'; '.join(lines)})" if lines else ""

    def _unread(self) -> str:
        """Return why reads failed; once where all groups have the same cause."""
        faults = dict.fromkeys(self._faults.values())
        return f" ({'; '.join(faults)})" if faults else ""


def _of_instance(listed: Sequence[TargetHealth], instance: InstanceId) -> list[TargetHealth]:
    """Return the targets of the instance, with an override only where the override keeps traffic away.

    A shift of every target of the group decides nothing (see `serving_of`).
    """
    own = [each for each in listed if each.target.id == instance and _is_listed(each)]
    if not any(each.override for each in own):
        return own
    counted = serving_of(listed).counted
    return [replace(each, override="") if each.target in counted else each for each in own]


def _is_listed(health: TargetHealth) -> bool:
    return health.reason != "Target.NotRegistered"


def wait(args: argparse.Namespace) -> int:
    """Wait and report progress on standard error; the last line is the result."""
    settings = load(os.environ)
    return asyncio.run(_wait(args, settings))


async def _wait(args: argparse.Namespace, settings: Settings) -> int:
    elb = aws(settings)
    watchman = Watchman(
        elb=elb,
        clock=SystemClock(),
        groups=tuple(each.group.arn for each in settings.groups),
        say=complain,
        every=args.every,
        timeout=args.timeout,
        quarantine=partial(asyncio.to_thread, quarantine_at, own_url(os.environ)),
    )
    instance: InstanceId | None = None
    try:
        instance = await _identify(args, settings, watchman)
        progress = await watchman.until(
            UntilHealthy() if args.healthy else UntilDrained(args.settle), instance
        )
        code = Exit.WELL if progress.done else Exit.NOT_WELL
    except NotYetError as error:
        progress, code = Progress(done=False, line=str(error)), Exit.NOT_WELL
    except NotPossibleError as error:
        progress, code = Progress(done=False, line=str(error)), Exit.NOT_POSSIBLE
    except _NeverATargetError as error:
        progress, code = Progress(done=True, line=str(error)), Exit.WELL
    finally:
        elb.close()
    _answer(args, instance, progress, code, watchman.waited)
    return code


def _answer(
    args: argparse.Namespace, instance: InstanceId | None, progress: Progress, code: Exit, waited: float
) -> None:
    goal = "healthy" if args.healthy else "drained"
    if args.json:
        show_json(
            {
                "node": args.node,
                "instance_id": instance,
                "goal": goal,
                "reached": progress.done,
                "waited": round(waited, 1),
                "because": progress.line,
            }
        )
        return
    answer = {
        Exit.WELL: f"{args.node} is {goal}",
        Exit.NOT_WELL: f"{args.node} is not {goal} after {waited:.0f} s",
    }.get(code, f"cannot wait until {args.node} is {goal}")
    (show if progress.done else complain)(f"{answer}: {progress.line}")


class _NeverATargetError(SyncerError):
    """The node was never a target, so no drain is needed."""


async def _identify(args: argparse.Namespace, settings: Settings, watchman: Watchman) -> InstanceId:
    """Return the instance of the argument; the cluster is read only for a Node's name."""
    if found := instance_of(args.node):
        return InstanceId(found)
    while True:
        try:
            node = await asyncio.to_thread(_find, plain(args.node), settings)
            instance = _instance_of(node, drained=args.drained)
            break
        except NotYetError as error:
            if not await watchman.pause(str(error)):
                raise
    # A joining node is acceptable, so the node counts as registered here.
    rule = rule_for(Facts(node, registered=True, policy=settings.node_policy))
    if args.healthy and rule.standing is not Standing.IN:
        reason = rule.code.format(key=node.leaving_taint)
        raise NotPossibleError(f"{meaning_of(reason, settings.node_selector.text)} ({reason})")
    if args.healthy and settings.zones is not None:
        listed = await watchman.listed_zone(instance)
        zone, source = (listed, Source.AWS) if listed else (node.zone, node.zone_source)
        if not is_enabled(zone, settings.zones):
            meaning = meaning_of(ZONE_NOT_ENABLED, place=zone_text(zone, source))
            raise NotPossibleError(f"{meaning} ({ZONE_NOT_ENABLED})")
    return instance


def _instance_of(node: NodeView, *, drained: bool) -> InstanceId:
    if node.instance_id is not None:
        return node.instance_id
    if drained:
        what = "is not an EC2 instance" if node.has_provider_id else "has no providerID"
        raise _NeverATargetError(f"the Node {what} and was never a target")
    if node.has_provider_id:
        raise NotPossibleError(meaning_of("NotAnInstance"))
    raise NotYetError(meaning_of("NoProviderID"))


def _find(name: str, settings: Settings) -> NodeView:
    from syncer.cluster.access import configuration  # noqa: PLC0415 - not for an instance id
    from syncer.cluster.api import Api, RefusedError  # noqa: PLC0415 - not for an instance id
    from syncer.cluster.once import find_node, list_nodes  # noqa: PLC0415 - not for an instance id

    api = Api(configuration(os.environ))
    try:
        node = find_node(api, name, settings.node_policy)
    except ClusterError as error:
        denied = isinstance(error, RefusedError) and error.status in {401, 403}
        kind = NotPossibleError if denied else NotYetError
        raise kind(f"{error}; use an instance id, which needs no cluster") from None
    if node is not None:
        return node
    known: list[str] = []
    with contextlib.suppress(ClusterError):
        known += [each.name for each in list_nodes(api, settings.node_policy, settings.sent_selector)]
    raise NotPossibleError(f"unknown Node{hint(name, known)}; for a deleted Node give the instance id")
