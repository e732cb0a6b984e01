"""The Nodes of the fake API server, with a version for each change and the changes in order."""

import datetime as dt
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from bench.apiserver.merge import merged
from bench.apiserver.template import KIND, Item, Template
from bench.fleet import Node
from sandbox.nodes.status import timestamp

# Ten minutes of the heartbeats of 100,000 Nodes: a watch resumes within a minute.
_KEPT_CHANGES = 200_000
_FIRST_VERSION = 1000

Matches = Callable[[Mapping[str, str]], bool]


class MissingError(LookupError):
    """No Node has this name."""


class GoneError(LookupError):
    """The changes since this version are no longer kept."""


@dataclass(frozen=True, slots=True)
class Change:
    """A Node before and after; None: absent."""

    before: Item | None
    after: Item | None


class Store:
    """Nodes by name, in the order of names."""

    def __init__(self) -> None:
        self.version = _FIRST_VERSION
        self.template: Template | None = None
        self._items: dict[str, Item] = {}
        self._changes: dict[int, Change] = {}
        self._beating: Iterator[str] = iter(())

    def __len__(self) -> int:
        return len(self._items)

    def reset(self, specimen: Mapping[str, Any], nodes: int, pool: int) -> None:
        """Start afresh with Ready Nodes 1 to `nodes`, the first `pool` of them in the pool."""
        self.template = Template(specimen)
        self._items, self._changes, self._beating = {}, {}, iter(())
        for number in range(1, nodes + 1):
            self.version += 1
            node = Node(number, pool=number <= pool)
            self._items[node.name] = Item(node, self.version, self.template.heartbeat)

    def get(self, name: str) -> bytes:
        """Return the Node's JSON. Raises MissingError."""
        return self._form.render(self._item(name))

    def page(self, matches: Matches | None, limit: int, after: str) -> tuple[list[bytes], str]:
        """Return `limit` matching Nodes (0: all) after a name, and the last name if more follow."""
        names = list(self._items)
        rest = (self._items[name] for name in islice(names, bisect_right(names, after), None))
        found = (item for item in rest if self._matches(item, matches))
        items = list(islice(found, limit)) if limit else list(found)
        more = limit and next(found, None) is not None
        # An object of a list has no kind, unlike an object by name or of a watch.
        nodes = [b"{" + self._form.render(item).removeprefix(KIND) for item in items]
        return nodes, items[-1].node.name if more else ""

    def added(self, matches: Matches | None) -> Iterator[bytes]:
        """Yield the matching Nodes of this moment as watch events."""
        for item in list(self._items.values()):
            if self._matches(item, matches):
                yield _line("ADDED", self._form.render(item))

    def since(self, version: int, matches: Matches | None) -> list[bytes]:
        """Return the changes after `version` as watch events. Raises GoneError."""
        lines = []
        for number in range(version + 1, self.version + 1):
            change = self._changes.get(number)
            if change is None:
                raise GoneError
            if line := self._event(change, number, matches):
                lines.append(line)
        return lines

    def create(self, body: Mapping[str, Any]) -> bytes:
        """Create a Node of the fleet with the fields that the real API server adds."""
        pool = Node.POOL[0] in body["metadata"]["labels"]
        node = Node(int(body["metadata"]["name"].rpartition("-")[2]), pool=pool)
        plain = Item(node, 0, self._form.heartbeat)
        known = self._form.body(plain)
        made = {
            "metadata": {"creationTimestamp": timestamp(dt.datetime.now(dt.UTC))},
            # Admission adds the taint of a node that is not ready.
            "spec": {"taints": [*body["spec"].get("taints", []), *known["spec"].get("taints", [])]},
            # The real server stores quantities in another notation; they are the same for all Nodes.
            "status": {part: known["status"][part] for part in ("capacity", "allocatable")},
        }
        return self._put(None, replace(plain, body=merged(merged(known, body), made)))

    def patch(self, name: str, patch: Mapping[str, Any]) -> bytes:
        """Apply a strategic merge patch. Raises MissingError."""
        old = self._item(name)
        body = old.body if old.body is not None else self._form.body(old)
        return self._put(old, replace(old, body=merged(body, patch)))

    def delete(self, name: str) -> bytes:
        """Delete the Node. Raises MissingError."""
        old = self._item(name)
        del self._items[name]
        self._note(Change(old, None))
        return self._form.render(old)

    def beat(self) -> None:
        """Write the unchanged status of the next Node, as its kubelet does."""
        name = next((name for name in self._beating if name in self._items), "")
        if not name:  # every Node had its turn
            self._beating = iter(list(self._items))
            name = next(self._beating)
        old, now = self._items[name], timestamp(dt.datetime.now(dt.UTC))
        if old.body is None:
            self._put(old, replace(old, heartbeat=now.encode()))
        else:
            beaten = [{**each, "lastHeartbeatTime": now} for each in old.body["status"]["conditions"]]
            self._put(old, replace(old, body=merged(old.body, {"status": {"conditions": beaten}})))

    @property
    def _form(self) -> Template:
        if self.template is None:
            raise MissingError
        return self.template

    def _matches(self, item: Item, matches: Matches | None) -> bool:
        return matches is None or matches(self._form.labels(item))

    def _item(self, name: str) -> Item:
        try:
            return self._items[name]
        except KeyError:
            raise MissingError(name) from None

    def _put(self, old: Item | None, new: Item) -> bytes:
        version = self.version + 1
        body = new.body and merged(new.body, {"metadata": {"resourceVersion": str(version)}})
        item = replace(new, version=version, body=body)
        self._items[item.node.name] = item
        self._note(Change(old, item))
        return self._form.render(item)

    def _note(self, change: Change) -> None:
        self.version += 1
        self._changes[self.version] = change
        self._changes.pop(self.version - _KEPT_CHANGES, None)

    def _event(self, change: Change, version: int, matches: Matches | None) -> bytes:
        """Return the event for a watch with this selector; empty where the Node never matched."""
        before = change.before is not None and self._matches(change.before, matches)
        if change.after is not None and self._matches(change.after, matches):
            return _line("MODIFIED" if before else "ADDED", self._form.render(change.after))
        if not before or change.before is None:
            return b""
        last = change.after or change.before
        metadata = {"metadata": {"resourceVersion": str(version)}}
        return _line(
            "DELETED", self._form.render(replace(last, body=merged(self._form.body(last), metadata)))
        )


def _line(kind: str, node: bytes) -> bytes:
    return b'{"type":"%b","object":%b}\n' % (kind.encode(), node)
