"""The deployer's policy from recorded calls."""

from typing import Any

import pytest

from sandbox.deployer import document, filled, generalised

ELB = "arn:aws:elasticloadbalancing:eu-central-1:123456789012"


@pytest.mark.parametrize(
    ("arn", "pattern"),
    [
        (
            f"{ELB}:listener/net/node-nlb-1a2b3c4/0123456789abcdef/fedcba9876543210",
            "arn:aws:elasticloadbalancing:REGION:ACCOUNT:listener/net/node-nlb-*/*/*",
        ),
        (
            f"{ELB}:targetgroup/node-nlb-80-1a2b3c4/*",
            "arn:aws:elasticloadbalancing:REGION:ACCOUNT:targetgroup/node-nlb-*/*",
        ),
        ("arn:aws:iam::123456789012:role/nodes.sandbox", "arn:aws:iam::ACCOUNT:role/ROLE"),
        (
            "arn:aws:eks:eu-central-1:123456789012:podidentityassociation/sandbox/a-0123456789abcdef0",
            "arn:aws:eks:REGION:ACCOUNT:podidentityassociation/CLUSTER/*",
        ),
        ("*", "*"),
    ],
)
def test_an_arn_keeps_what_is_known_before_the_first_up(arn: str, pattern: str) -> None:
    assert generalised(arn) == pattern


def test_a_call_without_resource_level_is_held_to_the_region() -> None:
    (statement,) = document("irsa", {"ec2:DescribeSubnets": ["*"]})["Statement"][:1]
    assert statement == {
        "Effect": "Allow",
        "Action": ["ec2:DescribeSubnets"],
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:RequestedRegion": "REGION"}},
    }


def test_placeholders_are_filled_as_whole_words() -> None:
    found: dict[str, Any] = filled(
        '{"Action": ["iam:GetRole"], "Resource": "arn:aws:iam::ACCOUNT:role/ROLE"}'
    )
    assert found == {
        "Action": ["iam:GetRole"],
        "Resource": "arn:aws:iam::123456789012:role/nodes.sandbox",
    }
