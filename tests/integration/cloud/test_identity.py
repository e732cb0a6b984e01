import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from sandbox.layout import ACCOUNT, REGION
from tests.integration.cloud.world import Cloud, name, refusal

if TYPE_CHECKING:
    from types_boto3_elbv2 import ElasticLoadBalancingv2Client
    from types_boto3_iam import IAMClient

_REGISTER = ["elasticloadbalancing:RegisterTargets", "elasticloadbalancing:DeregisterTargets"]
_DESCRIBE = ["elasticloadbalancing:DescribeTargetHealth"]


def test_a_key_may_do_what_its_users_policy_allows(cloud: Cloud, iam: "IAMClient") -> None:
    group, node = cloud.served_group(), cloud.node()
    elb = _client_of(cloud, iam, [_allow(_REGISTER, group), _allow(_DESCRIBE, "*")])
    elb.register_targets(TargetGroupArn=group, Targets=[{"Id": node, "Port": 30080}])
    assert len(elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]) == 1


def test_an_action_that_is_missing_from_the_policy_is_denied(cloud: Cloud, iam: "IAMClient") -> None:
    group, user = cloud.served_group(), name("user")
    elb = _client_of(cloud, iam, [_allow(_REGISTER, group), _allow(_DESCRIBE, "*")], user)
    _put(iam, user, [_allow(_REGISTER, group)])
    code, message = refusal(elb.describe_target_health, TargetGroupArn=group)
    assert code == "AccessDenied"
    assert message == (
        f"User: arn:aws:iam::{ACCOUNT}:user/{user} is not authorized to perform: "
        "elasticloadbalancing:DescribeTargetHealth because no identity-based policy allows the "
        "elasticloadbalancing:DescribeTargetHealth action"
    )


def test_registering_is_allowed_on_the_named_group_only(cloud: Cloud, iam: "IAMClient") -> None:
    group, other, node = cloud.served_group(), cloud.served_group(), cloud.node()
    elb = _client_of(cloud, iam, [_allow(_REGISTER, group)])
    targets: Any = [{"Id": node, "Port": 30080}]
    elb.register_targets(TargetGroupArn=group, Targets=targets)
    code, message = refusal(elb.register_targets, TargetGroupArn=other, Targets=targets)
    assert code == "AccessDenied"
    assert f"on resource: {other}" in message
    assert cloud.health(other) == {}


def test_describe_actions_have_no_resource_level_and_need_a_star(cloud: Cloud, iam: "IAMClient") -> None:
    group = cloud.served_group()
    elb = _client_of(cloud, iam, [_allow(_DESCRIBE, group)])
    assert refusal(elb.describe_target_health, TargetGroupArn=group)[0] == "AccessDenied"


def test_a_deny_wins_over_an_allow(cloud: Cloud, iam: "IAMClient") -> None:
    deny = {"Effect": "Deny", "Action": _DESCRIBE, "Resource": "*"}
    elb = _client_of(cloud, iam, [_allow(["elasticloadbalancing:*"], "*"), deny])
    elb.describe_load_balancers()
    code, message = refusal(elb.describe_target_health, TargetGroupArn=cloud.served_group())
    assert (code, "with an explicit deny" in message) == ("AccessDenied", True)


def test_actions_and_resources_may_hold_wildcards(cloud: Cloud, iam: "IAMClient") -> None:
    group, node = cloud.served_group(), cloud.node()
    wide = f"arn:aws:elasticloadbalancing:*:{ACCOUNT}:targetgroup/*/*"
    elb = _client_of(cloud, iam, [_allow(["elasticloadbalancing:registerT*"], wide)])
    targets: Any = [{"Id": node, "Port": 30080}]
    elb.register_targets(TargetGroupArn=group, Targets=targets)
    assert refusal(elb.deregister_targets, TargetGroupArn=group, Targets=targets)[0] == "AccessDenied"


def test_a_condition_on_the_requested_region_holds(cloud: Cloud, iam: "IAMClient") -> None:
    group = cloud.served_group()
    here, elsewhere = (
        _client_of(cloud, iam, [{**_allow(_DESCRIBE, "*"), "Condition": _in_region(region)}])
        for region in (REGION, "us-east-1")
    )
    here.describe_target_health(TargetGroupArn=group)
    assert refusal(elsewhere.describe_target_health, TargetGroupArn=group)[0] == "AccessDenied"


def test_an_attached_policy_counts_like_an_inline_one(cloud: Cloud, iam: "IAMClient") -> None:
    group, user = cloud.served_group(), name("user")
    elb = _client_of(cloud, iam, [], user)
    assert refusal(elb.describe_target_health, TargetGroupArn=group)[0] == "AccessDenied"
    document = json.dumps({"Version": "2012-10-17", "Statement": _allow(_DESCRIBE, "*")})
    made = iam.create_policy(PolicyName=name("policy"), PolicyDocument=document)
    iam.attach_user_policy(UserName=user, PolicyArn=made["Policy"]["Arn"])
    elb.describe_target_health(TargetGroupArn=group)


