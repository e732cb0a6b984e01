"""Text of the ownership registry in ConfigMaps (ADR 0038); pure.

The key `targets`, or `targets-PATH` of each part of a larger registry, has lines `KEY:PORT,KEY:PORT ID ID …`:
the places of the ids, each a target group and a port. KEY is the group's key, ids are without `i-`. The
group's own key has `MARKER`, or the targets that version 0.1 wrote: lines `PORT ID ID …`.
"""

import re
from collections.abc import Iterable, Mapping

from syncer.model import InstanceId, Target, TargetGroupArn

# The value under a group's key. Version 0.1 skips such a line, and replaces the value with its first write.
MARKER = "in targets"
# The number of ConfigMaps, missing where there is one.
COUNT = "config-maps"
# The key of a group has a dot, so no group has such a key.
_SHARD = re.compile(r"targets(?:-([01]{1,16}))?")
_PLACE = re.compile(r"([^\s,:]+):([0-9]{1,12})")
# `str.isdigit` also accepts digits that `int` rejects.
_PORT = re.compile(r"[0-9]{1,12}")

Places = frozenset[str]


def key_of(group: TargetGroupArn) -> str:
    """Return the group's key in the ConfigMap: NAME.ID, because names may repeat in another Region."""
    return group.rpartition(":targetgroup/")[2].replace("/", ".")


def shard_key(path: str) -> str:
    """Return the key of a shard; `path` are the first bits of the hash of its ids."""
    return f"targets-{path}" if path else "targets"


def shard_path(key: str) -> str | None:
    """Return the path of a shard by its key, None for any other key."""
    match = _SHARD.fullmatch(key)
    return None if match is None else match[1] or ""


def place(key: str, port: int) -> str:
    """Return the place of a target: its group by key, and its port."""
    return f"{key}:{port}"


def parsed(place: str) -> tuple[str, int]:
    """Return key and port of a place."""
    key, _, port = place.rpartition(":")
    return key, int(port)


def marked(values: Mapping[str, str]) -> frozenset[str]:
    """Return the keys of the groups whose entries in shards count.

    Version 0.1 writes its own targets under the key of a group, or deletes the key: the entries in shards are
    older then, and what version 0.1 has not taken over is not owned any more.
    """
    return frozenset(key for key, text in values.items() if text == MARKER)


def encoded(entries: Mapping[InstanceId, Places]) -> str:
    """Encode ids with their places: a line for all ids of the same places, 18 bytes an id.

    Where nearly every id has other places, a line for each place is shorter, and repeats ids instead.
    """
    by_places: dict[Places, list[str]] = {}
    for instance, places in entries.items():
        by_places.setdefault(places, []).append(instance.removeprefix("i-"))
    text = _lines((",".join(sorted(places)), ids) for places, ids in by_places.items())
    every = frozenset[str]().union(*by_places)
    if len(by_places) <= len(every):
        return text
    by_place = (
        (each, [id_ for places, ids in by_places.items() if each in places for id_ in ids]) for each in every
    )
    return min(text, _lines(by_place), key=len)


def _lines(ids: Iterable[tuple[str, list[str]]]) -> str:
    return "\n".join(sorted(f"{places} {' '.join(sorted(each))}" for places, each in ids))


def decoded(text: str) -> dict[InstanceId, Places]:
    """Decode ids with their places; a malformed line or place is skipped, at worst leaving targets behind."""
    entries: dict[InstanceId, Places] = {}
    for line in text.splitlines():
        head, *ids = line.split() or [""]
        places = frozenset(filter(_PLACE.fullmatch, head.split(",")))
        if places:
            for each in ids:
                instance = InstanceId(f"i-{each}")
                entries[instance] = entries.get(instance, places) | places
    return entries


def decoded_group(text: str) -> frozenset[Target]:
    """Decode the targets that version 0.1 wrote for a group; a malformed line, or `MARKER`, is skipped."""
    targets: set[Target] = set()
    for line in text.splitlines():
        port, *ids = line.split() or [""]
        if _PORT.fullmatch(port):
            targets.update(Target(InstanceId(f"i-{each}"), int(port)) for each in ids)
    return frozenset(targets)
