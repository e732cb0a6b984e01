"""From a Node's JSON to a NodeView."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncer.decide.nodes import node_view, parse_time
from syncer.decide.policy import NodePolicy
from syncer.decide.selector import Selector
from syncer.model import NodeView

ID = "i-0123456789abcdef0"
EXCLUDE = "node.kubernetes.io/exclude-from-external-load-balancers"
ZONE, OLD_ZONE = "topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone"
OLD_EXCLUDE = "alpha.service-controller.kubernetes.io/exclude-balancer"


def raw(**changes: Any) -> dict[str, Any]:
    """A Node as `kubectl get node -o json` prints it, with a few of its fields changed."""
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": "ip-10-0-0-1.eu-central-1.compute.internal",
            "creationTimestamp": "2026-11-23T00:00:00Z",
            "labels": {"topology.kubernetes.io/zone": "eu-central-1b", **changes.pop("labels", {})},
            **changes.pop("metadata", {}),
        },
        "spec": {"providerID": f"aws:///eu-central-1a/{ID}", **changes.pop("spec", {})},
        "status": {
            "conditions": [
                {"type": "MemoryPressure", "status": "False"},
                {"type": "Ready", "status": "True", "lastTransitionTime": "2026-11-23T00:00:30Z"},
            ],
            **changes.pop("status", {}),
        },
    }


def view(policy: NodePolicy | None = None, **changes: Any) -> NodeView:
    return node_view(raw(**changes), policy or NodePolicy())


def test_a_node_is_read_whole() -> None:
    assert view() == NodeView(
        name="ip-10-0-0-1.eu-central-1.compute.internal",
        instance_id=ID,  # type: ignore[arg-type]
        has_provider_id=True,
        zone="eu-central-1a",
        zone_source="provider-id",
        created=1795392000.0,
        deleting_since=None,
        selected=True,
        excluded=False,
        leaving_taint=None,
        cordoned=False,
        ready=True,
        ready_since=1795392030.0,
    )


# The first eleven are the cases of cloud-provider-aws's TestMapToAWSInstanceIDs, the next of the AWS Load
# Balancer Controller's TestExtractNodeInstanceID. Where the former turns a Fargate id into an "instance id"
# we say None on purpose: AWS refuses it as an instance target.
PROVIDER_IDS = [
    ("aws:///us-east-1a/i-12345678", "i-12345678"),
    ("aws:////i-12345678", "i-12345678"),
    ("i-12345678", "i-12345678"),
    ("aws:///us-east-1a/i-12345678abcdef01", "i-12345678abcdef01"),
    ("aws:////i-12345678abcdef01", "i-12345678abcdef01"),
    ("i-12345678abcdef01", "i-12345678abcdef01"),
    ("vol-123456789", None),
    ("aws:///us-east-1a/vol-12345678abcdef01", None),
    ("aws://accountid/us-east-1a/vol-12345678abcdef01", None),
    ("aws:///us-east-1a/vol-12345678abcdef01/suffix", None),
    ("aws:///us-west-2c/1abc-2def/fargate-ip-192-168-164-88.internal", None),
    ("aws:///us-west-2c/1abc-2def/fargate-192.168.164.88", None),
    ("aws:///us-west-2b/i-abcdefg0", "i-abcdefg0"),
    ("aws:///eu-central-1a/" + ID, ID),
    ("aws://eu-central-1a/" + ID, ID),
    ("aws:///eu-central-1a/mi-0123456789abcdef0", None),
    ("eks-hybrid:///eu-central-1/cluster/mi-0123456789abcdef0", None),
    ("gce://project/zone/i-0123456789abcdef0", None),
    ("azure:///subscriptions/x/i-0123456789abcdef0", None),
    ("aws:///eu-central-1a/i-0123456789ABCDEF0", None),
    ("aws:///eu-central-1a/i-0123456789abcdefg", "i-0123456789abcdefg"),
    ("aws:///eu-central-1a/i-0123456789abcdef01", "i-0123456789abcdef01"),
    ("aws:///eu-central-1a/i-1234567", "i-1234567"),
    ("aws:///eu-central-1a/i-", None),
    ("aws:///eu-central-1a/i-0123_456", None),
    (f"aws:///eu-central-1a/{ID}/", None),
    (f"aws:///eu-central-1a/{ID}\n", None),
    (f" aws:///eu-central-1a/{ID}", None),
    (f"aws:///a/b/c/{ID}", None),
    (f"AWS:///eu-central-1a/{ID}", None),
]


@pytest.mark.parametrize(("provider_id", "expected"), PROVIDER_IDS)
def test_the_instance_of_a_provider_id(provider_id: str, expected: str | None) -> None:
    read = view(spec={"providerID": provider_id})
    assert read.instance_id == expected
    assert read.has_provider_id


@pytest.mark.parametrize("missing", ["", None])
def test_an_empty_provider_id_is_none_yet(missing: str | None) -> None:
    read = view(spec={"providerID": missing})
    assert (read.instance_id, read.has_provider_id) == (None, False)


@pytest.mark.parametrize("kind", ["fargate", "hybrid"])
def test_a_compute_type_without_instances_wins_over_any_provider_id(kind: str) -> None:
    label = {"eks.amazonaws.com/compute-type": kind}
    assert view(labels=label).instance_id is None
    assert view(labels=label, spec={"providerID": ""}).has_provider_id


@pytest.mark.parametrize("kind", ["auto", "ec2", ""])
def test_other_compute_types_say_nothing(kind: str) -> None:
    assert view(labels={"eks.amazonaws.com/compute-type": kind}).instance_id == ID


@pytest.mark.parametrize("label", [EXCLUDE, OLD_EXCLUDE])
@pytest.mark.parametrize(
    ("value", "excluded"),
    [
        *((text, False) for text in ("0", "f", "F", "FALSE", "false", "False")),
        *((text, True) for text in ("1", "t", "T", "TRUE", "true", "True")),
        *((text, True) for text in ("", "karpenter", "foo", "fAlse", "no", "off", " false", "FaLsE", "00")),
    ],
)
def test_the_exclusion_label_is_parsed_as_the_cloud_provider_does(
    label: str, value: str, *, excluded: bool
) -> None:
    assert view(labels={label: value}).excluded is excluded


def test_either_exclusion_label_excludes() -> None:
    assert view(labels={EXCLUDE: "false", OLD_EXCLUDE: "true"}).excluded


@pytest.mark.parametrize(
    "key",
    [
        "ToBeDeletedByClusterAutoscaler",
        "karpenter.sh/disrupted",
        "karpenter.sh/disruption",
        "node.kubernetes.io/out-of-service",
        "aws-node-termination-handler/spot-itn",
        "aws-node-termination-handler/scheduled-maintenance",
        "aws-node-termination-handler/asg-lifecycle-termination",
    ],
)
@pytest.mark.parametrize("effect", ["NoSchedule", "NoExecute", "PreferNoSchedule"])
def test_a_leaving_taint_is_known_by_its_key_whatever_its_effect(key: str, effect: str) -> None:
    # The AWS Load Balancer Controller asks for NoSchedule on Karpenter's taint; the key says enough.
    assert view(spec={"taints": [{"key": key, "effect": effect, "value": "x"}]}).leaving_taint == key


@pytest.mark.parametrize(
    "key",
    [
        "DeletionCandidateOfClusterAutoscaler",
        "aws-node-termination-handler/rebalance-recommendation",
        "aws-node-termination-handler",
        "karpenter.sh/disruptedly",
        "karpenter.sh/unregistered",
        "node.kubernetes.io/unschedulable",
        "node.kubernetes.io/not-ready",
        "process",
        "",
    ],
)
def test_no_other_taint_is_leaving(key: str) -> None:
    assert view(spec={"taints": [{"key": key, "effect": "NoSchedule"}]}).leaving_taint is None


def test_the_leaving_taints_are_configurable() -> None:
    policy = NodePolicy(leaving_taints=("example.com/*", "!example.com/stays", "drain"))
    for key, leaving in [
        ("example.com/x", True),
        ("example.com/stays", False),
        ("drain", True),
        ("drains", False),
    ]:
        assert (view(policy, spec={"taints": [{"key": key}]}).leaving_taint == key) is leaving


def test_a_selector_sees_the_labels() -> None:
    policy = NodePolicy(selector=Selector.parse("role=ingress"))
    assert view(policy, labels={"role": "ingress"}).selected
    assert not view(policy).selected


@pytest.mark.parametrize(
    ("status", "ready"),
    [
        ({"conditions": [{"type": "Ready", "status": "True"}]}, True),
        ({"conditions": [{"type": "Ready", "status": "False"}]}, False),
        ({"conditions": [{"type": "Ready", "status": "Unknown"}]}, False),
        ({"conditions": []}, False),
        ({"conditions": None}, False),
    ],
)
def test_readiness_is_the_ready_condition(status: dict[str, Any], *, ready: bool) -> None:
    assert view(status=status).ready is ready


def test_a_deleted_cordoned_node_says_so() -> None:
    read = view(metadata={"deletionTimestamp": "2026-11-23T00:01:00Z"}, spec={"unschedulable": True})
    assert read.deleting_since == 1795392060.0
    assert read.cordoned


ZONES = {
    "label and providerID agree": ("aws:///us-east-2a/", {ZONE: "us-east-2a"}, "us-east-2a", "provider-id"),
    "the label is a zone ID": ("aws:///us-east-2a/", {ZONE: "use2-az1"}, "us-east-2a", "provider-id"),
    "the label is wrong": ("aws:///us-east-2a/", {ZONE: "us-east-2c"}, "us-east-2a", "provider-id"),
    "no label": ("aws:///us-east-2a/", {}, "us-east-2a", "provider-id"),
    "a local zone": ("aws:///us-west-2-lax-1a/", {ZONE: "x"}, "us-west-2-lax-1a", "provider-id"),
    "a Wavelength zone": (
        "aws:///us-east-1-wl1-bos-wlz-1/",
        {ZONE: "use1-wl1-bos-wlz1"},
        "us-east-1-wl1-bos-wlz-1",
        "provider-id",
    ),
    "the European Sovereign Cloud": (
        "aws:///eusc-de-east-1b/",
        {ZONE: "x"},
        "eusc-de-east-1b",
        "provider-id",
    ),
    "GovCloud": ("aws:///us-gov-west-1c/", {ZONE: "x"}, "us-gov-west-1c", "provider-id"),
    "zone as host": ("aws://eu-central-1b/", {ZONE: "eu-central-1c"}, "eu-central-1b", "provider-id"),
    "no zone in the providerID": ("aws:////", {ZONE: "us-east-2b"}, "us-east-2b", "label"),
    "only the old label": ("aws:////", {OLD_ZONE: "us-east-2b"}, "us-east-2b", "label"),
    "a bare id": ("", {ZONE: "us-east-2b", OLD_ZONE: "us-east-2c"}, "us-east-2b", "label"),
    "a zone ID in the providerID": ("aws:///use1-az4/", {ZONE: "us-east-1a"}, "us-east-1a", "label"),
    "a region in the providerID": ("aws:///us-east-1/", {ZONE: "us-east-1a"}, "us-east-1a", "label"),
    "nothing but a zone ID": ("aws:///use1-az4/", {}, "use1-az4", "provider-id"),
    "nothing at all": ("aws:////", {}, "", ""),
}


@pytest.mark.parametrize(("prefix", "labels", "zone", "source"), ZONES.values(), ids=ZONES)
def test_b3_the_zone_of_the_provider_id_comes_before_the_label(
    prefix: str, labels: dict[str, str], zone: str, source: str
) -> None:
    node = raw()
    node["spec"]["providerID"] = prefix + ID
    node["metadata"]["labels"] = labels
    read = node_view(node, NodePolicy())
    assert (read.zone, read.zone_source) == (zone, source)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:00Z", 0.0),
        ("2026-11-23T00:00:00Z", 1795392000.0),
        ("2026-11-23T01:00:00+01:00", 1795392000.0),
        ("2026-11-23T00:00:00.5Z", 1795392000.5),
        ("2026-11-23T00:00:00.123456Z", 1795392000.123456),
        ("2026-11-23T00:00:00.123456789Z", 1795392000.123456),
        ("2026-11-23T00:00:00", None),
        ("yesterday", None),
        ("", None),
        (None, None),
        (1795392000, None),
    ],
)
def test_times_are_read_as_the_api_server_writes_them(text: object, seconds: float | None) -> None:
    assert parse_time(text) == seconds


ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, 0, 1.5, True, "", "x", [], [None], [[]], {}, {"a": None}, [{"key": 3}], [{"type": "Ready"}]]
)
PATHS = [
    (),
    ("metadata",),
    ("metadata", "name"),
    ("metadata", "labels"),
    ("metadata", "labels", "topology.kubernetes.io/zone"),
    ("metadata", "labels", EXCLUDE),
    ("metadata", "labels", "eks.amazonaws.com/compute-type"),
    ("metadata", "creationTimestamp"),
    ("metadata", "deletionTimestamp"),
    ("spec",),
    ("spec", "providerID"),
    ("spec", "taints"),
    ("spec", "unschedulable"),
    ("status",),
    ("status", "conditions"),
]


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(PATHS), ODD, st.sampled_from(["role=x", "!role", "n>3", ""]))
def test_a_malformed_node_is_read_and_harms_nobody(path: tuple[str, ...], odd: Any, selector: str) -> None:
    node: Any = {"root": copy.deepcopy(raw())}
    inner = node
    for step in ("root", *path)[:-1]:
        inner = inner[step]
    inner[("root", *path)[-1]] = odd
    read = node_view(json.loads(json.dumps(node["root"])), NodePolicy(selector=Selector.parse(selector)))
    assert isinstance(read, NodeView)


def test_an_unreadable_deletion_timestamp_still_means_deleting() -> None:
    assert view(metadata={"deletionTimestamp": "soon"}).deleting_since == 0.0
