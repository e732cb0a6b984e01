"""Label selectors: terms of equality, of sets and of presence, separated by commas."""

import re
from collections.abc import Callable, Mapping

from bench.apiserver.store import Matches

_COMMA = re.compile(r",(?![^(]*\))")  # not inside of parentheses
_TERM = re.compile(
    r"(?P<absent>!)?\s*(?P<key>[A-Za-z0-9./_-]+)"
    r"(?:\s*(?P<sign>==?|!=)\s*(?P<value>[A-Za-z0-9._-]*)|\s+(?P<word>in|notin)\s*\((?P<values>[^()]*)\))?"
)


def matches(selector: str) -> Matches | None:
    """Return the test of a selector, None for the empty one. Raises ValueError for another form."""
    if not selector:
        return None
    terms = [_term(text.strip()) for text in _COMMA.split(selector)]
    return lambda labels: all(term(labels) for term in terms)


def _term(text: str) -> Callable[[Mapping[str, str]], bool]:
    found = _TERM.fullmatch(text)
    if found is None or (found["absent"] and (found["sign"] or found["word"])):
        raise ValueError(f"label selector term {text!r} is not supported by the bench's API server")
    key, wanted = found["key"], not found["absent"]
    if not (found["sign"] or found["word"]):
        return lambda labels: (key in labels) is wanted
    values = {found["value"]} if found["sign"] else {each.strip() for each in found["values"].split(",")}
    if found["sign"] == "!=" or found["word"] == "notin":
        return lambda labels: labels.get(key) not in values
    return lambda labels: labels.get(key) in values
