"""Keys of a stack for target groups that exist already."""

from typing import Any

import pytest

from infra.problems import SettingsError
from infra.settings import DEFAULTS, load
from tests.unit.infra.test_settings import as_text

ARN = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/{}/0123456789abcdef"
HTTP, HTTPS = ARN.format("http"), ARN.format("https")
ELSEWHERE = HTTP.replace("eu-central-1", "us-east-1")
OURS = "node-nlb-sync:"


@pytest.fixture
def config() -> dict[str, Any]:
    """Stack configuration without a load balancer."""
    return {"syncer": {"image": "node-nlb-sync:dev"}, "targetGroups": {"https": HTTPS, "http": HTTP}}


def problems(config: dict[str, Any]) -> list[str]:
    try:
        load(as_text(config), "eu-central-1")
    except SettingsError as wrong:
        return str(wrong).splitlines()
    return []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("vpcId", "vpc-0123456789abcdef0"),
        ("zones", {"eu-central-1a": {"subnetId": "subnet-0123456789abcdef0"}}),
        ("nodeSecurityGroupIds", ["sg-0123456789abcdef0"]),
        ("nodeSecurityGroupTags", {"role": "node"}),
        ("listeners", [{"name": "http", "port": 81, "servicePort": "http"}]),
        ("crossZone", True),
        ("addresses", {"keep": False}),
        ("deregistrationDelay", 5),
    ],
)
def test_a_key_of_a_load_balancer_is_refused_beside_them(
    config: dict[str, Any], key: str, value: Any
) -> None:
    config[key] = value
    (line,) = problems(config)
    assert line.startswith(f"{OURS}{key}: read ")
    assert line.endswith(f"; fix: pulumi config rm {OURS}{key}")
    config[key] = DEFAULTS[key]  # as Pulumi.yaml hands it over
    assert problems(config) == []


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        ({"metrics": HTTP}, ("targetGroups.metrics", "one of ingress.ports", "http, https")),
        ({"http": HTTP, "https": HTTP}, ("targetGroups.https", "the group of http")),
        (
            {"http": ELSEWHERE},
            ("another region", "set aws:region to us-east-1"),
        ),
        ({"http": "my-group"}, ("targetGroups.http", "the ARN of a target group")),
    ],
)
def test_wrong_groups_are_one_line_each(
    config: dict[str, Any], groups: dict[str, str], words: tuple[str, ...]
) -> None:
    config["targetGroups"] = groups
    (line,) = problems(config)
    assert [word for word in words if word not in line] == []


def test_the_service_is_adopted(config: dict[str, Any]) -> None:
    config["ingress"] = {"create": True}
    (line,) = problems(config)
    assert line.startswith(f"{OURS}ingress.create: read true; allowed: false with targetGroups")


def test_without_them_the_network_is_needed(config: dict[str, Any]) -> None:
    del config["targetGroups"]
    assert [line.split(": ")[0] for line in problems(config)] == [
        f"{OURS}{key}" for key in ("vpcId", "zones", "nodeSecurityGroupId")
    ]
