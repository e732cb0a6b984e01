"""Targets in every state, and Nodes that leave, as the tests of peers have them."""

from tests.conformance.documents import PORT, Json, instance, node, not_ready, tainted, target
from tests.conformance.situation import DEREGISTER, REGISTER, Situation, foreign

EXCLUDE = "node.kubernetes.io/exclude-from-external-load-balancers"
CA = "ToBeDeletedByClusterAutoscaler"
LONG_AGO = {"deletionTimestamp": "2020-01-01T00:00:00Z"}
NOW = {"deletionTimestamp": "2099-01-01T00:00:00Z"}
EXCLUDED: Json = {"labels": {EXCLUDE: "true"}}
LEAVING: Json = {"spec": tainted(CA)}
SHIFT = {
    "State": "zonal_shift_active",
    "Reason": "AdministrativeOverride.ZonalShiftActive",
    "Description": "A zonal shift is active",
}

# What AWS's documentation does not name: a state without its reason, with another one's, or a new one.
ODD_HEALTH: list[tuple[str | None, str | None]] = [
    ("initial", None),
    ("initial", "Target.FailedHealthChecks"),
    ("initial", "Target.NotInUse"),
    ("unhealthy", None),
    ("unhealthy", "Target.Evening"),
    ("unhealthy.draining", None),
    ("unavailable", None),
    ("unused", None),
    ("healthy", "Elb.InternalError"),
    ("healthy", ""),
    ("asleep", "Target.Night"),
    ("", None),
]

PRINTED: list[tuple[str, Json]] = [
    ("no number as health check port", {"HealthCheckPort": "traffic-port"}),
    ("anomalies", {"AnomalyDetection": {"Result": "anomalous", "MitigationInEffect": "yes"}}),
    ("a shift", {"AdministrativeOverride": SHIFT}),
    ("a zone", {"Target": {"Id": instance("a"), "Port": PORT, "AvailabilityZone": "eu-central-1a"}}),
    ("any zone", {"Target": {"Id": instance("a"), "Port": PORT, "AvailabilityZone": "all"}}),
]

STATES: list[Situation] = [
    *(
        Situation(f"LBC and CCM: {state} {reason}, wanted", ["a", "b"], [target("a", state, reason), "b"], {})
        for state, reason in [
            ("initial", "Elb.RegistrationInProgress"),
            ("initial", "Elb.InitialHealthChecking"),
            ("unhealthy", "Target.FailedHealthChecks"),
            ("unhealthy", "Target.ResponseCodeMismatch"),
            ("unhealthy", "Target.Timeout"),
            ("unhealthy.draining", "Target.FailedHealthChecks"),
            ("unavailable", "Elb.InternalError"),
            ("unavailable", "Target.HealthCheckDisabled"),
            ("unused", "Target.NotInUse"),
            ("unused", "Target.InvalidState"),
            ("unused", "Target.IpUnusable"),
            (None, None),
            *ODD_HEALTH,
        ]
    ),
    *(
        Situation(
            f"LBC and CCM: {state} {reason}, unwanted",
            ["b"],
            [target("a", state, reason), "b"],
            {"a": DEREGISTER},
            tracked=foreign("a"),
        )
        for state, reason in [
            ("healthy", None),
            ("initial", "Elb.RegistrationInProgress"),
            ("unhealthy", "Target.Timeout"),
            ("unhealthy.draining", "Target.FailedHealthChecks"),
            ("unavailable", "Elb.InternalError"),
            ("unused", "Target.InvalidState"),
            (None, None),
            *ODD_HEALTH,
        ]
    ),
    *(
        situation
        for state, reason in [
            ("draining", "Target.DeregistrationInProgress"),
            ("draining", None),
            ("unused", "Target.NotRegistered"),
        ]
        for situation in (
            Situation(
                f"LBC: {state} {reason}, wanted",
                ["a", "b"],
                [target("a", state, reason), "b"],
                {"a": REGISTER},
            ),
            Situation(f"LBC: {state} {reason}, unwanted", ["b"], [target("a", state, reason), "b"], {}),
        )
    ),
    Situation(
        "LBC: draining by unhealth is still registered, and goes when its Node leaves",
        [node("a", **EXCLUDED), "b", "c"],
        [target("a", "unhealthy.draining", "Target.FailedHealthChecks"), "b", "c"],
        {"a": DEREGISTER},
    ),
    Situation(
        "LBC refresh: some healthy, some not",
        ["a", "b"],
        ["a", target("b", "unhealthy", "Target.Timeout")],
        {},
    ),
    # A healthy target has no reason, and was not seen by the cloud provider before Kubernetes 1.18.
    Situation(
        "k8s issue 79581: healthy, and its Node is excluded",
        [node("a", **EXCLUDED), "b", "c"],
        ["a", "b", "c"],
        {"a": DEREGISTER},
    ),
    Situation(
        "k8s issue 79581: healthy, and its Node is gone",
        ["b", "c"],
        ["a", "b", "c"],
        {"a": DEREGISTER},
        tracked=foreign("a"),
    ),
    Situation(
        "k8s issue 85920: healthy, and its Node is cordoned",
        [node("a", spec={"unschedulable": True}), "b"],
        ["a", "b"],
        {},
    ),
    Situation(
        "KIA: the instance is stopped, its Node still there",
        [node("a", status=not_ready("Unknown")), "b"],
        [target("a", "unused", "Target.InvalidState"), "b"],
        {},
    ),
    *(
        Situation(f"DescribeTargetHealth prints {what}", ["a", "b"], [target("a", **keys), "b"], {})
        for what, keys in PRINTED
    ),
]

