"""Check that the host name behind the names of Lease and registry is not a Node's (hostNetwork)."""

from collections.abc import Mapping

from syncer.cluster.api import Api, RefusedError
from syncer.cluster.place import Place, nameless
from syncer.errors import ClusterError

_HOSTNAME_LABEL = "kubernetes.io/hostname"
_BAD_REQUEST = 400


class OwnName:
    """Checks a place's name once, with the right to read Nodes, common to all syncers.

    The check follows the first read that the API server allows: a syncer without any right to Leases runs
    without election, like the predecessor, and needs no name.
    """

    def __init__(self, api: Api, place: Place) -> None:
        self._api = api
        self._host = place.host

    def check(self) -> None:
        """Return if the name is certainly not a Node's.

        Raises:
            MisconfiguredError: a Node has this name; a user must set NLB_SYNC_NAME.
            ClusterError: unknown now; no object may be written under the name.

        """
        if self._host and self._is_node():
            raise nameless(self._host)
        self._host = ""

    def _is_node(self) -> bool:
        """Return whether a Node has this name, or this hostname label; needs the right to `list`."""
        return any(
            self._listed({selects: f"{field}={self._host}", "limit": "1"})
            for selects, field in (("fieldSelector", "metadata.name"), ("labelSelector", _HOSTNAME_LABEL))
        )

    def _listed(self, query: Mapping[str, str]) -> bool:
        try:
            return bool(self._api.get("/api/v1/nodes", query).get("items"))
        except RefusedError as error:
            if error.status == _BAD_REQUEST:
                return False  # invalid as a Node's name
            # Not a 403: the election would end, as for a missing right to Leases.
            raise ClusterError(f"cannot check whether {self._host} is a Node's name: {error}") from None
