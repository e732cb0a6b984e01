"""The engine's record of an object: the live object and, under `__inputs`, the program's inputs."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Final

from sandbox.plugins.values import PropertyMap, Secret, keep_secrets, reveal

INPUTS: Final = "__inputs"
MANAGER: Final = "__fieldManager"
_INITIAL_VERSION: Final = "__initialApiVersion"
_NOT_INPUTS: Final = ("status", INPUTS, MANAGER, _INITIAL_VERSION)
_SERVERS_ANNOTATIONS: Final = (
    "deployment.kubernetes.io/revision",
    "kubectl.kubernetes.io/last-applied-configuration",
)


def checkpoint(
    live: Mapping[str, Any], inputs: Mapping[str, Any], given: PropertyMap, manager: str
) -> PropertyMap:
    """Return the outputs to record; secret are the secrets of `given`, and all content of a Secret."""
    outputs = keep_secrets(deepcopy(dict(live)), given)
    asked = keep_secrets(deepcopy(dict(inputs)), given)
    for each in (outputs, asked):
        if live.get("kind") == "Secret" and live.get("apiVersion") == "v1":
            hide_content(each)
    return {
        **outputs,
        INPUTS: asked,
        MANAGER: manager,
        _INITIAL_VERSION: inputs.get("apiVersion", live.get("apiVersion", "")),
    }


def hide_content(secret: PropertyMap) -> None:
    """Make a Secret's data secret, and kubectl's annotation with a copy of the data."""
    for key in ("data", "stringData"):
        if key in secret and not isinstance(secret[key], Secret):
            secret[key] = Secret(reveal(secret[key]))


def recorded(outputs: PropertyMap) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the live object and the inputs of a checkpoint, without secret wrappers."""
    plain = reveal(outputs)
    inputs = plain.pop(INPUTS, None) or {}
    plain.pop(MANAGER, None)
    plain.pop(_INITIAL_VERSION, None)
    return plain, inputs


def inputs_of(live: Mapping[str, Any]) -> dict[str, Any]:
    """Return inputs for an object not yet in a program (import, `.get`): the whole object but the status."""
    inputs = {key: deepcopy(value) for key, value in live.items() if key not in _NOT_INPUTS}
    for name in _SERVERS_ANNOTATIONS:
        (inputs["metadata"].get("annotations") or {}).pop(name, None)
    return inputs
