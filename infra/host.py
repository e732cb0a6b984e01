"""Serves `NodeNlb` to programs in every language, as the plugin in plugin/ starts it."""

import json
import re
import sys
from typing import Any, Final

import pulumi
from pulumi.errors import InputPropertiesError, InputPropertyErrorDetails
from pulumi.provider import main as serve
from pulumi.provider.experimental.component import ComponentProvider
from pulumi.provider.provider import ConstructResult
from pulumi.provider.server import ComponentInitError

from .nodenlb import NodeNlb
from .settings import SettingsError
from .shapes import NAMESPACE, Problem

VERSION: Final = "0.1.0"  # pyproject.toml's; a test compares them
# What set_command and the checks of infra/network.py write; `aws:region` is the provider's and stays.
_SET: Final = re.compile(rf"pulumi config set (?:--path )?('?)(?:{NAMESPACE}:)?((?:(?!\1 )[^:])+?)\1 ")


class NodeNlbProvider(ComponentProvider):
    """Pulumi's component provider, with the component's own reader in place of the SDK's.

    The SDK's reader drops unknown keys, reports the first missing one alone, and leaves whole numbers floats.
    """

    def __init__(self) -> None:
        super().__init__([NodeNlb], NAMESPACE, version=VERSION)
        self.schema = component_schema(self.schema or "{}")

    def map_inputs(self, inputs: Any, component_def: Any) -> Any:
        """The inputs as they came: the component reads both spellings, and finds what is wrong."""
        del component_def
        return inputs

    def construct(
        self,
        name: str,
        resource_type: str,
        inputs: Any,
        options: pulumi.ResourceOptions | None = None,
    ) -> ConstructResult:
        """Make the component. Raises InputPropertiesError with a line for each wrong argument."""
        try:
            return super().construct(name, resource_type, inputs, options)
        except ComponentInitError as failed:
            wrong = failed.inner
            if not isinstance(wrong, SettingsError):
                raise
            details = [
                InputPropertyErrorDetails(property_path=each.path, reason=argument_error(each))
                for each in wrong.problems
            ]
            raise InputPropertiesError(f"{name}: wrong arguments", details) from None


def argument_error(problem: Problem) -> str:
    """The line of a wrong argument: the program sets it, and not `pulumi config`."""
    line = str(problem).removeprefix(f"{NAMESPACE}:")
    return _SET.sub(r"set \2 to ", line).replace(f"pulumi config rm {NAMESPACE}:", "remove ")


def component_schema(text: str) -> str:
    """A package schema with each description on one line, as JSON."""

    def on_one_line(value: Any) -> Any:
        if isinstance(value, list):
            return [on_one_line(each) for each in value]
        if not isinstance(value, dict):
            return value
        return {
            key: " ".join(each.split())
            if key == "description" and isinstance(each, str)
            else on_one_line(each)
            for key, each in value.items()
        }

    return json.dumps(on_one_line(json.loads(text)), indent=2, sort_keys=True) + "\n"


def main() -> None:
    """Serve until the engine ends the process."""
    serve(NodeNlbProvider(), sys.argv[1:])
