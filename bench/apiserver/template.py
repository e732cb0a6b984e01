"""Nodes as bytes: the text of a real Node with the identity, the version and the heartbeat replaced."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench.apiserver.merge import merged
from bench.fleet import ZONES, Node

# A number whose name, instance id and address occur nowhere else in a Node.
SPECIMEN = Node(987_654)
KIND = b'{"kind":"Node","apiVersion":"v1",'
_HEARTBEAT = re.compile(rb'"lastHeartbeatTime":"[^"]*"')


@dataclass(frozen=True, slots=True)
class Item:
    """A Node of the store. `body` replaces the template for a Node that was written."""

    node: Node
    version: int
    heartbeat: bytes
    body: Mapping[str, Any] | None = None


class Template:
    """Renders Nodes from `specimen`, the JSON object of SPECIMEN as sent by the real API server."""

    def __init__(self, specimen: Mapping[str, Any]) -> None:
        self.heartbeat = specimen["status"]["conditions"][0]["lastHeartbeatTime"].encode()
        self._inside = _form(specimen)
        self._outside = _form(merged(specimen, {"metadata": {"labels": {Node.POOL[0]: None}}}))
        samples = [Node(number, pool=pool) for pool in (True, False) for number in range(len(ZONES))]
        self._labels: dict[tuple[bool, str], Mapping[str, str]] = {
            (node.pool, node.zone): self.body(Item(node, 0, self.heartbeat))["metadata"]["labels"]
            for node in samples
        }

    def render(self, item: Item) -> bytes:
        """Return the Node's JSON."""
        if item.body is not None:
            return _compact(item.body)
        text = self._inside if item.node.pool else self._outside
        fields = {b"version": item.version, b"heartbeat": item.heartbeat, **_identity(item.node)}
        return text % fields

    def body(self, item: Item) -> dict[str, Any]:
        """Return the Node as a fresh object."""
        body: dict[str, Any] = json.loads(self.render(item))
        return body

    def labels(self, item: Item) -> Mapping[str, str]:
        """Return the labels that a selector can name."""
        if item.body is not None:
            labels: Mapping[str, str] = item.body["metadata"]["labels"]
            return labels
        labels = self._labels[item.node.pool, item.node.zone]
        return {**labels, "kubernetes.io/hostname": item.node.name}


def _form(specimen: Mapping[str, Any]) -> bytes:
    """Return the JSON with a place for each text that differs between Nodes or changes with a heartbeat."""
    metadata = specimen["metadata"]
    version = f'"resourceVersion":"{metadata["resourceVersion"]}"'.encode()
    text = _compact(specimen).replace(b"%", b"%%").replace(version, b'"resourceVersion":"%(version)d"')
    text = _HEARTBEAT.sub(b'"lastHeartbeatTime":"%(heartbeat)b"', text)
    for field, own in _identity(SPECIMEN, metadata["uid"]).items():
        text = text.replace(own, b"%%(%b)b" % field)
    return text


def _identity(node: Node, uid: str = "") -> dict[bytes, bytes]:
    """Return the texts that differ between two Nodes."""
    return {
        b"name": node.name.encode(),
        b"instance": node.instance.encode(),
        b"ip": node.ip.encode(),
        b"dashed": node.ip.replace(".", "-").encode(),
        b"zone": node.zone.encode(),
        b"uid": (uid or f"{node.number:08x}-0000-4000-8000-000000000000").encode(),
    }


def _compact(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
