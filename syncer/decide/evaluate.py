"""The nine rules that decide whether a Node should be a target: an ordered list, first match wins."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from syncer.decide.policy import NodePolicy
from syncer.model import Evaluation, InstanceId, Intent, NodeView, Standing, Verdict

JOINING = "NotReadyYet"
# Every deletionTimestamp makes a new combination of facts: beyond this size the cache is cleared.
_KINDS = 10_000


@dataclass(frozen=True, slots=True)
class Facts:
    """The input of a rule: the Node, whether any group has its instance as a target, and the policy."""

    node: NodeView
    registered: bool
    policy: NodePolicy


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of the verdict table. `{key}` in a code is the taint; `text` completes "a node"."""

    number: int
    code: str
    standing: Standing
    applies: Callable[[Facts], bool]
    text: str


RULES: tuple[Rule, ...] = (
    Rule(
        1,
        "NotAnInstance",
        Standing.OUT,
        lambda f: f.node.instance_id is None and f.node.has_provider_id,
        "whose providerID is not an EC2 instance (Fargate, hybrid, another cloud, malformed)",
    ),
    Rule(
        2,
        "NoProviderID",
        Standing.OUT,
        lambda f: f.node.instance_id is None,
        "without a providerID; evaluated again when the Node has a providerID",
    ),
    Rule(
        3,
        "SelectorMismatch",
        Standing.OUT,
        lambda f: not f.node.selected,
        "that the label selector does not match",
    ),
    Rule(
        4,
        "ExcludedByLabel",
        Standing.LEAVING,
        lambda f: f.node.excluded,
        "that a label excludes from external load balancers",
    ),
    Rule(
        5,
        "Deleting",
        Standing.LEAVING,
        lambda f: f.node.deleting_since is not None,
        "with a deletionTimestamp",
    ),
    Rule(
        6,
        "Taint:{key}",
        Standing.LEAVING,
        lambda f: f.node.leaving_taint is not None,
        "with a taint that announces its removal",
    ),
    Rule(
        7,
        "Cordoned",
        Standing.LEAVING,
        lambda f: f.node.cordoned and f.policy.cordon_leaves,
        "that is cordoned, with NLB_SYNC_CORDON_LEAVES",
    ),
    Rule(
        8,
        JOINING,
        Standing.OUT,
        lambda f: not f.node.ready and not f.registered,
        "that is not Ready and whose instance is not a target yet: the node is joining",
    ),
    Rule(
        9,
        "KeptNotReady",
        Standing.IN,
        lambda f: not f.node.ready,
        "that is not Ready but whose instance is a target: the health check decides",
    ),
    Rule(
        9,
        "Ready",
        Standing.IN,
        lambda _: True,
        "that is Ready and matches no other rule",
    ),
)


def rule_for(facts: Facts) -> Rule:
    """Return the first rule that applies; the last rule always applies."""
    return next(rule for rule in RULES if rule.applies(facts))


def evaluate(
    nodes: Iterable[NodeView] | None,
    registered: Collection[InstanceId],
    policy: NodePolicy,
    *,
    complete: bool = True,
) -> Evaluation:
    """Judge every Node in the given order; the newest Node of an instance has its desired state.

    Args:
        nodes: every Node, or None before the first complete list.
        registered: the instances that AWS lists as targets in any group of this syncer.
        policy: the configured selector, leaving taints and cordon rule.
        complete: false if `nodes` is known to be only a part of the list.

    """
    if nodes is None:
        return Evaluation(verdicts=(), instances={}, complete=False)
    listed, judge = tuple(nodes), Judge(policy)
    deciding = authoritative_nodes(listed)
    instances = {i: judge.intent(node, registered=i in registered) for i, node in deciding.items()}

    def verdict(node: NodeView) -> Verdict:
        instance = node.instance_id
        if instance is None:
            return verdict_of(node, node, judge.intent(node, registered=False))
        return verdict_of(node, deciding[instance], instances[instance])

    return Evaluation(verdicts=tuple(map(verdict, listed)), instances=instances, complete=complete)


def verdict_of(node: NodeView, authoritative: NodeView, intent: Intent) -> Verdict:
    """Return the verdict of a Node, by the intent of its instance; `authoritative` has decided."""
    return Verdict(
        node=node.name,
        instance_id=node.instance_id,
        standing=intent.standing,
        reason=intent.reason,
        authoritative="" if authoritative is node else authoritative.name,
        zone=intent.zone,
        zone_source=intent.zone_source,
    )


class Judge:
    """Applies the rules once to every combination of facts: 5,000 nodes have a few dozen combinations."""

    def __init__(self, policy: NodePolicy) -> None:
        self._policy = policy
        self._known: dict[tuple[object, ...], Intent] = {}

    def intent(self, node: NodeView, *, registered: bool) -> Intent:
        """Return the desired state of a Node's instance, the same object for the same facts."""
        facts = (
            *(node.instance_id is None, node.has_provider_id, node.selected, node.excluded),
            *(node.deleting_since, node.leaving_taint, node.cordoned, node.ready, registered, node.zone),
            node.zone_source,
        )
        known = self._known.get(facts)
        if known is None:
            if len(self._known) >= _KINDS:
                self._known.clear()
            known = self._known[facts] = self._apply_rules(Facts(node, registered, self._policy))
        return known

    @staticmethod
    def _apply_rules(facts: Facts) -> Intent:
        rule, node = rule_for(facts), facts.node
        return Intent(
            standing=rule.standing,
            reason=rule.code.format(key=node.leaving_taint),
            zone=node.zone,
            zone_source=node.zone_source,
            deadline=node.deleting_since is not None or node.leaving_taint is not None,
            since=node.deleting_since,
        )


def authoritative_nodes(nodes: Iterable[NodeView]) -> dict[InstanceId, NodeView]:
    """Return the authoritative Node of every instance: the newest Node.

    With equal creation times, a Node without a deletionTimestamp comes first.
    """
    authoritative: dict[InstanceId, NodeView] = {}
    for node in nodes:
        if node.instance_id is None:
            continue
        rival = authoritative.setdefault(node.instance_id, node)
        if rival is not node and _weight(node) > _weight(rival):
            authoritative[node.instance_id] = node
    return authoritative


def _weight(node: NodeView) -> tuple[float, bool, str]:
    return node.created, node.deleting_since is None, node.name
