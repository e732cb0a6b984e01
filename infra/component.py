"""Common base of the program's components: a fixed type token and children."""

import re
from collections.abc import Sequence
from typing import Any

import pulumi

from syncer.manifests import Manifest

from .keys import Settings
from .objectmeta import with_common


class Component(pulumi.ComponentResource):
    """A component whose type token is a constant of the class.

    The token and the children's names are part of the state: a change replaces resources.
    """

    # Without an annotation: Pulumi's analyzer of components would take an annotated name for an output.
    TYPE = ""

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(self.TYPE, name, {}, opts)
        self._after = opts.depends_on if opts else None

    def beneath(self, **options: Any) -> pulumi.ResourceOptions:
        """Return the options of a child of this component, merged with `options`.

        The child inherits the component's dependencies: the engine would order only the creation.
        """
        inherited = pulumi.ResourceOptions(parent=self, depends_on=self._after)
        return pulumi.ResourceOptions.merge(inherited, pulumi.ResourceOptions(**options))


def arguments(manifest: Manifest, settings: Settings) -> dict[str, Any]:
    """Convert a Kubernetes object to arguments of its resource class; nested fields keep the API spelling.

    The object gets the labels and annotations of every object; those of the manifest win.
    """
    metadata = with_common(manifest["metadata"], settings)
    full = {**manifest, "metadata": metadata}
    spelled = {re.sub("([A-Z])", r"_\1", key).lower(): value for key, value in full.items()}
    return {key: value for key, value in spelled.items() if key not in {"api_version", "kind"}}


def only_known(value: int | None) -> Any:
    """Return `value`, or Pulumi's *unknown* for a port that is not allocated yet (in a preview)."""
    return pulumi.UNKNOWN if value is None else value


def by_name(names: Sequence[str], value: pulumi.Output[dict[str, int]]) -> dict[str, pulumi.Output[int]]:
    """Split an output map with known keys into an output per key."""

    def pick(name: str) -> pulumi.Output[int]:
        return value.apply(lambda known: only_known(known.get(name)))

    return {name: pick(name) for name in names}
