"""Rules for `tags` that span several tags, or that no pattern can express."""

import unicodedata
from collections.abc import Iterator
from typing import Final

from .kept import STACK_TAG, ZONE_TAG
from .keys import Settings
from .problems import Change, Problem, echo
from .shapes import child

MOST: Final = 50  # tags of a resource (AWS General Reference, "Tag limits")
# Allowed by every service: letters, digits and spaces of any script, and these (ELBv2 and IAM API, type Tag).
MARKS: Final = "_.:/=+-@"
# The tags of a created address: network.py finds the address again by two of these tags.
OF_AN_ADDRESS: Final = frozenset({"Name", STACK_TAG, ZONE_TAG})


def wrong_tags(settings: Settings) -> Iterator[Problem]:
    """Report keys and characters that AWS refuses, and too many tags for a resource."""
    allowed = f"letters, digits, spaces and {MARKS}"
    for key, value in settings.tags.items():
        path = child("tags", key)
        for what, text in (("the key ", key), ("", value if isinstance(value, str) else "")):
            if wrong := refused(text):
                yield Problem(path, f"{what}{echo(text)}", allowed, f"replace {echo(wrong)}")
    yield from _alike(settings)
    created = any(place.allocation_id is None for place in settings.zones.values())
    stack = OF_AN_ADDRESS if created else {STACK_TAG}
    own = frozenset() if not settings.balances else stack - settings.tags.keys()
    if (surplus := len(settings.tags) + len(own) - MOST) > 0:
        where = "each address" if created else "the load balancer"
        beside = f", and {len(own)} tag{'s' if len(own) > 1 else ''} of the stack on {where}" if own else ""
        read = f"{len(settings.tags)} tags{beside}"
        yield Problem("tags", read, f"at most {MOST} on a resource", f"remove {surplus} of the tags")


def _alike(settings: Settings) -> Iterator[Problem]:
    """Report keys with only a difference in case; refused by IAM ("Rules for tagging in IAM", user guide)."""
    first: dict[str, str] = {}
    for key in settings.tags:
        if (other := first.setdefault(key.lower(), key)) != key:
            read = f"the key {echo(key)} beside {echo(other)}"
            path = child("tags", key)
            yield Problem(path, read, "keys that differ in more than case", Change(path, None))


def refused(text: str) -> str:
    """Return the first character that AWS refuses in a tag, or ""."""
    taken = (each in MARKS or unicodedata.category(each)[0] in "LNZ" for each in text)
    return next((each for each, right in zip(text, taken, strict=True) if not right), "")
