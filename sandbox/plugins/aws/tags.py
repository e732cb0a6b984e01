"""Tags: the program's, the provider's default_tags, and AWS's."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sandbox.plugins.aws.session import Aws, doing
from sandbox.plugins.values import UNKNOWN, PropertyMap, has_unknown


def merged(default_tags: Mapping[str, str], tags: Any) -> Any:
    """Return `tagsAll`: default tags, overridden by the resource's tags; UNKNOWN for unknown tags."""
    if has_unknown(tags):
        return UNKNOWN
    return {**default_tags, **(tags or {})}


def as_list(tags: Mapping[str, str]) -> list[Any]:
    """Return tags in the form of AWS API requests."""
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def as_properties(aws: Aws, found: Iterable[Mapping[str, Any]], prior: Mapping[str, Any]) -> PropertyMap:
    """Return `tags` and `tagsAll` for the tags `found` at AWS, without AWS's own `aws:` tags.

    A default tag counts as the resource's own only where the program sets the tag.
    """
    everything = {tag["Key"]: tag["Value"] for tag in found if not tag["Key"].startswith("aws:")}
    own = prior.get("tags") or {}
    shown = {
        key: value for key, value in everything.items() if key in own or aws.default_tags.get(key) != value
    }
    return {"tags": shown or None, "tagsAll": everything}


def specification(kind: str, tags: Mapping[str, str]) -> list[Any]:
    """Return EC2's TagSpecifications for a new resource of `kind`; empty without tags."""
    return [{"ResourceType": kind, "Tags": as_list(tags)}] if tags else []


def update_ec2(aws: Aws, ident: str, old: Mapping[str, str], new: Mapping[str, str], what: str) -> None:
    """Change the tags of an EC2 resource from `old` to `new`."""
    with doing(f"updating tags for {what} ({ident})"):
        if gone := _gone(old, new):
            aws.ec2.delete_tags(Resources=[ident], Tags=[{"Key": key} for key in gone])
        if changed := _changed(old, new):
            aws.ec2.create_tags(Resources=[ident], Tags=as_list(changed))


def update_elbv2(aws: Aws, arn: str, old: Mapping[str, str], new: Mapping[str, str], what: str) -> None:
    """Change the tags of an ELBv2 resource from `old` to `new`."""
    with doing(f"updating tags for {what} ({arn})"):
        if gone := _gone(old, new):
            aws.elbv2.remove_tags(ResourceArns=[arn], TagKeys=gone)
        if changed := _changed(old, new):
            aws.elbv2.add_tags(ResourceArns=[arn], Tags=as_list(changed))


def update_user(aws: Aws, name: str, old: Mapping[str, str], new: Mapping[str, str]) -> None:
    """Change the tags of an IAM user from `old` to `new`."""
    with doing(f"updating tags for IAM User ({name})"):
        if gone := _gone(old, new):
            aws.iam.untag_user(UserName=name, TagKeys=gone)
        if changed := _changed(old, new):
            aws.iam.tag_user(UserName=name, Tags=as_list(changed))


def update_role(aws: Aws, name: str, old: Mapping[str, str], new: Mapping[str, str]) -> None:
    """Change the tags of an IAM role from `old` to `new`."""
    with doing(f"updating tags for IAM Role ({name})"):
        if gone := _gone(old, new):
            aws.iam.untag_role(RoleName=name, TagKeys=gone)
        if changed := _changed(old, new):
            aws.iam.tag_role(RoleName=name, Tags=as_list(changed))


def update_eks(aws: Aws, arn: str, old: Mapping[str, str], new: Mapping[str, str]) -> None:
    """Change the tags of an EKS resource from `old` to `new`."""
    with doing(f"updating tags for EKS ({arn})"):
        if gone := _gone(old, new):
            aws.eks.untag_resource(resourceArn=arn, tagKeys=gone)
        if changed := _changed(old, new):
            aws.eks.tag_resource(resourceArn=arn, tags=changed)


def update_cloudwatch(aws: Aws, arn: str, old: Mapping[str, str], new: Mapping[str, str]) -> None:
    """Change the tags of a CloudWatch resource from `old` to `new`."""
    client = aws.clients.client("cloudwatch", aws.region)
    with doing(f"updating tags for CloudWatch ({arn})"):
        if gone := _gone(old, new):
            client.untag_resource(ResourceARN=arn, TagKeys=gone)
        if changed := _changed(old, new):
            client.tag_resource(ResourceARN=arn, Tags=as_list(changed))


def of_elbv2(aws: Aws, arn: str) -> Sequence[Any]:
    """Return the tags of an ELBv2 resource."""
    with doing(f"listing tags for ELBv2 ({arn})"):
        found = aws.elbv2.describe_tags(ResourceArns=[arn])["TagDescriptions"]
    return found[0].get("Tags", []) if found else []


def _gone(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    return sorted(set(old) - set(new))


def _changed(old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in new.items() if old.get(key) != value}
