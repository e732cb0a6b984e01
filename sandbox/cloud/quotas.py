"""Service Quotas: the quota that the stack reads. The JSON protocol, as in botocore's model."""

from dataclasses import dataclass
from typing import Any, Final

from sandbox.cloud import rest
from sandbox.cloud.errors import AwsError
from sandbox.cloud.request import Answer, Request

SERVICE: Final = "servicequotas"
_GET: Final = "GetServiceQuota"
_ACTIONS: Final = frozenset({_GET, "GetAWSDefaultServiceQuota"})


@dataclass(frozen=True, slots=True)
class _Quota:
    """A quota: AWS's default, and the account's value where it was raised."""

    service: str
    name: str
    default: float
    value: float


# "Amazon VPC quotas": inbound or outbound rules per security group. "Amazon EC2 endpoints and quotas":
# Elastic IPs of a Region; the sandbox's account has a raised quota, for several stacks beside each other.
_QUOTAS: Final = {
    ("vpc", "L-0EA8095F"): _Quota(
        "Amazon Virtual Private Cloud (Amazon VPC)", "Inbound or outbound rules per security group", 60, 60
    ),
    ("ec2", "L-0263D0A3"): _Quota("Amazon Elastic Compute Cloud (Amazon EC2)", "EC2-VPC Elastic IPs", 5, 50),
}


def answer(request: Request) -> Answer:
    """Return a default, or the account's value. Raises AwsError NoSuchResourceException."""
    if request.action not in _ACTIONS:
        raise AwsError("UnknownOperationException", f"No such operation: {request.action}", 404)
    body = rest.body_of(request)
    service, code = body.get("ServiceCode", ""), body.get("QuotaCode", "")
    found = _QUOTAS.get((service, code))
    if found is None:
        raise AwsError(
            "NoSuchResourceException", "The request failed because the specified quota does not exist."
        )
    quota: dict[str, Any] = {
        "ServiceCode": service,
        "ServiceName": found.service,
        "QuotaArn": f"arn:aws:servicequotas:{request.region}::{service}/{code}",
        "QuotaCode": code,
        "QuotaName": found.name,
        "Value": float(found.value if request.action == _GET else found.default),
        "Unit": "None",
        "Adjustable": True,
        "GlobalQuota": False,
    }
    return rest.render({"Quota": quota})
