"""The deployer's IAM policies, from the recorded calls of the sandbox's cloud (docs/deployer-policy.md)."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from sandbox.cloud.eks import CLUSTER
from sandbox.cloud.network import NODE_ROLE
from sandbox.cloud.route53 import ZONE_ID
from sandbox.layout import ACCOUNT, ISSUER, REGION

Calls = Mapping[str, Sequence[str]]

DOCUMENTS: Final = Path(__file__).parents[1] / "docs/deployer-policy"
# The common policy of all kinds of identity; `external` needs no other policy.
COMMON: Final = "common"
# Of the parts around the load balancer, which are off by default.
PARTS: Final = ("alarms", "dns", "endpoint-service")
# Placeholders of the documents, by the sandbox's values.
PLACEHOLDERS: Final = {
    "REGION": REGION,
    "ACCOUNT": ACCOUNT,
    "CLUSTER": CLUSTER,
    "ROLE": NODE_ROLE,
    "ZONE": ZONE_ID,
    "ISSUER": ISSUER.removeprefix("https://"),
}
_ROLE: Final = f"arn:aws:iam::{ACCOUNT}:role/node-nlb-*"
# By document: reads that only the official provider makes, repairs of changes outside Pulumi, and AWS's
# requirements for the first load balancer of an account.
NOT_CALLED: Final[Mapping[str, Calls]] = {
    COMMON: {
        # Read for a configuration with prefix lists of clients.
        "ec2:DescribeManagedPrefixLists": ("*",),
        "ec2:GetManagedPrefixListEntries": ("*",),
        # Read for more than 60 rules of a security group, and for more than 5 Elastic IPs.
        "servicequotas:GetAWSDefaultServiceQuota": ("*",),
        "servicequotas:GetServiceQuota": ("*",),
        # Called for another loadBalancer.ipAddressType.
        "elasticloadbalancing:SetIpAddressType": (
            f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:loadbalancer/net/node-nlb-*/*",
        ),
        "iam:CreateServiceLinkedRole": (
            f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/elasticloadbalancing.amazonaws.com/*",
        ),
    },
    "pod-identity": {"iam:ListRolePolicies": (_ROLE,), "iam:UpdateAssumeRolePolicy": (_ROLE,)},
    "irsa": {"iam:ListRolePolicies": (_ROLE,)},
}
NOT_CALLED_SID: Final = "NotCalledInTheSandbox"
_CONDITIONS: Final[Mapping[str, Mapping[str, str]]] = {
    "iam:PassRole": {"iam:PassedToService": "pods.eks.amazonaws.com"},
    "iam:CreateServiceLinkedRole": {"iam:AWSServiceName": "elasticloadbalancing.amazonaws.com"},
}
_REGIONAL: Final = {"aws:RequestedRegion": "REGION"}
_ORDER: Final = ("Sid", "Effect", "Action", "Resource", "Condition")  # as in AWS's own documents
_NAMED: Final = re.compile(r"(?<=[/:])node-nlb-[^/]*")
_ID: Final = re.compile(r"(?<=/)(?:[0-9a-f]{16,17}|a-[0-9a-z]{17}|C[0-9A-F]{20})(?=/|$)")


def document(name: str, calls: Calls) -> dict[str, Any]:
    """Return the minimal policy for `calls` (ARNs by action) and for NOT_CALLED, in marked statements."""
    own = _statements(calls)
    marked = _statements(NOT_CALLED.get(name, {}))
    for number, statement in enumerate(marked, 1):
        statement["Sid"] = f"{NOT_CALLED_SID}{number}"
    return {
        "Version": "2012-10-17",
        "Statement": [{key: each[key] for key in _ORDER if key in each} for each in [*own, *marked]],
    }


def generalised(arn: str) -> str:
    """Return the ARN with placeholders, and with wildcards for random parts by AWS or Pulumi."""
    for name, value in PLACEHOLDERS.items():
        arn = re.sub(rf"(?<=[:/]){re.escape(value)}(?=[:/]|$)", name, arn)
    return _ID.sub("*", _NAMED.sub("node-nlb-*", arn))


def filled(text: str) -> dict[str, Any]:
    """Return a document's text with the sandbox's values in place of the placeholders."""
    for name, value in PLACEHOLDERS.items():
        text = re.sub(rf"\b{name}\b", value, text)
    found: dict[str, Any] = json.loads(text)
    return found


def actions(found: Mapping[str, Any], *, marked: bool = False) -> set[str]:
    """Return a document's actions: the sandbox's calls, or the marked actions."""
    return {
        action
        for statement in found["Statement"]
        for action in statement["Action"]
        if statement.get("Sid", "").startswith(NOT_CALLED_SID) == marked
    }


def together(*documents: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document with the statements of several documents."""
    return {
        "Version": "2012-10-17",
        "Statement": [each for document in documents for each in document["Statement"]],
    }


def beside(calls: Calls, common: Iterable[str]) -> dict[str, Sequence[str]]:
    """Return the calls whose action is not common."""
    known = set(common)
    return {action: arns for action, arns in calls.items() if action not in known}


def _statements(calls: Calls) -> list[dict[str, Any]]:
    grouped: dict[tuple[tuple[str, ...], str], list[str]] = defaultdict(list)
    for action, arns in sorted(calls.items()):
        regional = all(arn == "*" for arn in arns) and not action.startswith("iam:")
        condition = _REGIONAL if regional else _CONDITIONS.get(action, {})
        resources = tuple(sorted({generalised(arn) for arn in arns}))
        grouped[resources, json.dumps(condition)].append(action)
    return [
        {
            "Effect": "Allow",
            "Action": found,
            "Resource": list(resources) if len(resources) > 1 else resources[0],
            **({"Condition": {"StringEquals": json.loads(condition)}} if condition != "{}" else {}),
        }
        for (resources, condition), found in grouped.items()
    ]
