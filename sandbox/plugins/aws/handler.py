"""What the provider asks of each resource type; one module a type answers it by boto3."""

from typing import Protocol

from sandbox.plugins.aws.session import Aws
from sandbox.plugins.values import PropertyMap

CREATE_S = 600.0  # the official provider's own waits: 10 minutes for load balancers, less for the others


class Handler(Protocol):
    """One resource type. Property maps hold plain values: nothing unknown, nothing wrapped as a secret."""

    def create(self, aws: Aws, inputs: PropertyMap) -> tuple[str, PropertyMap]:
        """Make the resource by one call; its id, and outputs that AWS says only now (secret keys)."""

    def settle(self, aws: Aws, ident: str, inputs: PropertyMap, timeout_s: float) -> None:
        """Finish what `create` began: wait, set attributes. A failure here leaves it in the state."""

    def read(self, aws: Aws, ident: str, prior: PropertyMap) -> PropertyMap | None:
        """What AWS says of the resource, None per absent property; None if there is no such resource.

        `prior` is the last known state (only needed to tell forms of the same value apart), {} on import.
        """

    def update(
        self, aws: Aws, ident: str, old: PropertyMap, new: PropertyMap, changed: frozenset[str]
    ) -> str:
        """Bring the properties `changed` to their values in `new`; the id, which may have changed."""

    def delete(self, aws: Aws, ident: str, state: PropertyMap, timeout_s: float) -> None:
        """Delete the resource; one that is gone already is a success."""