NODES: list[Situation] = [
    Situation(
        "CA taints: one of three is to be deleted",
        [node("a", **LEAVING), "b", "c"],
        ["a", "b", "c"],
        {"a": DEREGISTER},
    ),
    Situation(
        "CA taints: an unhealthy one of two",
        [node("a", **LEAVING), "b"],
        [target("a", "unhealthy", "Target.Timeout"), "b"],
        {"a": DEREGISTER},
    ),
    Situation("CA taints: the only one", [node("a", **LEAVING)], ["a"], {"a": "LastServing"}),
    Situation(
        "CA taints: the only one, and unhealthy",
        [node("a", **LEAVING)],
        [target("a", "unhealthy", "Target.Timeout")],
        {"a": "LastServing"},
    ),
    Situation(
        "CA taints: its successor is there",
        [node("a", **LEAVING), "b"],
        ["a"],
        {"a": "LastServing", "b": REGISTER},
    ),
    Situation(
        "CA taints: its successor is not healthy yet",
        [node("a", **LEAVING), "b"],
        ["a", target("b", "initial", "Elb.InitialHealthChecking")],
        {"a": "LastServing"},
    ),
    Situation(
        "CA taints: all at once",
        [node(each, **LEAVING) for each in "abc"],
        ["a", "b", "c"],
        {"a": DEREGISTER, "b": "Share", "c": "Share"},
    ),
    Situation(
        "Karpenter terminator: all, and their time is over",
        [node(each, metadata=LONG_AGO) for each in "abc"],
        ["a", "b", "c"],
        {"a": DEREGISTER, "b": DEREGISTER, "c": "LastServing"},
    ),
    Situation(
        "Karpenter terminator: label, taint and deletionTimestamp",
        [
            node("a", metadata=NOW, labels={EXCLUDE: "karpenter"}, spec=tainted("karpenter.sh/disrupted")),
            "b",
            "c",
        ],
        ["a", "b", "c"],
        {"a": DEREGISTER},
    ),
    Situation(
        "no peer: what drains still counts for the floor",
        [node("a", **EXCLUDED), "b", "c"],
        ["a", "b", "c", *(target(each, "draining", "Target.DeregistrationInProgress") for each in "de")],
        {"a": "Share"},
    ),
    *(
        Situation(
            f"LBC resolver: no Node is Ready ({status})",
            [node(each, status=not_ready(status)) for each in "abc"],
            ["a", "b", "c"],
            {},
        )
        for status in ("False", "Unknown")
    ),
    *(
        Situation(
            f"LBC resolver: Nodes that never were Ready ({status})",
            ["a", node("b", status=not_ready(status))],
            [],
            {"a": REGISTER},
        )
        for status in ("False", "Unknown")
    ),
    Situation(
        "CCM updates: excluded and back",
        [node("a", labels={EXCLUDE: "false"}), "b"],
        [target("a", "draining"), "b"],
        {"a": REGISTER},
    ),
    Situation(
        "CCM updates: deleted and not Ready",
        [node("a", metadata=NOW, status=not_ready()), "b", "c"],
        ["a", "b", "c"],
        {"a": DEREGISTER},
    ),
    Situation("CCM updates: excluded, and never registered", [node("a", **EXCLUDED), "b"], ["b"], {}),
    Situation(
        "CCM updates: tainted, and drains already",
        [node("a", **LEAVING), "b"],
        [target("a", "draining"), "b"],
        {},
    ),
    Situation(
        "CCM updates: not Ready any more, and drains already",
        [node("a", status=not_ready()), "b"],
        [target("a", "draining", "Target.DeregistrationInProgress"), "b"],
        {},
    ),
    Situation(
        "KIA: the instance is stopped, and its Node is to be deleted",
        [node("a", **LEAVING, status=not_ready("Unknown")), "b"],
        [target("a", "unused", "Target.InvalidState"), "b"],
        {"a": DEREGISTER},
    ),
    Situation(
        "k8s issue 94966: an instance shuts down, its Node says Ready",
        ["a", "b"],
        [target("a", "unused", "Target.InvalidState"), "b"],
        {},
    ),
    Situation(
        "no peer: a Node is made anew by its kubelet, not Ready yet",
        [
            node(
                "a",
                metadata={"name": "again", "creationTimestamp": "2026-11-24T00:00:00Z"},
                status=not_ready(),
            )
        ],
        ["a"],
        {},
    ),
    Situation(
        "NTH: cordoned, excluded and tainted, in a group that nothing passes",
        [
            node(
                "a",
                labels={EXCLUDE: "aws-node-termination-handler"},
                spec={"unschedulable": True} | tainted("aws-node-termination-handler/spot-itn"),
            ),
            "b",
        ],
        [target(each, "unhealthy", "Target.FailedHealthChecks") for each in "ab"],
        {"a": DEREGISTER},
    ),
    Situation(
        "Karpenter terminator: two of three go, one of them late",
        [node("a", metadata=LONG_AGO), node("b", metadata=NOW), "c"],
        ["a", "b", "c"],
        {"a": DEREGISTER, "b": "Share"},
    ),
    Situation(
        "Karpenter disruption: tainted, and its successor is not Ready yet",
        [node("a", spec=tainted("karpenter.sh/disrupted")), node("b", status=not_ready())],
        ["a"],
        {"a": "LastServing"},
    ),
    Situation(
        "Karpenter disruption: given up, the taint is gone",
        ["a", "b"],
        [target("a", "draining", "Target.DeregistrationInProgress"), "b"],
        {"a": REGISTER},
    ),
    Situation(
        "LBC refresh: a group without a listener, and one leaves",
        [node("a", **EXCLUDED), "b", "c"],
        [target(each, "unused", "Target.NotInUse") for each in "abc"],
        {"a": DEREGISTER},
    ),
    Situation(
        "LBC refresh: a group without a listener, and all leave",
        [node(each, **EXCLUDED) for each in "abc"],
        [target(each, "unused", "Target.NotInUse") for each in "abc"],
        {"a": DEREGISTER, "b": "Share", "c": "Share"},
    ),
]
