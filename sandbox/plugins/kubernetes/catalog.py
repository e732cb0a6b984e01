"""The kinds of the API server, from its discovery API."""

import threading
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote

from sandbox.plugins.kubernetes.connection import ApiError, Connection


class NoMatchError(Exception):
    """The API server has no such kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind from discovery: `plural` is the name in URLs."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool

    def path(self, namespace: str, name: str = "") -> str:
        """Return the URL path of the collection, or of the object `name` in the collection."""
        root = f"/apis/{self.api_version}" if "/" in self.api_version else f"/api/{self.api_version}"
        scope = f"/namespaces/{quote(namespace, safe='')}" if self.namespaced else ""
        return f"{root}{scope}/{self.plural}" + (f"/{quote(name, safe='')}" if name else "")


class Catalog:
    """Discovery with a cache for the life of the process; a missing kind is looked up again."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: dict[tuple[str, str], Kind] = {}
        self._lock = threading.Lock()

    def find(self, api_version: str, kind: str) -> Kind:
        """Return the served kind. Raises NoMatchError."""
        with self._lock:
            if (api_version, kind) not in self._known:
                self._discover(api_version)
            found = self._known.get((api_version, kind))
        if found is None:
            raise NoMatchError(f'no matches for kind "{kind}" in version "{api_version}"')
        return found

    def exists(self, api_version: str, kind: str) -> bool:
        """Return whether the kind is served now."""
        try:
            self.find(api_version, kind)
        except NoMatchError:
            return False
        return True

    def _discover(self, api_version: str) -> None:
        path = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
        try:
            listed = self._connection.get(path)
        except ApiError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return
            raise
        for each in listed.get("resources", ()):
            if "/" not in each["name"]:  # subresources such as pods/log are not kinds
                self._known[(api_version, each["kind"])] = Kind(
                    api_version=api_version,
                    kind=each["kind"],
                    plural=each["name"],
                    namespaced=each["namespaced"],
                )
