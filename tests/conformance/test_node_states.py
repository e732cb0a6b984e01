"""Conditions, deletion and missing parts of Nodes as the tests of peers have them, through `explain -f`."""

from typing import Any

import pytest

from tests.conformance.conftest import Ask, Row
from tests.conformance.documents import condition, node, not_ready, taint, tainted

EXCLUDE = "node.kubernetes.io/exclude-from-external-load-balancers"
CA = "ToBeDeletedByClusterAutoscaler"
SOON = {"deletionTimestamp": "2026-11-23T09:00:00Z", "deletionGracePeriodSeconds": 0}

STATES: list[Row] = [
    ("LBC node utilities: Ready", {}, "in", "Ready"),
    ("LBC node utilities: not Ready", {"status": not_ready()}, "out", "NotReadyYet"),
    ("LBC resolver: Ready unknown", {"status": not_ready("Unknown")}, "out", "NotReadyYet"),
    ("LBC node utilities: no conditions", {"status": {"conditions": []}}, "out", "NotReadyYet"),
    (
        "CCM updates: another condition instead",
        {"status": {"conditions": [condition("SomethingElse", "True")]}},
        "out",
        "NotReadyYet",
    ),
    (
        "CCM updates: Ready beside disk pressure",
        {"status": {"conditions": [condition("DiskPressure", "True"), condition("Ready", "True")]}},
        "in",
        "Ready",
    ),
    (
        "Go's first match: Ready twice",
        {"status": {"conditions": [condition("Ready", "False"), condition("Ready", "True")]}},
        "out",
        "NotReadyYet",
    ),
    ("KIA fixture: a status without conditions", {"without": ["status.conditions"]}, "out", "NotReadyYet"),
    ("no peer: no status", {"without": ["status"]}, "out", "NotReadyYet"),
    ("no peer: conditions are null", {"status": {"conditions": None}}, "out", "NotReadyYet"),
    ("CCM predicates: no providerID", {"spec": {"providerID": ""}}, "out", "NoProviderID"),
    (
        "CCM updates: no providerID, not Ready",
        {"without": ["spec.providerID"], "status": not_ready()},
        "out",
        "NoProviderID",
    ),
    (
        "CCM updates: no providerID, excluded",
        {"labels": {EXCLUDE: ""}, "spec": {"providerID": ""}},
        "out",
        "NoProviderID",
    ),
    (
        "CCM updates: no providerID, tainted",
        {"spec": {"providerID": ""} | tainted(CA)},
        "out",
        "NoProviderID",
    ),
    ("no peer: no spec", {"without": ["spec"]}, "out", "NoProviderID"),
    ("CCM updates: being deleted", {"metadata": SOON}, "leaving", "Deleting"),
    ("CCM updates: not being deleted", {"metadata": {"deletionTimestamp": None}}, "in", "Ready"),
    ("CCM updates: deleted and not Ready", {"metadata": SOON, "status": not_ready()}, "leaving", "Deleting"),
    ("CCM updates: deleted and tainted", {"metadata": SOON, "spec": tainted(CA)}, "leaving", "Deleting"),
    (
        "CCM updates: excluded and tainted",
        {"labels": {EXCLUDE: ""}, "spec": tainted(CA)},
        "leaving",
        "ExcludedByLabel",
    ),
    (
        "CCM updates: excluded and not Ready",
        {"labels": {EXCLUDE: ""}, "status": not_ready()},
        "leaving",
        "ExcludedByLabel",
    ),
    (
        "CCM updates: tainted and not Ready",
        {"spec": tainted(CA), "status": not_ready()},
        "leaving",
        f"Taint:{CA}",
    ),
    ("NTH node: cordoned", {"spec": {"unschedulable": True}}, "in", "Ready"),
    (
        "k8s issue 85920: cordoned and tainted so",
        {"spec": {"unschedulable": True} | tainted(taint("node.kubernetes.io/unschedulable"))},
        "in",
        "Ready",
    ),
    *(
        (f"no peer: {what} is null", {part: {field: None}}, verdict, reason)
        for what, part, field, verdict, reason in [
            ("labels", "metadata", "labels", "in", "Ready"),
            ("name", "metadata", "name", "in", "Ready"),
            ("annotations", "metadata", "annotations", "in", "Ready"),
            ("creationTimestamp", "metadata", "creationTimestamp", "in", "Ready"),
            ("unschedulable", "spec", "unschedulable", "in", "Ready"),
            ("providerID", "spec", "providerID", "out", "NoProviderID"),
            ("addresses", "status", "addresses", "in", "Ready"),
        ]
    ),
    ("LBC node utilities: no addresses", {"without": ["status.addresses"]}, "in", "Ready"),
    ("LBC node utilities: addresses of none", {"status": {"addresses": []}}, "in", "Ready"),
    (
        "no peer: a deletionTimestamp that is none",
        {"metadata": {"deletionTimestamp": "soon"}},
        "leaving",
        "Deleting",
    ),
    ("no peer: an empty deletionTimestamp", {"metadata": {"deletionTimestamp": ""}}, "in", "Ready"),
    *(
        (f"no peer: Ready is {status!r}", {"status": not_ready(status)}, "out", "NotReadyYet")
        for status in ("", "true", "TRUE", True, None)
    ),
    (
        "no peer: a condition without a type",
        {"status": {"conditions": [{"status": "True"}, None, "Ready", condition("Ready", "True")]}},
        "in",
        "Ready",
    ),
    (
        "no peer: since when is not known",
        {"status": {"conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": None}]}},
        "in",
        "Ready",
    ),
    ("no peer: unschedulable is a word", {"spec": {"unschedulable": "true"}}, "in", "Ready"),
    ("no peer: no metadata", {"without": ["metadata"]}, "in", "Ready"),
]


@pytest.mark.parametrize(("known_by", "changes", "verdict", "reason"), STATES)
def test_the_state_of_a_node_is_judged(
    ask: Ask, known_by: str, changes: dict[str, Any], verdict: str, reason: str
) -> None:
    answer = ask("explain", "-f", node(**changes))
    assert [(each["verdict"], each["reason"]) for each in answer] == [(verdict, reason)], known_by
