"""Refuses a group that takes no instances, before anything is written to any group."""

import asyncio

from syncer.config.settings import Settings
from syncer.errors import MisconfiguredError
from syncer.interfaces import Elb

_INSTANCE = "instance"


class TargetTypes:
    """Asks AWS once, at the start: a group's target type cannot be changed.

    It takes no right that is needed otherwise. Where AWS does not tell (the right is missing, it does not
    answer), it refuses each registration in such a group, which is that group's problem and no other's.
    """

    def __init__(self, settings: Settings, elb: Elb) -> None:
        self._settings = settings
        self._elb = elb
        self._asked = False
        self._lock = asyncio.Lock()

    async def check(self) -> None:
        """Return once AWS was asked; MisconfiguredError where a group takes other targets."""
        async with self._lock:
            if not self._asked:
                await refuse_other_types(self._settings, self._elb)
                self._asked = True


async def refuse_other_types(settings: Settings, elb: Elb) -> None:
    """MisconfiguredError that names the variable and the group, where AWS says that it takes no instances."""
    types = await elb.target_types([each.group.arn for each in settings.groups])
    for each in settings.groups:
        kind = types.get(each.group.arn, _INSTANCE)
        if kind != _INSTANCE:
            raise MisconfiguredError(
                f"{settings.groups_from} names {each.group.arn}, whose target type is {kind}; "
                f"allowed: groups of target type {_INSTANCE}"
            )
