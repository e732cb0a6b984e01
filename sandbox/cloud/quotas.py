"""Service Quotas: the quota that the stack reads. The JSON protocol, as in botocore's model."""

from typing import Any, Final

from sandbox.cloud import rest
from sandbox.cloud.errors import AwsError
from sandbox.cloud.request import Answer, Request

SERVICE: Final = "servicequotas"
# "Amazon VPC quotas": inbound or outbound rules per security group.
_RULES: Final = ("vpc", "L-0EA8095F")
_ACTIONS: Final = frozenset({"GetServiceQuota", "GetAWSDefaultServiceQuota"})


def answer(request: Request) -> Answer:
    """Return a default, also the account's value. Raises AwsError NoSuchResourceException."""
    if request.action not in _ACTIONS:
        raise AwsError("UnknownOperationException", f"No such operation: {request.action}", 404)
    body = rest.body_of(request)
    if (body.get("ServiceCode"), body.get("QuotaCode")) != _RULES:
        raise AwsError(
            "NoSuchResourceException", "The request failed because the specified quota does not exist."
        )
    service, code = _RULES
    quota: dict[str, Any] = {
        "ServiceCode": service,
        "ServiceName": "Amazon Virtual Private Cloud (Amazon VPC)",
        "QuotaArn": f"arn:aws:servicequotas:{request.region}::{service}/{code}",
        "QuotaCode": code,
        "QuotaName": "Inbound or outbound rules per security group",
        "Value": 60.0,
        "Unit": "None",
        "Adjustable": True,
        "GlobalQuota": False,
    }
    return rest.render({"Quota": quota})
