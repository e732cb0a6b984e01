"""What is there and what should be there, as the tests of peers have it: differences, ports, other hands."""

from tests.conformance.documents import node, not_ready, tainted, target
from tests.conformance.situation import DEREGISTER, REGISTER, Situation, foreign
from tests.conformance.target_states import EXCLUDE

OLD = 31111
NOW = {"deletionTimestamp": "2099-01-01T00:00:00Z"}
STALE = [target(f"i-0{n}{'9' * 15}", "unhealthy", "Target.FailedHealthChecks") for n in range(5)]
STALE_IDS = [line["Target"]["Id"] for line in STALE]

DIFFERENCES = [
    Situation("CCM difference: all to register", ["a", "b"], [], {"a": REGISTER, "b": REGISTER}),
    # An empty but complete list: nothing of ours serves, so nothing foreign goes.
    Situation("CCM difference: all to deregister", [], ["a", "b"], foreign("a", "b")),
    Situation(
        "CCM difference: some of both, and too few would serve",
        ["a", "d", "e"],
        ["a", "b", "c"],
        {"d": REGISTER, "e": REGISTER, "b": "Share", "c": "Share"},
        tracked=foreign("b", "c", d=REGISTER, e=REGISTER),
    ),
    Situation(
        "CCM difference: some of both, and enough serve",
        ["a", "b", "c", "d"],
        ["a", "b", "c", "e"],
        {"d": REGISTER, "e": DEREGISTER},
        tracked=foreign("e", d=REGISTER),
    ),
    Situation("CCM difference: nothing there", [], [], {}),
    Situation("CCM difference: all is as it should be", ["a", "b", "c"], ["a", "b", "c"], {}),
    Situation(
        "CCM updates: the providerID changes",
        [node("d", metadata={"name": "node-a"}), "b", "c"],
        ["a", "b", "c"],
        {"d": REGISTER, "a": DEREGISTER},
        tracked=foreign("a", d=REGISTER),
    ),
    Situation(
        "CCM updates: the providerID is taken away",
        [node("a", spec={"providerID": ""}), "b", "c"],
        ["a", "b", "c"],
        {"a": DEREGISTER},
        tracked=foreign("a"),
    ),
    Situation(
        "CCM target node labels: a label is lost",
        [node("a"), *(node(each, labels={"k1": "v1"}) for each in "bc")],
        ["a", "b", "c"],
        {"a": DEREGISTER},
        tracked=foreign("a"),
        words=("--node-selector", "k1=v1"),
    ),
    # Here and with the empty list above nothing is recorded as ours; what is would be held for the share.
    Situation(
        "CCM target node labels: all lose the label",
        ["a", "b", "c"],
        ["a", "b", "c"],
        foreign("a", "b", "c"),
        words=("--node-selector", "k1=v1"),
    ),
    Situation(
        "CCM target node labels: the only one loses the label",
        ["a"],
        ["a"],
        foreign("a"),
        words=("--node-selector", "k1=v1"),
    ),
    Situation(
        "EKS Fargate: the label on a Node of an instance",
        [node("a", labels={"eks.amazonaws.com/compute-type": "fargate"}), "b", "c"],
        ["a", "b", "c"],
        {"a": DEREGISTER},
        tracked=foreign("a"),
    ),
    Situation(
        "LBC issue 272: only Nodes without an instance",
        [node(each, spec={"providerID": f"k3s://node-{each}"}) for each in "ab"],
        [],
        {},
    ),
    Situation(
        "k8s issue 100779: the list is not complete yet",
        ["a"],
        ["a", "b"],
        {"b": "NoNodeList"},
        add_only={"b": "NoNodeList"},
        list_metadata={"continue": "next"},
    ),
    Situation(
        "NTH node, LBC resolver: Nodes without an instance among others",
        [
            "a",
            node("b", spec={"providerID": "someProvider"}),
            node("c", spec={"providerID": "aws:///eu-central-1a/x/fargate-ip-10-0-0-1.internal"}),
            node("d", labels={"eks.amazonaws.com/compute-type": "hybrid"}),
            "e",
        ],
        ["e"],
        {"a": REGISTER},
    ),
    Situation(
        "no peer: two Nodes of one instance, the older one goes",
        [node("a", metadata={"creationTimestamp": "2020-01-01T00:00:00Z"} | NOW), "a", "b"],
        ["a", "b"],
        {},
    ),
]

