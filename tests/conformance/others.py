"""What peers do with a node event, restated from their sources: when they look, and whom they take."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.conformance.documents import Json

_EXCLUDE = "node.kubernetes.io/exclude-from-external-load-balancers"
_OLD_EXCLUDE = "alpha.service-controller.kubernetes.io/exclude-balancer"
_CA = "ToBeDeletedByClusterAutoscaler"
_GO_FALSE = {"0", "f", "F", "FALSE", "false", "False"}


class StoppedError(Exception):
    """The peer gives up the whole group because of this Node."""


@dataclass(frozen=True)
class Peer:
    """`takes` whether a Node should be a target; `notices` whether it looks after such a change at all.

    `later` is what becomes of it where it does not look: of a target to be registered, and of one to go.
    """

    name: str
    takes: Callable[[Json, str], bool]
    notices: Callable[[Json | None, Json | None, str], bool]
    later: tuple[str, str]


def outcome(peer: Peer, before: Json | None, after: Json | None, role: str) -> str:
    """What becomes of the target when `before` turns into `after`; None is no Node.

    `role` is the label that nodes are selected by, "" where all are.
    """
    try:
        was = _takes(peer, before, role)
    except StoppedError:
        was = False
    try:
        takes = _takes(peer, after, role)
    except StoppedError:
        return "**syncs no target of the group**"
    if was is takes:
        return "keeps it" if takes else "leaves it out"
    if peer.notices(before, after, role):
        return "registers" if takes else "deregisters"
    return peer.later[0] if takes else peer.later[1]


def _takes(peer: Peer, node: Json | None, role: str) -> bool:
    return node is not None and peer.takes(node, role)


def _labels(node: Json) -> dict[str, str]:
    labels: dict[str, str] = node["metadata"].get("labels", {})
    return labels


def _taints(node: Json) -> list[dict[str, Any]]:
    taints: list[dict[str, Any]] = node["spec"].get("taints", [])
    return taints


def _is_ready(node: Json) -> bool:
    return any(c["type"] == "Ready" and c["status"] == "True" for c in node["status"]["conditions"])


def _suits_lbc(node: Json) -> bool:
    return not any(
        taint["key"] == _CA
        or (taint["key"] == "karpenter.sh/disrupted" and taint.get("effect") == "NoSchedule")
        for taint in _taints(node)
    )


def _lbc_selects(node: Json, role: str) -> bool:
    labels = _labels(node)
    shunned = {"node-role.kubernetes.io/master", _EXCLUDE, _OLD_EXCLUDE}.intersection(labels)
    fargate = labels.get("eks.amazonaws.com/compute-type") == "fargate"
    return not shunned and not fargate and (not role or role in labels)


def _lbc_takes(node: Json, role: str) -> bool:
    if not (_suits_lbc(node) and _lbc_selects(node, role) and _is_ready(node)):
        return False
    if not node["spec"].get("providerID", "").rpartition("/")[2].startswith("i-"):
        raise StoppedError
    return True


def _lbc_notices(before: Json | None, after: Json | None, role: str) -> bool:
    """Both suit: when readiness changes. One suits: when that one is not Ready=False."""

    def suits(node: Json | None) -> bool:
        return node is not None and _suits_lbc(node) and _lbc_selects(node, role)

    def ready(node: Json | None) -> str:
        conditions = node["status"]["conditions"] if node else []
        return next((str(c["status"]) for c in conditions if c["type"] == "Ready"), "False")

    if suits(before) and suits(after):
        return ready(before) != ready(after)
    return (suits(before) and ready(before) != "False") or (suits(after) and ready(after) != "False")


def _ccm_includes(node: Json) -> bool:
    value = _labels(node).get(_EXCLUDE)
    return value is None or value in _GO_FALSE


def _ccm_takes(node: Json, role: str) -> bool:
    provider_id = node["spec"].get("providerID", "")
    return (
        _ccm_includes(node)
        and not node["metadata"].get("deletionTimestamp")
        and not any(taint["key"] == _CA for taint in _taints(node))
        and (not role or role in _labels(node))
        and provider_id.startswith("aws://")
        and provider_id.rpartition("/")[2].startswith("i-")
    )


def _ccm_notices(before: Json | None, after: Json | None, _: str) -> bool:
    if before is None or after is None:
        return True
    changed = before["spec"].get("providerID") != after["spec"].get("providerID")
    return changed or _ccm_includes(before) is not _ccm_includes(after)


def _predecessor_takes(node: Json, role: str) -> bool:
    """It sends any last part of a providerID; AWS refuses what is no instance."""
    return node["spec"].get("providerID", "").rpartition("/")[2].startswith("i-") and (
        not role or role in _labels(node)
    )


LBC = Peer(
    "AWS Load Balancer Controller",
    _lbc_takes,
    _lbc_notices,
    later=("registers on a retry", "deregisters later"),
)
CCM = Peer("cloud provider", _ccm_takes, _ccm_notices, later=("registers later", "deregisters later"))
PREDECESSOR = Peer(
    "predecessor",
    _predecessor_takes,
    lambda before, after, _: before is None or after is None,
    later=("registers when it restarts", "keeps it for ever"),
)
PEERS = (LBC, CCM, PREDECESSOR)
