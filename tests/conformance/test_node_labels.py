"""Labels of Nodes as the tests of peers have them, through `explain -f`."""

from typing import Any

import pytest

from tests.conformance.conftest import Ask, Row
from tests.conformance.documents import node

EXCLUDE = "node.kubernetes.io/exclude-from-external-load-balancers"
OLD_EXCLUDE = "alpha.service-controller.kubernetes.io/exclude-balancer"
COMPUTE = "eks.amazonaws.com/compute-type"
NTH = "aws-node-termination-handler"

LABELS: list[Row] = [
    ("CCM predicates: no labels at all", {"without": ["metadata.labels"]}, "in", "Ready"),
    ("CCM predicates: another label", {"labels": {"k1": "v1"}}, "in", "Ready"),
    *(
        (f"{whose}: {key}={value!r}", {"labels": {key: value}}, "leaving", "ExcludedByLabel")
        for key in (EXCLUDE, OLD_EXCLUDE)
        for whose, value in [
            ("CCM predicates", ""),
            ("CCM predicates", "true"),
            ("CCM predicates", "foo"),
            ("Karpenter terminator", "karpenter"),
            ("NTH labels", "aws-node-termination-handler"),
            *(("Go's ParseBool", text) for text in ("1", "t", "T", "TRUE", "True")),
            *(
                ("not of Go's ParseBool", text)
                for text in ("fALSE", "no", "off", "n", "00", "None", "falsey")
            ),
        ]
    ),
    *(
        (f"{whose}: {key}={value!r}", {"labels": {key: value}}, "in", "Ready")
        for key in (EXCLUDE, OLD_EXCLUDE)
        for whose, value in [
            ("CCM predicates", "false"),
            *(("Go's ParseBool", text) for text in ("0", "f", "F", "FALSE", "False")),
        ]
    ),
    (
        "no peer: the old label outdoes the new",
        {"labels": {EXCLUDE: "false", OLD_EXCLUDE: ""}},
        "leaving",
        "ExcludedByLabel",
    ),
    ("Go's decoder: null is the empty text", {"labels": {EXCLUDE: None}}, "leaving", "ExcludedByLabel"),
    ("no peer: true without quotes", {"labels": {EXCLUDE: True}}, "leaving", "ExcludedByLabel"),
    ("no peer: false without quotes", {"labels": {EXCLUDE: False}}, "in", "Ready"),
    ("EKS Fargate", {"labels": {COMPUTE: "fargate"}}, "out", "NotAnInstance"),
    (
        "EKS Fargate: no providerID yet",
        {"labels": {COMPUTE: "fargate"}, "spec": {"providerID": ""}},
        "out",
        "NotAnInstance",
    ),
    ("EKS hybrid nodes", {"labels": {COMPUTE: "hybrid"}}, "out", "NotAnInstance"),
    ("EKS Auto Mode", {"labels": {COMPUTE: "auto"}}, "in", "Ready"),
    ("EKS managed nodes", {"labels": {COMPUTE: "ec2"}}, "in", "Ready"),
    ("no peer: an empty compute type", {"labels": {COMPUTE: ""}}, "in", "Ready"),
    # LBC never takes a `master`, CCM neither until 1.19; now the distributions set the exclusion label.
    ("LBC selector: a master", {"labels": {"node-role.kubernetes.io/master": ""}}, "in", "Ready"),
    ("kops: a control plane", {"labels": {"node-role.kubernetes.io/control-plane": ""}}, "in", "Ready"),
    (
        "kops: a control plane as kops labels it",
        {"labels": {"node-role.kubernetes.io/control-plane": "", EXCLUDE: ""}},
        "leaving",
        "ExcludedByLabel",
    ),
    ("KIA fixture: a role of old", {"labels": {"kubernetes.io/role": "master"}}, "in", "Ready"),
    (
        "NTH labels: uncordon after reboot",
        {"labels": {f"{NTH}/action": "UncordonAfterReboot", f"{NTH}/event-id": "e"}},
        "in",
        "Ready",
    ),
    ("LBC: a zone label is missing", {"without": ["metadata.labels"]}, "in", "Ready"),
]


@pytest.mark.parametrize(("known_by", "changes", "verdict", "reason"), LABELS)
def test_labels_exclude_a_node_or_say_that_it_is_no_instance(
    ask: Ask, known_by: str, changes: dict[str, Any], verdict: str, reason: str
) -> None:
    answer = ask("explain", "-f", node(**changes))
    assert [(each["verdict"], each["reason"]) for each in answer] == [(verdict, reason)], known_by
