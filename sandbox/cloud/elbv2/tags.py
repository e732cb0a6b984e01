"""Tags of load balancers, listeners and target groups."""

from sandbox.cloud.elbv2.store import Elbv2, named, pairs
from sandbox.cloud.errors import AwsError, AwsValidationError
from sandbox.cloud.query import Structure

_MOST_TAGS = 50


def add(cloud: Elbv2, params: Structure) -> Structure:
    """AddTags."""
    wanted = named(params["Tags"])
    for arn in params["ResourceArns"]:
        tags = _tags(cloud, arn)
        if len(tags.keys() | wanted.keys()) > _MOST_TAGS:
            raise AwsError("TooManyTags", "The maximum number of tags has been reached")
        tags.update(wanted)
    return {}


def remove(cloud: Elbv2, params: Structure) -> Structure:
    """RemoveTags."""
    for arn in params["ResourceArns"]:
        for key in params["TagKeys"]:
            _tags(cloud, arn).pop(key, None)
    return {}


def describe(cloud: Elbv2, params: Structure) -> Structure:
    """DescribeTags: up to 20 resources a call."""
    return {
        "TagDescriptions": [
            {"ResourceArn": arn, "Tags": pairs(_tags(cloud, arn))} for arn in params["ResourceArns"]
        ]
    }


def _tags(cloud: Elbv2, arn: str) -> dict[str, str]:
    kind = arn.rpartition(":")[2].partition("/")[0]
    if kind == "loadbalancer":
        return cloud.load_balancer(arn).tags
    if kind == "targetgroup":
        return cloud.group(arn).tags
    if kind == "listener":
        return cloud.listener(arn).tags
    raise AwsValidationError(f"'{arn}' is not a valid load balancer, target group or listener ARN")
