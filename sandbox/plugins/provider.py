"""The base of an offline resource provider: what a provider answers, without the wire.

A provider subclasses `Provider`, overrides the hooks it has something to say to, and ends in `serve`
(sandbox/plugins/service.py). Hooks get and return plain Python values (sandbox/plugins/values.py).
They are called from several threads at once.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sandbox.plugins.difference import Difference, compare, without
from sandbox.plugins.values import PropertyMap


class ProviderError(Exception):
    """The operation failed and changed nothing; the message is what a person reads below the resource."""


class InitFailed(Exception):  # noqa: N818 - the protocol's own name (ErrorResourceInitFailed)
    """The resource exists but is not ready: the engine records it, fails, and updates it on the next up."""

    def __init__(
        self, ident: str, outputs: PropertyMap, reasons: Sequence[str], inputs: PropertyMap | None = None
    ) -> None:
        super().__init__("; ".join(reasons))
        self.id = ident
        self.outputs = outputs
        self.reasons = tuple(reasons)
        self.inputs = inputs


@dataclass(frozen=True, slots=True)
class Resource:
    """Which resource a request is about: `type` is its token such as `aws:ec2/eip:Eip`."""

    urn: str
    type: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """How to name a resource that has no name: the engine's seed, and the stack's `pulumi:autonaming`."""

    seed: bytes = b""
    proposed: str = ""
    mode: str = ""  # "", "propose", "enforce" or "disable"


@dataclass(frozen=True, slots=True)
class Failure:
    """One invalid input: `property` is its path, `reason` says what is wrong and what to do."""

    property: str
    reason: str


@dataclass(frozen=True, slots=True)
class Checked:
    """Inputs with their defaults, or why they cannot be used."""

    inputs: PropertyMap = field(default_factory=dict)
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True, slots=True)
class State:
    """A resource as it is: what identifies it, its outputs, and the inputs that would make it so."""

    id: str
    outputs: PropertyMap
    inputs: PropertyMap = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Invoked:
    """What a function answered."""

    result: PropertyMap = field(default_factory=dict)
    failures: tuple[Failure, ...] = ()


class Reporter:
    """Where a provider says what it is doing; the service replaces it by one that reaches the engine."""

    def info(self, resource: Resource, message: str) -> None:
        """A passing status beside the resource (the engine's ephemeral log)."""

    def warn(self, resource: Resource, message: str) -> None:
        """A warning that stays in the output."""


class Provider:
    """Hooks of one resource provider; the defaults take any config and refuse any resource."""

    name: str = ""
    version: str = ""

    def __init__(self) -> None:
        self.report = Reporter()
        self.cancelled = threading.Event()

    def check_config(self, resource: Resource, news: PropertyMap, olds: PropertyMap) -> Checked:
        """Validate the provider's configuration; stack config arrives as strings (JSON where nested)."""
        _ = resource, olds
        return Checked(news)

    def diff_config(self, resource: Resource, olds: PropertyMap, news: PropertyMap) -> Difference:
        """What changed in the provider's configuration; by default a change never replaces the resources."""
        _ = resource
        return Difference(changes=compare(olds, news))

    def configure(self, config: PropertyMap) -> None:
        """Take the checked configuration, once, before any resource; a preview may pass unknowns."""

    def check(self, resource: Resource, news: PropertyMap, olds: PropertyMap, naming: Naming) -> Checked:
        """Validate the inputs and fill in defaults; `olds` are the inputs of last time, empty at first."""
        raise NotImplementedError

    def diff(self, resource: Resource, old: State, news: PropertyMap, ignored: Sequence[str]) -> Difference:
        """What `news` (checked inputs) change in the resource whose recorded state is `old`."""
        _ = resource
        return Difference(changes=without(compare(old.inputs, news), ignored))

    def create(self, resource: Resource, inputs: PropertyMap, *, preview: bool, timeout_s: float) -> State:
        """Make the resource. In a preview nothing is made: the id is "" and what is not known is UNKNOWN.

        Only `id` and `outputs` of the answer are used. `timeout_s` is 0 where the program sets none.
        """
        raise NotImplementedError

    def read(self, resource: Resource, ident: str, old: State) -> State | None:
        """The resource as it is now, None if it is gone. `old` is empty for an import or a `.get()`."""
        raise NotImplementedError

    def update(
        self,
        resource: Resource,
        old: State,
        news: PropertyMap,
        *,
        preview: bool,
        timeout_s: float,
        ignored: Sequence[str],
    ) -> PropertyMap:
        """Change the resource in place; the new outputs."""
        raise NotImplementedError

    def delete(self, resource: Resource, old: State, *, timeout_s: float) -> None:
        """Delete the resource; one that is gone already is a success."""
        raise NotImplementedError

    def invoke(self, token: str, args: PropertyMap) -> Invoked:
        """Call the function `token`."""
        _ = args
        raise ProviderError(
            f"{self.name} has no function {token}: the offline provider knows none of this name"
        )

    def schema(self) -> Mapping[str, object]:
        """The package's schema, as far as anything asks for it."""
        return {"name": self.name, "version": self.version}
