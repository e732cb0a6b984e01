"""The base of an offline resource provider, without the wire protocol.

A provider subclasses `Provider`, overrides the needed hooks, and ends in `serve`
(sandbox/plugins/service.py). Hooks get and return plain Python values (sandbox/plugins/values.py), and are
called from several threads at once.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sandbox.plugins.difference import Difference, compare, without
from sandbox.plugins.values import PropertyMap


class ProviderError(Exception):
    """The operation failed and changed nothing; the message is displayed below the resource."""


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
    """The resource of a request: `type` is the token such as `aws:ec2/eip:Eip`."""

    urn: str
    type: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """Naming of an unnamed resource: the engine's seed, and the stack's `pulumi:autonaming`."""

    seed: bytes = b""
    proposed: str = ""
    mode: str = ""  # "", "propose", "enforce" or "disable"


@dataclass(frozen=True, slots=True)
class Failure:
    """An invalid input: `property` is the path, `reason` the error and the fix."""

    property: str
    reason: str


@dataclass(frozen=True, slots=True)
class Checked:
    """Inputs with their defaults, or the failures."""

    inputs: PropertyMap = field(default_factory=dict)
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True, slots=True)
class State:
    """A resource's state: id, outputs, and the inputs for the same state."""

    id: str
    outputs: PropertyMap
    inputs: PropertyMap = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Invoked:
    """The result of a function."""

    result: PropertyMap = field(default_factory=dict)
    failures: tuple[Failure, ...] = ()


class Reporter:
    """Progress reports of a provider; the service replaces the class by a connection to the engine."""

    def info(self, resource: Resource, message: str) -> None:
        """Show a passing status beside the resource (the engine's ephemeral log)."""

    def warn(self, resource: Resource, message: str) -> None:
        """Print a warning that stays in the output."""


class Provider:
    """Hooks of a resource provider; the defaults accept any config and refuse any resource."""

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
        """Compare provider configurations; by default a change never replaces the resources."""
        _ = resource
        return Difference(changes=compare(olds, news))

    def configure(self, config: PropertyMap) -> None:
        """Store the checked configuration, once, before any resource; a preview may pass unknowns."""

    def check(self, resource: Resource, news: PropertyMap, olds: PropertyMap, naming: Naming) -> Checked:
        """Validate the inputs and fill in defaults; `olds` are the previous inputs, empty at first."""
        raise NotImplementedError

    def diff(self, resource: Resource, old: State, news: PropertyMap, ignored: Sequence[str]) -> Difference:
        """Compare `news` (checked inputs) with the recorded state `old`."""
        _ = resource
        return Difference(changes=without(compare(old.inputs, news), ignored))

    def create(self, resource: Resource, inputs: PropertyMap, *, preview: bool, timeout_s: float) -> State:
        """Create the resource. A preview creates nothing: the id is "" and unknown values are UNKNOWN.

        Only `id` and `outputs` of the result are used. `timeout_s` is 0 where the program sets no timeout.
        """
        raise NotImplementedError

    def read(self, resource: Resource, ident: str, old: State) -> State | None:
        """Return the current resource, None if missing. `old` is empty for an import or a `.get()`."""
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
        """Change the resource in place; return the new outputs."""
        raise NotImplementedError

    def delete(self, resource: Resource, old: State, *, timeout_s: float) -> None:
        """Delete the resource; a missing resource is a success."""
        raise NotImplementedError

    def invoke(self, token: str, args: PropertyMap) -> Invoked:
        """Call the function `token`."""
        _ = args
        raise ProviderError(
            f"{self.name} has no function {token}: the offline provider knows none of this name"
        )

    def schema(self) -> Mapping[str, object]:
        """Return the package's schema, limited to the used parts."""
        return {"name": self.name, "version": self.version}
