"""Serve `NodeNlb` to programs in every language; started by the plugin in plugin/."""

import asyncio
import json
import sys
from typing import Any, Final

import pulumi
from pulumi.errors import InputPropertiesError, InputPropertyErrorDetails
from pulumi.provider import main as serve
from pulumi.provider.experimental.component import ComponentProvider
from pulumi.provider.provider import ConstructResult
from pulumi.provider.server import ComponentInitError

from syncer.version import VERSION

from .keys import ROOT
from .nodenlb import NodeNlb
from .problems import NAMESPACE, SettingsError
from .settings import read
from .spelling import as_config

_ITEMS: Final = ("items", "additionalProperties")


class NodeNlbProvider(ComponentProvider):
    """Pulumi's component provider, with the component's reader in place of the SDK's.

    The SDK's reader drops unknown keys, reports only the first missing key, and leaves whole numbers as
    floats.
    """

    def __init__(self) -> None:
        super().__init__([NodeNlb], NAMESPACE, version=VERSION)
        self.schema = component_schema(self.schema or "{}")

    def map_inputs(self, inputs: Any, component_def: Any) -> Any:
        """Return the inputs unchanged: the component reads both spellings and validates the values."""
        del component_def
        return inputs

    def construct(
        self,
        name: str,
        resource_type: str,
        inputs: Any,
        options: pulumi.ResourceOptions | None = None,
    ) -> ConstructResult:
        """Create the component. Raises InputPropertiesError with a line per wrong argument."""
        try:
            # Otherwise an Output's value would be checked after the component's resources exist.
            read(as_config(with_known_values(inputs), ROOT), None, own_provider=True)
            return super().construct(name, resource_type, inputs, options)
        except SettingsError as failed:
            wrong = failed
        except ComponentInitError as failed:
            if not isinstance(failed.inner, SettingsError):
                raise
            wrong = failed.inner
        details = [
            InputPropertyErrorDetails(property_path=each.path, reason=each.in_program())
            for each in wrong.problems
        ]
        raise InputPropertiesError(f"{name}: wrong arguments", details)


def with_known_values(value: Any) -> Any:
    """Replace every complete text Output by its text; secrets and unknown values remain Outputs."""
    if isinstance(value, dict):
        return {key: with_known_values(each) for key, each in value.items()}
    if isinstance(value, list):
        return [with_known_values(each) for each in value]
    # Outputs from the wire are complete; the SDK has no public way to read an Output without waiting.
    data = getattr(value, "_data", None) if isinstance(value, pulumi.Output) else None
    if not isinstance(data, asyncio.Future) or not data.done() or data.cancelled() or data.exception():
        return value
    held = data.result()
    return held.value if held.is_known and not held.is_secret and isinstance(held.value, str) else value


def component_schema(text: str) -> str:
    """Return a package schema as JSON, as printed by `pulumi package get-schema`.

    Descriptions are on a single line and are omitted at the items of lists and maps, where the SDK repeats
    them. Pulumi omits an empty list of required inputs.
    """

    def tidied(value: Any) -> Any:
        if isinstance(value, list):
            return [tidied(each) for each in value]
        if not isinstance(value, dict):
            return value
        return {
            key: " ".join(each.split())
            if key == "description" and isinstance(each, str)
            else tidied(without_description(each) if key in _ITEMS else each)
            for key, each in value.items()
            if (key, each) != ("requiredInputs", [])
        }

    return json.dumps(tidied(json.loads(text)), indent=2, sort_keys=True) + "\n"


def without_description(schema: Any) -> Any:
    """Return the schema of a list or map item without the description, a copy of the container's."""
    return {key: each for key, each in schema.items() if key != "description"}


def main() -> None:
    """Serve until the engine ends the process."""
    serve(NodeNlbProvider(), sys.argv[1:])
