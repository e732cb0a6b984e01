"""Pages of /status: rows with a problem first, found by words. docs/status.md has the rules."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from syncer.decide.next_action import Action
from syncer.decide.policy import Ownership
from syncer.decide.reasons import NO_NODE
from syncer.model import Standing, TargetState, Why

PAGE_ROWS = 100
# The lists of a group whose elements have the `id` of an instance.
LISTS = ("targets", "register", "deregister", "held", "quarantined", "contested")
_ACTIONS = {"register": Action.REGISTER, "deregister": Action.DEREGISTER, "held": Action.HOLD}
_JOINING = {"NoProviderID", "NotReadyYet"}
_KEPT = "KeptNotReady"
_ACCEPTED = {TargetState.INITIAL, TargetState.UNAVAILABLE}
_WITHOUT_NODE = "no node"
_ABSENT = "absent"
_NUMBER = re.compile(r"[0-9]+")
_DIGITS = 20

Element = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Row:
    """A Node, or an instance with targets and without a Node (`node` is None)."""

    node: Element | None
    instance_id: str
    unwell: bool


class _Group:
    """A group of the document, its lists by instance."""

    def __init__(self, group: Element) -> None:
        self.document = group
        self.lists = {name: _by_id(group[name]) for name in LISTS}
        self._planned = {each for name in _ACTIONS for each in self.lists[name]}

    def ids(self) -> Iterator[str]:
        """Yield the instances in the order of the lists, perhaps several times."""
        for each in self.lists.values():
            yield from each

    def targets(self, instance_id: str) -> Sequence[Element]:
        """Return the instance's targets of AWS's list with their next action, then those not in the list."""
        found = self.lists["targets"].get(instance_id, [])
        if instance_id not in self._planned:
            return found
        listed = {each["port"] for each in found}
        absent = (
            {"why": "", **each, "state": _ABSENT, "next": action}
            for name, action in _ACTIONS.items()
            for each in self.lists[name].get(instance_id, ())
            if each["port"] not in listed
        )
        return [*found, *absent]

    def page(self, ids: Iterable[str]) -> Mapping[str, Any]:
        """Return the group with the elements of these instances, and the sums of all elements."""
        chosen = tuple(ids)
        parts = {
            name: [each for one in chosen for each in by_id.get(one, ())]
            for name, by_id in self.lists.items()
        }
        return {**self.document, **parts, "totals": self._totals}

    @cached_property
    def _totals(self) -> Mapping[str, Any]:
        sums: dict[str, Any] = {name: len(self.document[name]) for name in LISTS}
        sums["held_by"] = dict(sorted(Counter(each["why"] for each in self.document["held"]).items()))
        sums["causes"] = sorted({each["cause"] for each in self.document["contested"]})
        return sums


class StatusPages:
    """The rows of a document of /status, in the order of the pages."""

    def __init__(self, status: Mapping[str, Any]) -> None:
        self._status = status
        self._groups = [_Group(each) for each in status["groups"]]
        rows = sorted(self._all(), key=_order)
        self._unwell = [row for row in rows if row.unwell]
        self._rows = [*self._unwell, *(row for row in rows if not row.unwell)]

    def page(self, number: int, *, unwell: bool = False, words: Sequence[str] = ()) -> Mapping[str, Any]:
        """Return the document with the rows of one page; without rows beyond the last page."""
        rows = self._unwell if unwell else self._rows
        if words:
            rows = [
                row
                for row, text in zip(rows, self._texts, strict=False)  # unwell rows come first
                if all(word in text for word in words)
            ]
        shown = rows[(number - 1) * PAGE_ROWS : number * PAGE_ROWS]
        ids = dict.fromkeys(row.instance_id for row in shown if row.instance_id)
        return {
            **self._status,
            "nodes": [row.node for row in shown if row.node],
            "groups": [group.page(ids) for group in self._groups],
            "paging": {
                "page": number,
                "pages": max(1, -(-len(rows) // PAGE_ROWS)),
                "page_rows": PAGE_ROWS,
                "rows": len(rows),
            },
            "totals": self._totals,
            "rows": [
                {
                    "node": row.node["node"] if row.node else None,
                    "instance_id": row.instance_id or None,
                    "unwell": row.unwell,
                }
                for row in shown
            ],
        }

    @cached_property
    def _totals(self) -> Mapping[str, Any]:
        counts = Counter(node["verdict"] for node in self._status["nodes"])
        return {
            "rows": len(self._rows),
            "unwell": len(self._unwell),
            "nodes": len(self._status["nodes"]),
            "verdicts": {each: counts[each] for each in Standing},
        }

    @cached_property
    def _texts(self) -> Sequence[str]:
        """The text of every row that words are looked for in; made for the first search only."""
        return [self._text(row) for row in self._rows]

    def _all(self) -> Iterator[_Row]:
        known: set[str] = set()
        for node in self._status["nodes"]:
            instance_id = node["instance_id"] or ""
            known.add(instance_id)
            yield _Row(node, instance_id, not self._is_well(node["verdict"], node["reason"], instance_id))
        for instance_id in dict.fromkeys(each for group in self._groups for each in group.ids()):
            if instance_id not in known:
                yield _Row(None, instance_id, not self._is_well(_WITHOUT_NODE, NO_NODE, instance_id))

    def _is_well(self, verdict: str, reason: str, instance_id: str) -> bool:
        if verdict == Standing.IN:
            return reason != _KEPT and all(_serves(group, instance_id) for group in self._groups)
        ignored = frozenset({Why.FOREIGN} if self._status["ownership"] == Ownership.TRACKED else ())
        return reason not in _JOINING and all(_is_left(group, instance_id, ignored) for group in self._groups)

    def _text(self, row: _Row) -> str:
        node = row.node or {"node": "", "zone": "", "verdict": _WITHOUT_NODE, "reason": NO_NODE}
        words = [node["node"], row.instance_id, node["zone"], node["verdict"], node["reason"]]
        for group in self._groups:
            for each in group.targets(row.instance_id):
                words += (each.get(name) or "" for name in ("state", "reason", "override", "next", "why"))
                if row.node is None:
                    words.append(each.get("zone") or "")
        return " ".join(words).lower()


def _by_id(elements: Iterable[Element]) -> Mapping[str, list[Element]]:
    found: dict[str, list[Element]] = {}
    for each in elements:
        found.setdefault(each["id"], []).append(each)
    return found


def _order(row: _Row) -> str:
    """Order by name, with numbers in a name as numbers; instances without a Node come first."""
    name = row.node["node"] if row.node else ""
    return _NUMBER.sub(lambda found: found[0].zfill(_DIGITS), name) + " " + row.instance_id


def _serves(group: _Group, instance_id: str) -> bool:
    """Return whether the instance is one healthy target on the right port, without a next action.

    A blind syncer does not know a target's health: an accepted target counts as healthy.
    """
    targets = group.targets(instance_id)
    if len(targets) != 1:
        return False
    (target,) = targets
    state, port = target["state"], group.document["port"]
    healthy = state == TargetState.HEALTHY or (group.document["blind"] and state in _ACCEPTED)
    return healthy and target["next"] == Action.NOTHING and port in {None, target["port"]}


def _is_left(group: _Group, instance_id: str, ignored: frozenset[Why]) -> bool:
    """Return whether the instance has no target but those that the syncer ignores."""
    return all(each["why"] in ignored for each in group.targets(instance_id))
