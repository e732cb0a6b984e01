"""Decode JSON from the API server; of a Node only the fields that a verdict needs.

A Node has 10 KB, mostly `managedFields` and images. msgspec skips such fields without building objects
(docs/adr/0032-decode-nodes-with-msgspec.md).
"""

import json
from collections.abc import Callable
from typing import Any, TypedDict

import msgspec

Decode = Callable[[bytes], Any]

# The fields that `syncer.decide.nodes` reads, and of an event the fields that `Known` reads. A value of any
# type is decoded as in JSON: `node_view` treats a value of a wrong type as absent. The names are the API's.
_Annotations = TypedDict("_Annotations", {"k8s.io/initial-events-end": Any}, total=False)


class _Metadata(TypedDict, total=False):
    name: Any
    labels: Any
    creationTimestamp: Any
    deletionTimestamp: Any
    resourceVersion: Any
    annotations: _Annotations | None


class _Spec(TypedDict, total=False):
    providerID: Any
    taints: Any
    unschedulable: Any


class _Status(TypedDict, total=False):
    conditions: Any


class _Object(TypedDict, total=False):
    """A Node, or the Status of an ERROR event."""

    metadata: _Metadata
    spec: _Spec
    status: _Status
    code: Any
    message: Any


class _Event(TypedDict, total=False):
    type: Any
    object: _Object


_PageMetadata = TypedDict("_PageMetadata", {"continue": Any, "resourceVersion": Any}, total=False)


class _Page(TypedDict, total=False):
    metadata: _PageMetadata
    items: list[_Object] | None


def _decoder(shape: Any) -> Decode:
    """Return a decoder of `shape`; JSON of another shape is decoded completely by the standard library.

    So a malformed Node has the same effect as without msgspec: only this Node is affected.
    """
    fast = msgspec.json.Decoder(shape)

    def decode(data: bytes) -> Any:
        try:
            return fast.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return json.loads(data)

    return decode


node_page: Decode = _decoder(_Page)
node_event: Decode = _decoder(_Event)
