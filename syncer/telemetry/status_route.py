"""The route of /status: the whole document, or a page of its rows as the query asks for."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import unquote_plus

from syncer.telemetry.status_pages import StatusPages
from syncer.telemetry.web import Queried, RefusedError, Shared, SharedQueries, document

State = TypeVar("State")
_PAGE = re.compile(r"[1-9][0-9]{0,6}")
_FIND_CHARACTERS = 200
_ALLOWED = {
    "page": "1 to 9999999",
    "unwell": "1",
    "find": f"1 to {_FIND_CHARACTERS} characters in UTF-8",
}
_SHOWN = 80


@dataclass(frozen=True, slots=True)
class StatusQuery:
    """A page of the rows; `words` must all occur in a row, `unwell` leaves out rows without a problem."""

    page: int = 1
    unwell: bool = False
    words: tuple[str, ...] = ()


def parse_query(query: str) -> StatusQuery | None:
    """Parse the query as sent; None without parameters.

    Raises:
        RefusedError: for an unknown or a repeated parameter, or a value that is not allowed.

    """
    given: dict[str, str] = {}
    for each in query.split("&") if query else ():
        name, _, value = each.partition("=")
        if name not in _ALLOWED:
            raise RefusedError(400, f"unknown parameter: {name[:_SHOWN]!a}; allowed: {', '.join(_ALLOWED)}")
        if name in given:
            raise RefusedError(400, f"parameter is repeated: {name}; allowed: once")
        given[name] = _decoded(name, value)
    if not given:
        return None
    page = given.get("page", "1")
    if not _PAGE.fullmatch(page):
        raise _refused("page", page)
    if given.get("unwell", "1") != "1":
        raise _refused("unwell", given["unwell"])
    find = given.get("find", "")
    if "find" in given and not 0 < len(find) <= _FIND_CHARACTERS:
        raise _refused("find", find)
    return StatusQuery(int(page), "unwell" in given, tuple(sorted(set(find.lower().split()))))


def _decoded(name: str, value: str) -> str:
    try:
        return unquote_plus(value.encode("latin-1").decode(), errors="strict")
    except UnicodeError:
        raise _refused(name, value) from None


def _refused(name: str, value: str) -> RefusedError:
    return RefusedError(400, f"{name} is {value[:_SHOWN]!a}; allowed: {_ALLOWED[name]}")


def status_route(observe: Callable[[], State], describe: Callable[[State], Mapping[str, Any]]) -> Queried:
    """Return the route of what `describe` makes, in a worker thread, of the state observed on the loop."""
    whole = Shared(observe, lambda state: document(describe(state)))
    pages: SharedQueries[State, StatusPages, StatusQuery] = SharedQueries(
        observe,
        lambda state: StatusPages(describe(state)),
        lambda found, query: document(found.page(query.page, unwell=query.unwell, words=query.words)),
    )

    def answer(query: str) -> Any:
        asked = parse_query(query)
        return whole() if asked is None else pages(asked)

    return Queried(answer)
