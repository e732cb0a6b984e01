"""The interface of a resource type, implemented with boto3 in a module per type."""

from typing import Protocol

from sandbox.plugins.aws.session import Aws
from sandbox.plugins.values import PropertyMap

CREATE_S = 600.0  # waits of the official provider: 10 minutes for load balancers, less for the others


class Handler(Protocol):
    """A resource type. Property maps hold plain values: no unknown values, no secret wrappers."""

    def create(self, aws: Aws, inputs: PropertyMap) -> tuple[str, PropertyMap]:
        """Create the resource by one call; return the id, and outputs available only now (secret keys)."""

    def settle(self, aws: Aws, ident: str, inputs: PropertyMap, timeout_s: float) -> None:
        """Finish after `create`: wait, set attributes. After a failure the resource remains in the state."""

    def read(self, aws: Aws, ident: str, prior: PropertyMap) -> PropertyMap | None:
        """Return AWS's values of the resource, None per absent property; None for a missing resource.

        `prior` is the last known state (needed only to distinguish forms of the same value), {} on import.
        """

    def update(
        self, aws: Aws, ident: str, old: PropertyMap, new: PropertyMap, changed: frozenset[str]
    ) -> str:
        """Set the properties `changed` to the values in `new`; return the id, possibly a new id."""

    def delete(self, aws: Aws, ident: str, state: PropertyMap, timeout_s: float) -> None:
        """Delete the resource; a missing resource is a success."""
