"""What people may choose about decisions: records that the parsed settings are turned into."""

from dataclasses import dataclass
from enum import StrEnum

from syncer.decide.selector import EVERYTHING, Selector

# The taints that announce a node's end, each from its writer's source: cluster-autoscaler (deletion begun;
# its DeletionCandidateOfClusterAutoscaler only considers it), Karpenter v1, Karpenter 0.32-0.37, the
# out-of-service taint of KEP-2268, and the node-termination-handler's family but for its rebalance
# recommendation, which says that a spot instance is at risk and not that it ends.
LEAVING_TAINTS = (
    "ToBeDeletedByClusterAutoscaler",
    "karpenter.sh/disrupted",
    "karpenter.sh/disruption",
    "node.kubernetes.io/out-of-service",
    "aws-node-termination-handler/*",
    "!aws-node-termination-handler/rebalance-recommendation",
)


class Ownership(StrEnum):
    """Which targets we may remove (safety rule 6)."""

    TRACKED = "tracked"
    EXCLUSIVE = "exclusive"
    ADD_ONLY = "add-only"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePolicy:
    """How Nodes are judged.

    A leaving taint that ends in `/*` stands for every key with that prefix; one that begins with `!` is an
    exception to the others, wherever it stands.
    """

    selector: Selector = EVERYTHING
    leaving_taints: tuple[str, ...] = LEAVING_TAINTS
    cordon_leaves: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanPolicy:
    """How far a plan may go.

    `share` of the base must go on serving (0 to 1). `target_limit` is how many targets a group may hold,
    None for no limit but what AWS is seen to accept. `zones` are those enabled on the load balancer, None
    if not known. With `cross_zone` off the brake holds in each zone too. Times are seconds.
    """

    ownership: Ownership = Ownership.TRACKED
    share: float = 0.5
    target_limit: int | None = None
    zones: frozenset[str] | None = None
    cross_zone: bool = True
    base_window: float = 600.0
    deadline_patience: float = 60.0
    successor_patience: float = 300.0
