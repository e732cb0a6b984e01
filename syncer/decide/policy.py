"""Policies of the decisions: records built from the parsed settings."""

from dataclasses import dataclass
from enum import StrEnum

from syncer.decide.selector import EVERYTHING, Selector

# Taints that announce a node's end, each from the source of its writer: cluster-autoscaler (deletion has
# begun; DeletionCandidateOfClusterAutoscaler marks only a candidate), Karpenter v1, Karpenter 0.32-0.37, the
# out-of-service taint of KEP-2268, and the taints of node-termination-handler except the rebalance
# recommendation, a sign of risk for a spot instance and not of an end.
LEAVING_TAINTS = (
    "ToBeDeletedByClusterAutoscaler",
    "karpenter.sh/disrupted",
    "karpenter.sh/disruption",
    "node.kubernetes.io/out-of-service",
    "aws-node-termination-handler/*",
    "!aws-node-termination-handler/rebalance-recommendation",
)


class Ownership(StrEnum):
    """Which targets the syncer may remove (safety rule 6)."""

    TRACKED = "tracked"
    EXCLUSIVE = "exclusive"
    ADD_ONLY = "add-only"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePolicy:
    """How Nodes are judged.

    A leaving taint that ends in `/*` matches every key with the prefix. A leaving taint that begins with `!`
    is an exception to the others at any position.
    """

    selector: Selector = EVERYTHING
    leaving_taints: tuple[str, ...] = LEAVING_TAINTS
    cordon_leaves: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanPolicy:
    """Limits of a plan. Times are seconds.

    `share` of the base must continue to serve (0 to 1). `target_limit` is the maximum number of targets of a
    group; None means only the limit learnt from AWS. `zones` are the zones enabled on the load balancer, None
    if unknown. With `cross_zone` off the brake applies to every zone too. `only_selected`: the API server
    lists only Nodes that the selector matches, so an instance without a Node may have a Node.
    """

    ownership: Ownership = Ownership.TRACKED
    share: float = 0.5
    target_limit: int | None = None
    zones: frozenset[str] | None = None
    cross_zone: bool = True
    only_selected: bool = False
    base_window: float = 600.0
    deadline_patience: float = 60.0
    successor_patience: float = 300.0
