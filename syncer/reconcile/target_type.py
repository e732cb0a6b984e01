"""Refuses groups of another target type than `instance` before any write."""

import asyncio

from syncer.config.settings import Settings
from syncer.errors import MisconfiguredError
from syncer.interfaces import Elb

_INSTANCE = "instance"


class TargetTypes:
    """Reads the target types from AWS once at the start: the type of a group cannot be changed.

    The permission for the check is optional. Without a type (permission missing, no response), the syncer
    starts. AWS then refuses every registration in a group of another type; other groups are not affected.
    """

    def __init__(self, settings: Settings, elb: Elb) -> None:
        self._settings = settings
        self._elb = elb
        self._asked = False
        self._lock = asyncio.Lock()

    async def check(self) -> None:
        """Return once AWS was queried.

        Raises:
            MisconfiguredError: if a group has another target type.

        """
        async with self._lock:
            if not self._asked:
                await refuse_other_types(self._settings, self._elb)
                self._asked = True


async def refuse_other_types(settings: Settings, elb: Elb) -> None:
    """Check the target types that AWS reports.

    Raises:
        MisconfiguredError: with the variable and the group, if a group has another target type.

    """
    types = await elb.target_types([each.group.arn for each in settings.groups])
    for each in settings.groups:
        kind = types.get(each.group.arn, _INSTANCE)
        if kind != _INSTANCE:
            raise MisconfiguredError(
                f"{settings.groups_from} names {each.group.arn}, whose target type is {kind}; "
                f"allowed: groups of target type {_INSTANCE}"
            )