def test_an_inactive_and_a_deleted_key_are_invalid_tokens(cloud: Cloud, iam: "IAMClient") -> None:
    user = name("user")
    elb = _client_of(cloud, iam, [_allow(["*"], "*")], user)
    key = iam.list_access_keys(UserName=user)["AccessKeyMetadata"][0]["AccessKeyId"]
    elb.describe_load_balancers()
    iam.update_access_key(UserName=user, AccessKeyId=key, Status="Inactive")
    assert refusal(elb.describe_load_balancers)[0] == "InvalidClientTokenId"
    iam.delete_access_key(UserName=user, AccessKeyId=key)
    assert refusal(elb.describe_load_balancers)[0] == "InvalidClientTokenId"


def test_a_key_is_held_to_its_policy_in_other_services_too(cloud: Cloud, iam: "IAMClient") -> None:
    user = name("user")
    _client_of(cloud, iam, [_allow(_DESCRIBE, "*")], user)
    keys = iam.create_access_key(UserName=user)["AccessKey"]
    ec2 = boto3.client(
        "ec2",
        endpoint_url=cloud.url,
        region_name=REGION,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
    )
    assert refusal(ec2.describe_instances)[0] == "UnauthorizedOperation"


def test_anyone_may_ask_who_they_are(cloud: Cloud, iam: "IAMClient") -> None:
    user = name("user")
    _client_of(cloud, iam, [], user)
    keys = iam.create_access_key(UserName=user)["AccessKey"]
    sts = boto3.client(
        "sts",
        endpoint_url=cloud.url,
        region_name=REGION,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
    )
    assert sts.get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/{user}"


def _allow(actions: list[str], resource: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resource}


def _in_region(region: str) -> dict[str, Any]:
    return {"StringEquals": {"aws:RequestedRegion": region}}


def _put(iam: "IAMClient", user: str, statements: list[dict[str, Any]]) -> None:
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_user_policy(UserName=user, PolicyName="inline", PolicyDocument=document)


@pytest.mark.parametrize(
    ("action", "missing"),
    [
        ("CreateTargetGroup", "elasticloadbalancing:AddTags"),
        ("CreateLoadBalancer", "ec2:GetSecurityGroupsForVpc"),
    ],
)
def test_tags_and_security_groups_of_a_new_resource_need_rights_of_their_own(
    cloud: Cloud, iam: "IAMClient", action: str, missing: str
) -> None:
    user, made = name("user"), _allow([f"elasticloadbalancing:{action}"], "*")
    elb = _client_of(cloud, iam, [made], user)
    vpc = cloud.network.vpc_id

    def call() -> Any:
        given: Any = {"Name": name("new")}
        if action == "CreateTargetGroup":
            given |= {"Protocol": "TCP", "Port": 80, "VpcId": vpc, "Tags": [{"Key": "a", "Value": "b"}]}
            return elb.create_target_group(**given)["TargetGroups"]
        group = cloud.ec2.create_security_group(GroupName=name("group"), Description="any", VpcId=vpc)
        subnets = list(cloud.network.subnet_ids.values())
        given |= {"Type": "network", "Subnets": subnets, "SecurityGroups": [group["GroupId"]]}
        return elb.create_load_balancer(**given)["LoadBalancers"]

    code, message = refusal(call)
    assert (code, f"to perform: {missing} " in message) == ("AccessDenied", True)
    _put(iam, user, [made, _allow([missing], "*")])
    assert call()


def test_an_address_with_tags_needs_the_right_to_tag_when_it_is_created(
    cloud: Cloud, iam: "IAMClient"
) -> None:
    user, made = name("user"), _allow(["ec2:AllocateAddress"], "*")
    ec2: Any = boto3.client("ec2", **_keys(cloud, iam, [made], user))
    tags = [{"ResourceType": "elastic-ip", "Tags": [{"Key": "a", "Value": "b"}]}]
    assert refusal(ec2.allocate_address, TagSpecifications=tags)[0] == "UnauthorizedOperation"
    for created_by, allowed in (("CreateSecurityGroup", False), ("AllocateAddress", True)):
        condition = {"StringEquals": {"ec2:CreateAction": created_by}}
        _put(iam, user, [made, {**_allow(["ec2:CreateTags"], "*"), "Condition": condition}])
        if allowed:
            assert ec2.allocate_address(TagSpecifications=tags)["AllocationId"]
        else:
            assert refusal(ec2.allocate_address, TagSpecifications=tags)[0] == "UnauthorizedOperation"


def _client_of(
    cloud: Cloud, iam: "IAMClient", statements: list[dict[str, Any]], user: str | None = None
) -> "ElasticLoadBalancingv2Client":
    """A client of ELBv2 with a key of a new user who has one inline policy."""
    client: ElasticLoadBalancingv2Client = boto3.client("elbv2", **_keys(cloud, iam, statements, user))
    return client


def _keys(
    cloud: Cloud, iam: "IAMClient", statements: list[dict[str, Any]], user: str | None = None
) -> dict[str, Any]:
    user = user or name("user")
    iam.create_user(UserName=user)
    if statements:
        _put(iam, user, statements)
    keys = iam.create_access_key(UserName=user)["AccessKey"]
    return {
        "endpoint_url": cloud.url,
        "region_name": REGION,
        "aws_access_key_id": keys["AccessKeyId"],
        "aws_secret_access_key": keys["SecretAccessKey"],
    }
