"""What the AWS provider of Terraform and Pulumi sends for the resource types of the stack, in its order."""

import json
from typing import TYPE_CHECKING, Any

import boto3

from sandbox.cloud.client import ACCESS_KEY, SECRET_KEY
from tests.integration.cloud.world import Cloud, name, refusal

if TYPE_CHECKING:
    from types_boto3_iam import IAMClient

_EVERYWHERE: Any = [{"IpProtocol": "-1", "FromPort": 0, "ToPort": 0, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
_EVERYWHERE_V6: Any = [{"IpProtocol": "-1", "FromPort": 0, "ToPort": 0, "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}]


def test_a_new_security_group_loses_its_default_egress_rule(cloud: Cloud) -> None:
    group = _security_group(cloud)
    cloud.ec2.revoke_security_group_egress(GroupId=group, IpPermissions=_EVERYWHERE)
    cloud.ec2.revoke_security_group_egress(GroupId=group, IpPermissions=_EVERYWHERE_V6)
    assert _rules(cloud, group) == []


def test_a_single_rule_has_an_id_tags_a_description_and_can_be_changed_in_place(cloud: Cloud) -> None:
    group = _security_group(cloud)
    made = cloud.ec2.authorize_security_group_ingress(
        GroupId=group,
        IpPermissions=[_tcp(80, {"IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "clients"}]})],
    )["SecurityGroupRules"]
    rule = made[0]["SecurityGroupRuleId"]
    cloud.ec2.create_tags(Resources=[rule], Tags=[{"Key": "owner", "Value": "us"}])
    cloud.ec2.modify_security_group_rules(
        GroupId=group,
        SecurityGroupRules=[
            {
                "SecurityGroupRuleId": rule,
                "SecurityGroupRule": {
                    "IpProtocol": "tcp",
                    "FromPort": 443,
                    "ToPort": 443,
                    "CidrIpv4": "10.0.0.0/8",
                    "Description": "clients",
                },
            }
        ],
    )
    found: Any = cloud.ec2.describe_security_group_rules(SecurityGroupRuleIds=[rule])["SecurityGroupRules"][0]
    assert (found["FromPort"], found["CidrIpv4"], found["IsEgress"]) == (443, "10.0.0.0/8", False)
    assert (found["Description"], found["GroupId"]) == ("clients", group)
    assert found["Tags"] == [{"Key": "owner", "Value": "us"}]


def test_a_rule_may_name_another_group_as_its_source_and_is_revoked_by_its_id(cloud: Cloud) -> None:
    group, source = _security_group(cloud), _security_group(cloud)
    made = cloud.ec2.authorize_security_group_egress(
        GroupId=group, IpPermissions=[_tcp(30080, {"UserIdGroupPairs": [{"GroupId": source}]})]
    )["SecurityGroupRules"]
    rule = made[0]["SecurityGroupRuleId"]
    found: Any = cloud.ec2.describe_security_group_rules(SecurityGroupRuleIds=[rule])["SecurityGroupRules"][0]
    assert (found["ReferencedGroupInfo"]["GroupId"], found["IsEgress"]) == (source, True)
    cloud.ec2.revoke_security_group_egress(GroupId=group, SecurityGroupRuleIds=[rule])
    gone: Any = {"SecurityGroupRuleIds": [rule]}
    code, _ = refusal(cloud.ec2.describe_security_group_rules, **gone)
    assert code == "InvalidSecurityGroupRuleId.NotFound"
    code, _ = refusal(cloud.ec2.revoke_security_group_egress, GroupId=group, **gone)
    assert code == "InvalidSecurityGroupRuleId.NotFound"


def test_a_rule_that_names_a_group_has_a_description_and_tags_and_can_name_another(cloud: Cloud) -> None:
    group, source, other = _security_group(cloud), _security_group(cloud), _security_group(cloud)
    tags: Any = [{"ResourceType": "security-group-rule", "Tags": [{"Key": "a", "Value": "b"}]}]
    pairs = {"UserIdGroupPairs": [{"GroupId": source, "Description": "from the NLB"}]}
    made = cloud.ec2.authorize_security_group_ingress(
        GroupId=group, IpPermissions=[_tcp(30080, pairs)], TagSpecifications=tags
    )
    before = _rule(cloud, made)
    assert (before["Description"], before["Tags"]) == ("from the NLB", [{"Key": "a", "Value": "b"}])
    wanted: Any = {"IpProtocol": "tcp", "FromPort": 30081, "ToPort": 30081, "ReferencedGroupId": other}
    change: Any = [{"SecurityGroupRuleId": before["SecurityGroupRuleId"], "SecurityGroupRule": wanted}]
    cloud.ec2.modify_security_group_rules(GroupId=group, SecurityGroupRules=change)
    after = _rule(cloud, made)
    assert (after["ReferencedGroupInfo"]["GroupId"], after["FromPort"]) == (other, 30081)
    assert "Description" not in after


def test_a_rule_for_all_protocols_can_be_changed_without_ports(cloud: Cloud) -> None:
    group = _security_group(cloud)
    made = cloud.ec2.authorize_security_group_egress(
        GroupId=group, IpPermissions=[{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}]
    )
    rule = _rule(cloud, made)["SecurityGroupRuleId"]
    wanted: Any = {"IpProtocol": "-1", "CidrIpv4": "10.1.0.0/16"}
    change: Any = [{"SecurityGroupRuleId": rule, "SecurityGroupRule": wanted}]
    cloud.ec2.modify_security_group_rules(GroupId=group, SecurityGroupRules=change)
    after = _rule(cloud, made)
    assert (after["IpProtocol"], after["FromPort"], after["CidrIpv4"]) == ("-1", -1, "10.1.0.0/16")


def test_the_same_rule_twice_is_a_duplicate(cloud: Cloud) -> None:
    group = _security_group(cloud)
    wanted: Any = {"GroupId": group, "IpPermissions": [_tcp(80, {"IpRanges": [{"CidrIp": "0.0.0.0/0"}]})]}
    cloud.ec2.authorize_security_group_ingress(**wanted)
    code, _ = refusal(cloud.ec2.authorize_security_group_ingress, **wanted)
    assert code == "InvalidPermission.Duplicate"


def test_a_security_group_that_is_gone_is_not_found(cloud: Cloud) -> None:
    group = _security_group(cloud)
    filters: Any = [{"Name": "group-id", "Values": [group]}]
    assert cloud.ec2.describe_network_interfaces(Filters=filters)["NetworkInterfaces"] == []
    cloud.ec2.delete_security_group(GroupId=group)
    assert refusal(cloud.ec2.describe_security_groups, GroupIds=[group])[0] == "InvalidGroup.NotFound"
    assert refusal(cloud.ec2.delete_security_group, GroupId=group)[0] == "InvalidGroup.NotFound"


def test_an_elastic_ip_is_read_with_its_tags_and_its_domain_name_and_released(cloud: Cloud) -> None:
    tags: Any = [{"ResourceType": "elastic-ip", "Tags": [{"Key": "zone", "Value": "a"}]}]
    address = cloud.ec2.allocate_address(Domain="vpc", TagSpecifications=tags)["AllocationId"]
    found: Any = cloud.ec2.describe_addresses(AllocationIds=[address])["Addresses"][0]
    assert (found["Tags"], found["Domain"]) == ([{"Key": "zone", "Value": "a"}], "vpc")
    attributes = cloud.ec2.describe_addresses_attribute(AllocationIds=[address], Attribute="domain-name")
    assert len(attributes["Addresses"]) == 1
    by_tag: Any = [{"Name": "tag:zone", "Values": ["a"]}]
    assert [one["AllocationId"] for one in cloud.ec2.describe_addresses(Filters=by_tag)["Addresses"]] == [
        address
    ]
    cloud.ec2.release_address(AllocationId=address)
    code, _ = refusal(cloud.ec2.describe_addresses, AllocationIds=[address])
    assert code == "InvalidAllocationID.NotFound"
    code, _ = refusal(cloud.ec2.disassociate_address, AssociationId="eipassoc-0")
    assert code == "InvalidAssociationID.NotFound"


def test_a_user_with_a_policy_and_a_key_is_made_read_and_deleted(iam: "IAMClient") -> None:
    user = name("user")
    document = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}],
    }
    iam.create_user(UserName=user, Path="/", Tags=[{"Key": "a", "Value": "b"}])
    assert iam.get_user(UserName=user)["User"]["Tags"] == [{"Key": "a", "Value": "b"}]
    iam.put_user_policy(UserName=user, PolicyName="sync", PolicyDocument=json.dumps(document))
    assert iam.get_user_policy(UserName=user, PolicyName="sync")["PolicyDocument"] == document
    key = iam.create_access_key(UserName=user)["AccessKey"]["AccessKeyId"]
    assert [one["AccessKeyId"] for one in iam.list_access_keys(UserName=user)["AccessKeyMetadata"]] == [key]
    assert iam.list_groups_for_user(UserName=user)["Groups"] == []
    assert refusal(iam.delete_user, UserName=user)[0] == "DeleteConflict"
    iam.delete_access_key(UserName=user, AccessKeyId=key)
    iam.delete_user_policy(UserName=user, PolicyName="sync")
    iam.delete_user(UserName=user)
    assert refusal(iam.get_user, UserName=user)[0] == "NoSuchEntity"


def test_an_action_that_nobody_simulates_is_an_invalid_action(cloud: Cloud) -> None:
    assert refusal(cloud.ec2.describe_instance_topology)[0] == "InvalidAction"
    assert refusal(cloud.elb.describe_trust_stores)[0] == "InvalidAction"


def test_load_balancers_are_in_one_region_only(cloud: Cloud) -> None:
    cloud.balancer()
    elsewhere = boto3.client(
        "elbv2",
        endpoint_url=cloud.url,
        region_name="us-east-1",
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
    )
    code, message = refusal(elsewhere.describe_load_balancers)
    assert (code, "us-east-1" in message) == ("UnsupportedOperation", True)


def _security_group(cloud: Cloud) -> str:
    made = cloud.ec2.create_security_group(
        GroupName=name("group"), Description="for a test", VpcId=cloud.network.vpc_id
    )
    return made["GroupId"]


def _rules(cloud: Cloud, group: str) -> list[Any]:
    filters: Any = [{"Name": "group-id", "Values": [group]}]
    return list(cloud.ec2.describe_security_group_rules(Filters=filters)["SecurityGroupRules"])


def _rule(cloud: Cloud, made: Any) -> Any:
    """The one rule that an authorize call has made, as it is now."""
    ids = [one["SecurityGroupRuleId"] for one in made["SecurityGroupRules"]]
    return cloud.ec2.describe_security_group_rules(SecurityGroupRuleIds=ids)["SecurityGroupRules"][0]


def _tcp(port: int, source: dict[str, Any]) -> Any:
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **source}
