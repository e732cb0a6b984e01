"""docs/conformance.md says of each node event what the command says, and what the peers' sources say."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.conftest import Ask
from tests.conformance.documents import (
    PORT,
    ZONE,
    Json,
    health,
    instance,
    listed,
    node,
    not_ready,
    taint,
    tainted,
    target,
)
from tests.conformance.others import PEERS, outcome

PAGE = Path(__file__).parents[2] / "docs" / "conformance.md"
EXCLUDE = "node.kubernetes.io/exclude-from-external-load-balancers"
OLD_EXCLUDE = "alpha.service-controller.kubernetes.io/exclude-balancer"
SOON = {"deletionTimestamp": "2099-01-01T00:00:00Z"}
YOUNG: Json = {"status": not_ready()}
NTH = "aws-node-termination-handler"


@dataclass(frozen=True)
class Event:
    """A change of one Node, `None` being no Node; `role` is the label by which nodes are selected, if any."""

    says: str
    before: Json | None
    after: Json | None
    role: str = ""


EVENTS = [
    Event("A Node appears, not Ready yet", None, node(**YOUNG)),
    Event("A Node appears, Ready", None, node()),
    Event("A new Node turns Ready", node(**YOUNG), node()),
    Event("A Ready Node gets its providerID", node(spec={"providerID": ""}), node()),
    Event(
        "A Fargate node appears",
        None,
        node(
            labels={"eks.amazonaws.com/compute-type": "fargate"},
            spec={"providerID": "aws:///eu-central-1a/9f8e/fargate-ip-10-0-0-1.internal"},
        ),
    ),
    Event(
        "A hybrid node appears",
        None,
        node(
            labels={"eks.amazonaws.com/compute-type": "hybrid"},
            spec={"providerID": "eks-hybrid:///eu-central-1/cluster/mi-0a1b2c3d4e5f60718"},
        ),
    ),
    Event("An Auto Mode node appears", None, node(labels={"eks.amazonaws.com/compute-type": "auto"})),
    Event(
        "A Node labelled `node-role.kubernetes.io/master` appears",
        None,
        node(labels={"node-role.kubernetes.io/master": ""}),
    ),
    Event(
        "A Node appears in a zone that the load balancer does not serve",
        None,
        node(spec={"providerID": f"aws:///eu-central-1b/{instance('a')}"}),
    ),
    Event("A target's Node turns not Ready", node(), node(status=not_ready())),
    Event("A target's Node is not heard of (`Unknown`)", node(), node(status=not_ready("Unknown"))),
    Event("It is cordoned, or drained by hand", node(), node(spec={"unschedulable": True})),
    Event("It gets the exclusion label, value `true`", node(), node(labels={EXCLUDE: "true"})),
    Event("It gets the exclusion label, value `false`", node(), node(labels={EXCLUDE: "false"})),
    Event("It loses the exclusion label", node(labels={EXCLUDE: "true"}), node()),
    Event("It gets the alpha exclusion label", node(), node(labels={OLD_EXCLUDE: "true"})),
    Event("It loses the label by which nodes are selected", node(labels={"role": "x"}), node(), role="role"),
    Event(
        "Cluster autoscaler thinks of deleting it",
        node(),
        node(spec=tainted(taint("DeletionCandidateOfClusterAutoscaler", "1", "PreferNoSchedule"))),
    ),
    Event(
        "Cluster autoscaler deletes it (`ToBeDeletedByClusterAutoscaler`)",
        node(),
        node(spec=tainted(taint("ToBeDeletedByClusterAutoscaler", "1"))),
    ),
    Event(
        "Cluster autoscaler changes its mind",
        node(spec=tainted(taint("ToBeDeletedByClusterAutoscaler", "1"))),
        node(),
    ),
    Event(
        "Karpenter taints it (`karpenter.sh/disrupted`)",
        node(),
        node(spec=tainted(taint("karpenter.sh/disrupted"))),
    ),
    Event(
        "Karpenter before v1 taints it (`karpenter.sh/disruption`)",
        node(),
        node(spec=tainted(taint("karpenter.sh/disruption", "disrupting"))),
    ),
    Event(
        "Karpenter drains it (taint, label, deletionTimestamp)",
        node(),
        node(metadata=SOON, labels={EXCLUDE: "karpenter"}, spec=tainted(taint("karpenter.sh/disrupted"))),
    ),
    Event(
        "Node termination handler: spot notice", node(), node(spec=tainted(taint(f"{NTH}/spot-itn", "event")))
    ),
    Event(
        "Node termination handler: rebalance recommendation",
        node(),
        node(spec=tainted(taint(f"{NTH}/rebalance-recommendation", "event"))),
    ),
    Event(
        "It is out of service (`node.kubernetes.io/out-of-service`)",
        node(),
        node(spec=tainted(taint("node.kubernetes.io/out-of-service", "nodeshutdown", "NoExecute"))),
    ),
    Event("It is being deleted and a finalizer keeps it", node(), node(metadata=SOON)),
    Event("It is gone, and nothing announced that", node(), None),
]


@pytest.fixture(autouse=True)
def zones(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001 - `ask` empties the environment
    """The stack names the zones that its load balancer serves."""
    monkeypatch.setenv("NLB_SYNC_ZONES", ZONE)


def test_the_page_shows_each_event_as_the_command_and_the_sources_have_it(ask: Ask) -> None:
    table = "\n".join(
        [
            "| event | here | " + " | ".join(peer.name for peer in PEERS) + " |",
            "|---|---" + "|---" * len(PEERS) + "|",
            *(row(ask, event) for event in EVENTS),
            "",
        ]
    )
    assert table in PAGE.read_text(encoding="utf-8"), f"replace the table in docs/conformance.md by:\n{table}"


def row(ask: Ask, event: Event) -> str:
    peers = (outcome(peer, event.before, event.after, event.role) for peer in PEERS)
    return f"| {event.says} | {here(ask, event)} | " + " | ".join(peers) + " |"


def here(ask: Ask, event: Event) -> str:
    """What the command says: of what is registered before the event, and then of the event."""
    others = [node(each, labels={event.role: "x"} if event.role else {}) for each in "bcd"]
    selector = ("--node-selector", event.role) if event.role else ()

    def planned(one: Json | None, *targets: str) -> dict[str, Any]:
        files = (listed(*others, *([one] if one else [])), "--targets", health(target(t) for t in targets))
        words = ("--port", str(PORT), "--ownership", "exclusive", *selector)
        group: dict[str, Any] = ask("plan", "--nodes", *files, *words)["groups"][0]
        return group

    wanted = {"id": instance("a"), "port": PORT}
    targets = ["b", "c", "d"]
    registered = wanted in planned(event.before, *targets)["register"]
    group = planned(event.after, *targets, *(["a"] if registered else []))
    did = next((verb for verb in ("register", "deregister") if wanted in group[verb]), None)
    what = f"{did}s" if did else "keeps it" if registered else "leaves it out"
    return f"{what}, {reason(ask, event.after, [*targets, *(['a'] if registered else [])], selector)}"


def reason(ask: Ask, after: Json | None, targets: list[str], selector: tuple[str, ...]) -> str:
    if after is None:
        return "while enough others serve"
    words = ("explain", "-f", after, "--targets", health(target(each) for each in targets), *selector)
    return f"`{ask(*words)[0]['reason']}`"


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.says)
def test_no_event_is_worse_here_than_at_the_cloud_provider(ask: Ask, event: Event) -> None:
    """What it deregisters, at once or later, goes here at once."""
    if outcome(PEERS[1], event.before, event.after, event.role).startswith("deregisters"):
        assert here(ask, event).startswith("deregisters")
