"""The stack's state, read by the program before it registers a resource."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pulumi

_READ: Final = "pulumi:pulumi:readStackResourceOutputs"  # of the engine; what a stack reference reads


@dataclass(frozen=True, slots=True)
class State:
    """Type and outputs of the stack's resources by URN, as of the last `up`."""

    resources: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def beneath(self, part: str) -> Mapping[tuple[str, str], Mapping[str, Any]]:
        """Return the outputs of the children of components of the type `part`, by type and logical name."""
        return {
            (each["type"], name): each["outputs"]
            for urn, each in self.resources.items()
            for path, name in [urn.split("::", 3)[2:]]
            if path.endswith(f"{part}${each['type']}")
        }


def read_state() -> State:
    """Return the stack's state; empty for one that cannot be read, such as that of a new stack."""
    try:
        stack = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
        found: Any = pulumi.runtime.invoke(_READ, {"stackName": stack}).value
    except Exception as error:  # noqa: BLE001 (the SDK raises no narrower class for a failed function)
        pulumi.log.debug(f"the stack's state cannot be read: {' '.join(str(error).split())}")
        return State()
    return State((found or {}).get("outputs") or {})
