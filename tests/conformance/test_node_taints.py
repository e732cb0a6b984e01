"""Taints of Nodes as the tests of peers and the writers of the taints have them, through `explain -f`."""

from typing import Any

import pytest

from tests.conformance.conftest import Ask, Row
from tests.conformance.documents import condition, node, not_ready, taint, tainted

EXCLUDE = "node.kubernetes.io/exclude-from-external-load-balancers"
CA = "ToBeDeletedByClusterAutoscaler"
CANDIDATE = "DeletionCandidateOfClusterAutoscaler"
KARPENTER = "karpenter.sh/disrupted"
OLD_KARPENTER = "karpenter.sh/disruption"
NTH = "aws-node-termination-handler"
OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"
SOON = {"deletionTimestamp": "2026-11-23T09:00:00Z", "deletionGracePeriodSeconds": 0}

TAINTS: list[Row] = [
    ("CCM predicates: with a time", {"spec": tainted(taint(CA, "1795420800"))}, "leaving", f"Taint:{CA}"),
    (
        "LBC node utilities: with a word, no effect",
        {"spec": tainted({"key": CA, "value": "True"})},
        "leaving",
        f"Taint:{CA}",
    ),
    ("CCM updates: the key alone", {"spec": tainted(CA)}, "leaving", f"Taint:{CA}"),
    (
        "CA taints: beside another",
        {"spec": tainted(taint("other", "1"), taint(CA, "1795420800"))},
        "leaving",
        f"Taint:{CA}",
    ),
    (
        "CA taints: with a cordon",
        {"spec": {"unschedulable": True} | tainted(taint(CA, "1795420800"))},
        "leaving",
        f"Taint:{CA}",
    ),
    (
        "CA taints: soft",
        {"spec": tainted(taint(CA, "1795420800", "PreferNoSchedule"))},
        "leaving",
        f"Taint:{CA}",
    ),
    (
        "CA taints: a candidate only",
        {"spec": tainted(taint(CANDIDATE, "1795420800", "PreferNoSchedule"))},
        "in",
        "Ready",
    ),
    ("CA taints: a candidate, hard", {"spec": tainted(taint(CANDIDATE, "1795420800"))}, "in", "Ready"),
    (
        "CA taints: a candidate that goes",
        {"spec": tainted(taint(CANDIDATE, "1"), taint(CA, "2"))},
        "leaving",
        f"Taint:{CA}",
    ),
    (
        "CA taints: start-up and status",
        {
            "spec": tainted(
                "startup-taint.cluster-autoscaler.kubernetes.io/x",
                "status-taint.cluster-autoscaler.kubernetes.io/y",
            )
        },
        "in",
        "Ready",
    ),
    ("Karpenter taints: v1", {"spec": tainted(taint(KARPENTER))}, "leaving", f"Taint:{KARPENTER}"),
    (
        "LBC: it asks for NoSchedule here",
        {"spec": tainted(taint(KARPENTER, effect="NoExecute"))},
        "leaving",
        f"Taint:{KARPENTER}",
    ),
    (
        "LBC: it asks for NoSchedule here",
        {"spec": tainted(taint(KARPENTER, effect="PreferNoSchedule"))},
        "leaving",
        f"Taint:{KARPENTER}",
    ),
    (
        "Karpenter taints: v1beta1",
        {"spec": tainted(taint(OLD_KARPENTER, "disrupting"))},
        "leaving",
        f"Taint:{OLD_KARPENTER}",
    ),
    (
        "Karpenter taints: a candidate",
        {"spec": tainted(taint("karpenter.sh/candidate", effect="PreferNoSchedule"))},
        "in",
        "Ready",
    ),
    (
        "Karpenter taints: just launched",
        {"spec": tainted(taint("karpenter.sh/unregistered", effect="NoExecute")), "status": not_ready()},
        "out",
        "NotReadyYet",
    ),
    (
        "Karpenter terminator: taint, label and finalizer",
        {
            "labels": {EXCLUDE: "karpenter"},
            "metadata": SOON | {"finalizers": ["karpenter.sh/termination"]},
            "spec": tainted(taint(KARPENTER)),
        },
        "leaving",
        "ExcludedByLabel",
    ),
    *(
        (
            f"NTH taints: {kind}",
            {"spec": tainted(taint(f"{NTH}/{kind}", "event-1"))},
            "leaving",
            f"Taint:{NTH}/{kind}",
        )
        for kind in ("spot-itn", "scheduled-maintenance", "asg-lifecycle-termination")
    ),
    (
        "NTH taints: advice only",
        {"spec": tainted(taint(f"{NTH}/rebalance-recommendation", "event-1"))},
        "in",
        "Ready",
    ),
    (
        "NTH taints: advice, then the notice",
        {"spec": tainted(taint(f"{NTH}/rebalance-recommendation"), taint(f"{NTH}/spot-itn"))},
        "leaving",
        f"Taint:{NTH}/spot-itn",
    ),
    ("NTH taints: the prefix alone", {"spec": tainted(taint(NTH))}, "in", "Ready"),
    (
        "NTH out of service",
        {"spec": tainted(taint(OUT_OF_SERVICE, "nodeshutdown", "NoExecute"))},
        "leaving",
        f"Taint:{OUT_OF_SERVICE}",
    ),
    ("CCM updates: another taint", {"spec": tainted("other")}, "in", "Ready"),
    ("predecessor: its own toleration", {"spec": tainted(taint("process", "critical"))}, "in", "Ready"),
    (
        "kubelet: unschedulable",
        {"spec": {"unschedulable": True} | tainted(taint("node.kubernetes.io/unschedulable"))},
        "in",
        "Ready",
    ),
    (
        "CCM node lifecycle: shut down",
        {"spec": tainted(taint("node.cloudprovider.kubernetes.io/shutdown")), "status": not_ready()},
        "out",
        "NotReadyYet",
    ),
    (
        "CCM node: not initialized",
        {"spec": tainted(taint("node.cloudprovider.kubernetes.io/uninitialized", "true"))},
        "in",
        "Ready",
    ),
    *(
        (f"CA taints: a condition, {key}", {"spec": tainted(taint(key, effect=effect))}, "in", "Ready")
        for key, effect in [
            ("node.kubernetes.io/not-ready", "NoExecute"),
            ("node.kubernetes.io/unreachable", "NoExecute"),
            ("node.kubernetes.io/memory-pressure", "NoSchedule"),
            ("node.kubernetes.io/disk-pressure", "NoSchedule"),
            ("node.kubernetes.io/pid-pressure", "NoSchedule"),
            ("node.kubernetes.io/network-unavailable", "NoSchedule"),
            ("NodeWithImpairedVolumes", "NoSchedule"),
        ]
    ),
    (
        "CA taints: another cloud's notice",
        {"spec": tainted(taint("cloud.google.com/impending-node-termination"))},
        "in",
        "Ready",
    ),
    (
        "CA taints: ignored and start-up ones of old",
        {"spec": tainted("ignore-taint.cluster-autoscaler.kubernetes.io/x")},
        "in",
        "Ready",
    ),
    (
        "CA taints: the key twice",
        {"spec": tainted(taint(CA), taint(CA, effect="NoExecute"))},
        "leaving",
        f"Taint:{CA}",
    ),
    ("CA taints: a time that is none", {"spec": tainted(taint(CA, "some-value"))}, "leaving", f"Taint:{CA}"),
    (
        "Karpenter before 0.32: a cordon and a finalizer",
        {
            "labels": {"karpenter.sh/provisioner-name": "default"},
            "metadata": SOON | {"finalizers": ["karpenter.sh/termination"]},
            "spec": {"unschedulable": True} | tainted(taint("node.kubernetes.io/unschedulable")),
        },
        "leaving",
        "Deleting",
    ),
    (
        "Karpenter taints: disrupted in another group",
        {"spec": tainted(taint("example.com/disrupted"))},
        "in",
        "Ready",
    ),
    (
        "Karpenter taints: launched, and Ready before it is registered",
        {"spec": tainted(taint("karpenter.sh/unregistered", effect="NoExecute"))},
        "in",
        "Ready",
    ),
    *(
        (f"Cluster API: {key}", {"spec": tainted(taint(f"node.cluster.x-k8s.io/{key}"))}, "in", "Ready")
        for key in ("uninitialized", "outdated-revision")
    ),
    ("kOps: to be replaced", {"spec": tainted(taint("kops.k8s.io/scheduled-for-update"))}, "in", "Ready"),
    (
        "EKS node monitoring: a part is not well",
        {
            "status": {
                "conditions": [
                    condition("KernelReady", "False"),
                    condition("NetworkingReady", "False"),
                    condition("Ready", "True"),
                ]
            }
        },
        "in",
        "Ready",
    ),
    ("no peer: nearly the key", {"spec": tainted(taint(CA.lower()))}, "in", "Ready"),
    ("no peer: taints are null", {"spec": {"taints": None}}, "in", "Ready"),
    (
        "no peer: a taint without a key",
        {"spec": tainted({"effect": "NoSchedule"}, {"key": None})},
        "in",
        "Ready",
    ),
]


@pytest.mark.parametrize(("known_by", "changes", "verdict", "reason"), TAINTS)
def test_a_taint_announces_that_a_node_leaves(
    ask: Ask, known_by: str, changes: dict[str, Any], verdict: str, reason: str
) -> None:
    answer = ask("explain", "-f", node(**changes))
    assert [(each["verdict"], each["reason"]) for each in answer] == [(verdict, reason)], known_by
