"""What every component of this program has in common: a frozen type token, children beneath it, a way to move."""

from collections.abc import Sequence
from typing import Any, ClassVar

import pulumi


class Part(pulumi.ComponentResource):
    """A component whose type token is a constant of its class.

    The token and the children's names are state: changing one replaces resources. A component or child that has
    to move names its former places in `ALIASES`, and existing stacks follow without a replacement.
    """

    TOKEN: ClassVar[str]
    ALIASES: ClassVar[tuple[pulumi.Alias, ...]] = ()

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        moved = pulumi.ResourceOptions(aliases=list(self.ALIASES))
        super().__init__(self.TOKEN, name, {}, pulumi.ResourceOptions.merge(opts, moved))

    def beneath(self, **options: Any) -> pulumi.ResourceOptions:
        """The options of a child: this component is its parent, `options` say the rest."""
        return pulumi.ResourceOptions(parent=self, **options)


def only_known(value: int | None) -> Any:
    """`value`, or Pulumi's *unknown*: a port that the API server has not allocated yet, in a preview."""
    return pulumi.UNKNOWN if value is None else value


def by_name(names: Sequence[str], value: pulumi.Output[dict[str, int]]) -> dict[str, pulumi.Output[int]]:
    """An output map of which the keys are known beforehand, taken apart so that resources can be made from it."""

    def pick(name: str) -> pulumi.Output[int]:
        return value.apply(lambda known: only_known(known.get(name)))

    return {name: pick(name) for name in names}
