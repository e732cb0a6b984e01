"""What every component of this program has in common: a frozen type and children."""

import re
from collections.abc import Sequence
from typing import Any

import pulumi

from syncer.manifests import Manifest


class Component(pulumi.ComponentResource):
    """A component whose type token is a constant of its class.

    The token and the children's names are state: changing one replaces resources.
    """

    # Without an annotation, which Pulumi's analyzer of components would take for an output.
    TYPE = ""

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(self.TYPE, name, {}, opts)
        self._after = opts.depends_on if opts else None

    def beneath(self, **options: Any) -> pulumi.ResourceOptions:
        """The options of a child: this component is its parent, `options` say the rest.

        What the component depends on the child depends on: the engine would order only their creation.
        """
        inherited = pulumi.ResourceOptions(parent=self, depends_on=self._after)
        return pulumi.ResourceOptions.merge(inherited, pulumi.ResourceOptions(**options))


def arguments(manifest: Manifest) -> dict[str, Any]:
    """A Kubernetes object as the arguments of its resource class; nested fields keep the API's spelling."""
    spelled = {re.sub("([A-Z])", r"_\1", key).lower(): value for key, value in manifest.items()}
    return {key: value for key, value in spelled.items() if key not in {"api_version", "kind"}}


def only_known(value: int | None) -> Any:
    """`value`, or Pulumi's *unknown*: a port that the API server has not allocated yet, in a preview."""
    return pulumi.UNKNOWN if value is None else value


def by_name(names: Sequence[str], value: pulumi.Output[dict[str, int]]) -> dict[str, pulumi.Output[int]]:
    """An output map of which the keys are known beforehand, taken apart into one output a key."""

    def pick(name: str) -> pulumi.Output[int]:
        return value.apply(lambda known: only_known(known.get(name)))

    return {name: pick(name) for name in names}