OTHERS = [
    Situation(
        "LBC identity: a Node leaves with both its ports",
        [node("a", spec=tainted("karpenter.sh/disrupted")), "b", "c"],
        ["a", target("a", port=OLD), "b", "c"],
        {"a": DEREGISTER, f"a:{OLD}": DEREGISTER},
        tracked=foreign(f"a:{OLD}", a=DEREGISTER),
    ),
    Situation(
        "LBC identity: another port is another target",
        ["a"],
        [target("a", port=OLD)],
        {"a": REGISTER, f"a:{OLD}": "AwaitingSuccessor"},
        tracked=foreign(f"a:{OLD}", a=REGISTER),
    ),
    Situation(
        "LBC identity: the new port is healthy",
        ["a"],
        ["a", target("a", port=OLD)],
        {f"a:{OLD}": DEREGISTER},
        tracked=foreign(f"a:{OLD}"),
    ),
    *(
        Situation(
            f"LBC identity: the new port is {state}",
            ["a"],
            [target("a", state), target("a", port=OLD)],
            {f"a:{OLD}": "AwaitingSuccessor"},
            tracked=foreign(f"a:{OLD}"),
        )
        for state in ("initial", "unhealthy", "unavailable")
    ),
    Situation(
        "LBC issue 3748: every target is on another port",
        ["a", "b"],
        [target("a", port=OLD), target("b", port=OLD)],
        {"a": REGISTER, "b": REGISTER, f"a:{OLD}": "AwaitingSuccessor", f"b:{OLD}": "AwaitingSuccessor"},
        tracked=foreign(f"a:{OLD}", f"b:{OLD}", a=REGISTER, b=REGISTER),
    ),
    Situation(
        "LBC issue 3748: a Node leaves that is on another port only",
        [node("a", labels={EXCLUDE: ""}), "b", "c"],
        [target("a", port=OLD), "b", "c"],
        {f"a:{OLD}": DEREGISTER},
        tracked=foreign(f"a:{OLD}"),
    ),
    Situation(
        "LBC issue 3748: a Node is not Ready, and on another port only",
        [node("a", status=not_ready()), "b"],
        [target("a", port=OLD), "b"],
        {"a": REGISTER, f"a:{OLD}": "AwaitingSuccessor"},
        tracked=foreign(f"a:{OLD}", a=REGISTER),
    ),
    Situation("LBC identity: the old port drains", ["a"], ["a", target("a", "draining", port=OLD)], {}),
    Situation(
        "LBC targets: an address",
        ["a"],
        ["a", target("192.168.1.1", port=8080)],
        {"192.168.1.1:8080": DEREGISTER},
        tracked=foreign("192.168.1.1:8080"),
    ),
    Situation(
        "CCM IPv6: an address",
        ["a"],
        ["a", target("2001:db8::1")],
        {"2001:db8::1": DEREGISTER},
        tracked=foreign("2001:db8::1"),
    ),
    Situation(
        "LBC targets: an address, and nothing of ours is healthy",
        ["a"],
        [target("a", "initial"), target("192.168.1.1", port=8080)],
        foreign("192.168.1.1:8080"),
    ),
    Situation(
        "LBC multicluster: another cluster's instance",
        ["a", "b"],
        ["a", "b", "f"],
        {"f": DEREGISTER},
        tracked=foreign("f"),
    ),
    Situation(
        "predecessor: stale targets, nothing of ours is there",
        ["a"],
        [*STALE],
        foreign(*STALE_IDS, a=REGISTER),
    ),
    Situation(
        "predecessor: stale targets, ours is on its way",
        ["a"],
        [target("a", "initial"), *STALE],
        foreign(*STALE_IDS),
    ),
    Situation(
        "predecessor: stale targets, ours is healthy",
        ["a"],
        ["a", *STALE],
        dict.fromkeys(STALE_IDS, DEREGISTER),
        tracked=foreign(*STALE_IDS),
    ),
]
