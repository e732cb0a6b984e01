"""Ways to switch a rule off in the shipped code, and what one that is switched off is told by."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from math import inf
from typing import Any

from syncer.decide.brake import Brake
from syncer.model import Desired, InstanceId, Target, TargetHealth, TargetState, Why
from syncer.reconcile.leader_election import LeaderElection
from tests.simulation.stories import STORIES, assert_as_told, play

Off = Callable[[Any], Any]
Story = Callable[[], None]


@dataclass(frozen=True, kw_only=True)
class Switch:
    """One part of a rule. `off` makes of what stands at `where` what is to stand there instead."""

    rule: str
    where: str
    off: Off
    story: Story
    called: str = ""

    @property
    def name(self) -> str:
        """The story's name, as docs/stories.md shows it."""
        return self.called or self.story.__name__.removeprefix("test_").replace("_", " ")


def instead(value: object) -> Off:
    """Another value, whatever stands there."""
    return lambda _: value


def answering(answer: object) -> Off:
    """A function that always answers the same."""
    return lambda _: lambda *_args, **_kwargs: answer


def nothing(_: object) -> Callable[..., Any]:
    """A coroutine function that does nothing."""

    async def idle(*_args: object, **_kwargs: object) -> None:
        await asyncio.sleep(0)

    return idle


def never(*whys: Why) -> Off:
    """A function that holds for other reasons only."""

    def off(original: Callable[..., Why | None]) -> Callable[..., Why | None]:
        def answer(*args: Any, **kwargs: Any) -> Why | None:
            why = original(*args, **kwargs)
            return None if why in whys else why

        return answer

    return off


def complete_anyway(original: Callable[..., Why | None]) -> Callable[..., Why | None]:
    """As if every list were complete."""
    return lambda context, target: original(
        replace(context, desired=replace(context.desired, complete=True)), target
    )


def one_by_one(_: object) -> Callable[[Brake, Iterable[Target]], dict[Target, Why]]:
    """Doubtful targets go one after another, as announced ones do."""
    return lambda brake, targets: {t: why for t in targets if (why := brake.release(t))}


def at_once(original: Callable[..., float]) -> Callable[..., float]:
    """A deadline waits for nothing; what has none goes on waiting."""
    return lambda removals, target: inf if original(removals, target) == inf else 0.0


def counting(state: TargetState, *, registered: bool) -> Off:
    """Another reading of one of AWS's states."""

    def off(original: Callable[[TargetHealth], None]) -> Callable[[TargetHealth], None]:
        def post_init(health: TargetHealth) -> None:
            original(health)
            if health.state is state:
                object.__setattr__(health, "registered", registered)

        return post_init

    return off


def whoever_led_once(_: object) -> Callable[[LeaderElection], bool]:
    """A Lease that is asked about when it is taken, and not before each write."""
    return lambda election: election._held_from is not None or not election.elected


def of_nodes_that_are_there(original: Callable[..., dict[Any, Any]]) -> Callable[..., dict[Any, Any]]:
    """Notices that are forgotten with their Node."""

    def notices(desired: Desired, *rest: Any) -> dict[Any, Any]:
        return {i: notice for i, notice in original(desired, *rest).items() if i in desired.intents}

    return notices


def waiting_anew(_: object) -> Callable[..., dict[Any, Any]]:
    """A wait for a successor that begins again with each plan."""
    return lambda _desired, _actual, surplus, now: dict.fromkeys(surplus, now)


def without_limit(original: property) -> property:
    """Settings whose limit nobody looks at."""
    return property(lambda settings: replace(original.__get__(settings), target_limit=None))


def by_id(_: object) -> Callable[..., frozenset[InstanceId]]:
    """Places for the lowest ids."""
    return lambda queues, places, _refused=(): frozenset(sorted(queues.first(10**6))[:places])


def may_send(_: object) -> Callable[..., Any]:
    """A writer that asks nobody."""

    async def always(*_args: object, **_kwargs: object) -> bool:
        return True

    return always


def brake(rule: str, where: str, off: Off, name: str) -> Switch:
    """A part of rule 2, and which of the brake's stories notices."""
    story = next(story for story in STORIES if story.name == name)
    return Switch(
        rule=rule, where=where, off=off, story=lambda: assert_as_told(story, play(story)), called=name
    )
