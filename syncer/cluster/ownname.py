"""Whether the host name that a Lease and a registry would be named after is a Node's: hostNetwork."""

from collections.abc import Mapping

from syncer.cluster.api import Api, RefusedError
from syncer.cluster.place import Place, nameless
from syncer.errors import ClusterError

_HOSTNAME_LABEL = "kubernetes.io/hostname"
_BAD_REQUEST = 400


class OwnName:
    """Checks a place's name once, with the right to read Nodes, which every syncer has.

    It is checked after the first read that the API server allows: a syncer without any right to Leases runs
    unelected, as the predecessor's does, and needs no name.
    """

    def __init__(self, api: Api, place: Place) -> None:
        self._api = api
        self._host = place.host

    def check(self) -> None:
        """Return where the name is sure.

        Raises:
            MisconfiguredError: where a Node has this name; a person must set NLB_SYNC_NAME.
            ClusterError: where that cannot be known now; nothing must be written under the name.

        """
        if self._host and self._is_node():
            raise nameless(self._host)
        self._host = ""

    def _is_node(self) -> bool:
        """Whether a Node has this name, or this label where its name is another; it takes `list`."""
        return any(
            self._listed({selects: f"{field}={self._host}", "limit": "1"})
            for selects, field in (("fieldSelector", "metadata.name"), ("labelSelector", _HOSTNAME_LABEL))
        )

    def _listed(self, query: Mapping[str, str]) -> bool:
        try:
            return bool(self._api.get("/api/v1/nodes", query).get("items"))
        except RefusedError as error:
            if error.status == _BAD_REQUEST:
                return False  # no Node can be called so
            # Not as a 403: that would be taken for a missing right to Leases, which ends the election.
            raise ClusterError(f"whether {self._host} is a Node's name cannot be known: {error}") from None
