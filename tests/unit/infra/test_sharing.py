"""Keys of stacks that share a load balancer, each by its own rules."""

from typing import Any

import pytest

from infra.problems import SettingsError
from infra.settings import DEFAULTS, load
from tests.unit.infra.test_settings import as_text

ARN = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/{}/0123456789abcdef"
OURS = "node-nlb-sync:"
ZONES = {"eu-central-1a": {"subnetId": "subnet-0123456789abcdef0"}}
CERTIFICATE = "arn:aws:acm:eu-central-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"


def attached(weight: Any, *names: str, of: str = "green") -> dict[str, Any]:
    return {"weight": weight, "targetGroups": {name: ARN.format(f"{of}-{name}") for name in names}}


@pytest.fixture
def edge() -> dict[str, Any]:
    return {"vpcId": "vpc-0123456789abcdef0", "zones": ZONES, "cluster": False}


@pytest.fixture
def attachment() -> dict[str, Any]:
    return {
        "vpcId": "vpc-0123456789abcdef0",
        "nodeSecurityGroupId": "sg-0123456789abcdef0",
        "edge": {"securityGroupId": "sg-0123456789abcdef1"},
        "syncer": {"image": "node-nlb-sync:dev"},
    }


def problems(config: dict[str, Any], region: str = "eu-central-1") -> list[str]:
    try:
        load(as_text(config), region)
    except SettingsError as wrong:
        return str(wrong).splitlines()
    return []


def test_the_smallest_edge_and_the_smallest_attachment(
    edge: dict[str, Any], attachment: dict[str, Any]
) -> None:
    assert problems(edge) == problems(attachment) == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("nodeSecurityGroupId", "sg-0123456789abcdef0"),
        ("syncer", {"image": "node-nlb-sync:dev"}),
        ("ingress", {"name": "edge"}),
        ("identity", {"kind": "external"}),
        ("deregistrationDelay", 5),
        ("weight", 1),
        ("healthCheck", {"path": "/"}),
    ],
)
def test_a_key_of_a_cluster_is_refused_in_an_edge(edge: dict[str, Any], key: str, value: Any) -> None:
    edge[key] = value
    assert [line for line in problems(edge) if line.startswith(f"{OURS}{key}: read ")], problems(edge)
    assert "with cluster false" in problems(edge)[0]
    edge[key] = DEFAULTS[key]  # as Pulumi.yaml hands it over
    assert problems(edge) == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("zones", ZONES),
        ("loadBalancer", {"name": "edge"}),
        ("addresses", {"keep": False}),
        ("allowReplacement", ["loadBalancer"]),
        ("attachments", {"green": attached(1, "http")}),
        ("weight", 1),
        ("cluster", False),
        ("targetQuota", 1000),
    ],
)
def test_a_key_of_a_load_balancer_is_refused_in_an_attachment(
    attachment: dict[str, Any], key: str, value: Any
) -> None:
    attachment[key] = value
    (line,) = problems(attachment)
    assert line.startswith(f"{OURS}{key}: read ")
    assert "no value with edge" in line
    attachment[key] = DEFAULTS[key]
    assert problems(attachment) == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("protocol", "TLS"),
        ("idleTimeout", 60),
        ("certificateArns", [CERTIFICATE]),
        ("sslPolicy", "ELBSecurityPolicy-1"),
    ],
)
def test_a_key_of_a_listener_is_refused_in_an_attachment(
    attachment: dict[str, Any], key: str, value: Any
) -> None:
    attachment["listeners"] = [{"name": "http", "port": 80, "servicePort": "http", key: value}]
    (line,) = problems(attachment)
    assert line.startswith(f"{OURS}listeners[0].{key}: read ")
    attachment["listeners"] = [{"name": "http", "port": 80, "servicePort": "http", "backendProtocol": "TLS"}]
    assert problems(attachment) == []


@pytest.mark.parametrize(
    ("attachments", "words"),
    [
        ({"green": attached(1000, "http")}, ("attachments.green.weight: read 1000", "0 to 999")),
        ({"green": {"weight": 1}}, ("attachments.green.targetGroups: read nothing", "ARNs of target")),
        ({"green": attached(1)}, ("attachments.green.targetGroups: read {}", "ARNs of target")),
        ({"green": attached(1, "metrics")}, ("attachments.green.targetGroups.metrics", "http, https")),
        (
            {"a": attached(1, "http"), "b": attached(1, "http")},
            ("attachments.b.targetGroups.http", "the group of attachments.a.targetGroups.http"),
        ),
        (
            {"a": attached(0, "http", of="a"), "b": attached(0, "http", of="b")},
            ("attachments: read weight 0 for all groups of listener http",),
        ),
        (
            {name: attached(1, "http", of=name) for name in "abcdef"},
            ("attachments: read 6 target groups", "at most 5"),
        ),
        ({"Green": attached(1, "http")}, ('attachments: read the key "Green"',)),
    ],
)
def test_what_aws_refuses_in_attachments_is_one_line(
    edge: dict[str, Any], attachments: dict[str, Any], words: tuple[str, ...]
) -> None:
    edge["attachments"] = attachments
    (line,) = problems(edge)
    assert all(word in line for word in words), line


def test_a_group_of_another_region_is_refused(edge: dict[str, Any]) -> None:
    far = ARN.format("http").replace("eu-central-1", "us-east-1")
    edge["attachments"] = {"green": {"weight": 1, "targetGroups": {"http": far}}}
    (line,) = problems(edge)
    assert line.startswith(f"{OURS}attachments.green.targetGroups.http: read a group of us-east-1")


def test_stickiness_is_refused_beside_attachments(edge: dict[str, Any]) -> None:
    listener = {"name": "http", "port": 80, "servicePort": "http", "stickiness": True}
    edge.update(listeners=[listener], attachments={"green": attached(1, "http")})
    (line,) = problems(edge)
    assert line.startswith(f"{OURS}listeners[0].stickiness: read true")


def test_an_attachment_without_a_region_names_its_vpc(attachment: dict[str, Any]) -> None:
    (line,) = problems(attachment, region="")
    assert line.startswith(f"{OURS}vpcId: read no aws:region")
