"""The functions that a program asks."""

import pytest

from sandbox.cloud.network import Network, subnet_cidrs
from tests.integration.awsprovider.conftest import VPC_NETWORK, Clients, Workbench
from tests.integration.awsprovider.plugin import Failed, Plugin, Refused
from tests.integration.awsprovider.test_every_type import EIP

SUBNET = "aws:ec2/getSubnet:getSubnet"
ADDRESSES = "aws:ec2/getEips:getEips"


def test_a_subnet_is_found_by_its_id(plugin: Plugin, network: Network) -> None:
    found = plugin.invoke(SUBNET, {"id": network.subnet_ids["eu-central-1b"]})
    assert found["availabilityZone"] == "eu-central-1b"
    assert found["cidrBlock"] == subnet_cidrs(VPC_NETWORK)["eu-central-1b"]
    assert found["vpcId"] == network.vpc_id
    assert found["state"] == "available"
    assert found["region"] == "eu-central-1"


def test_a_subnet_is_found_by_vpc_and_zone(plugin: Plugin, network: Network) -> None:
    found = plugin.invoke(SUBNET, {"vpcId": network.vpc_id, "availabilityZone": "eu-central-1c"})
    assert found["id"] == network.subnet_ids["eu-central-1c"]


def test_no_subnet_and_several_subnets_are_errors(plugin: Plugin, network: Network) -> None:
    with pytest.raises(Failed, match="multiple EC2 Subnets matched"):
        plugin.invoke(SUBNET, {"vpcId": network.vpc_id})
    with pytest.raises(Failed, match="no matching EC2 Subnet found"):
        plugin.invoke(SUBNET, {"vpcId": "vpc-00000000000000000"})
    with pytest.raises(Failed, match=r"reading EC2 Subnet: .*InvalidSubnetID\.NotFound"):
        plugin.invoke(SUBNET, {"id": "subnet-00000000000000000"})


def test_addresses_are_found_by_tag_and_none_is_no_error(plugin: Plugin, made: Workbench) -> None:
    one = made(EIP, {"domain": "vpc", "tags": {"stack": "a", "zone": "x"}}, "one")
    made(EIP, {"domain": "vpc", "tags": {"stack": "b"}}, "two")
    found = plugin.invoke(ADDRESSES, {"tags": {"stack": "a"}})
    assert (found["allocationIds"], found["publicIps"]) == ([one.id], [one.plain["publicIp"]])
    by_filter = plugin.invoke(ADDRESSES, {"filters": [{"name": "tag:zone", "values": ["x", "y"]}]})
    assert by_filter["allocationIds"] == [one.id]
    assert plugin.invoke(ADDRESSES, {"tags": {"stack": "c"}})["allocationIds"] == []


def test_a_mistyped_argument_is_refused(plugin: Plugin) -> None:
    with pytest.raises(Refused, match="tags"):
        plugin.invoke(ADDRESSES, {"tags": ["stack"]})


def test_a_target_group_is_found_by_its_arn_and_by_its_name(
    plugin: Plugin, made: Workbench, network: Network
) -> None:
    wanted = {"port": 80, "protocol": "TCP", "vpcId": network.vpc_id, "name": "given", "tags": {"a": "b"}}
    group = made("aws:lb/targetGroup:TargetGroup", wanted, "one")
    token = "aws:lb/getTargetGroup:getTargetGroup"
    for asked in ({"arn": group.id}, {"name": "given"}):
        found = plugin.invoke(token, asked)
        assert (found["arn"], found["name"], found["targetType"]) == (group.id, "given", "instance")
        assert found["tags"] == {"a": "b"}
    with pytest.raises(Failed, match="no matching ELBv2 Target Group found"):
        plugin.invoke(token, {"arn": group.id.replace("given", "gone")})


def test_a_security_group_and_its_rules_are_found(plugin: Plugin, network: Network) -> None:
    token = "aws:ec2/getSecurityGroup:getSecurityGroup"
    found = plugin.invoke(token, {"id": network.node_group_id})
    assert (found["name"], found["vpcId"]) == ("nodes.sandbox", network.vpc_id)
    with pytest.raises(Failed, match="no matching EC2 Security Group found"):
        plugin.invoke(token, {"id": "sg-00000000000000000"})
    wanted = {"filters": [{"name": "group-id", "values": [network.node_group_id]}]}
    ids = plugin.invoke("aws:vpc/getSecurityGroupRules:getSecurityGroupRules", wanted)["ids"]
    rule = "aws:vpc/getSecurityGroupRule:getSecurityGroupRule"
    rules = [plugin.invoke(rule, {"securityGroupRuleId": ident}) for ident in ids]
    assert {(each["isEgress"], each["securityGroupId"]) for each in rules} == {
        (False, network.node_group_id),
        (True, network.node_group_id),
    }


def test_security_groups_are_found_by_tags_and_none_is_no_error(plugin: Plugin, network: Network) -> None:
    token = "aws:ec2/getSecurityGroups:getSecurityGroups"
    tags = {"KubernetesCluster": "sandbox", "Name": "nodes.sandbox"}
    found = plugin.invoke(token, {"tags": tags})
    assert (found["ids"], found["vpcIds"]) == ([network.node_group_id], [network.vpc_id])
    assert found["arns"][0].endswith(f":security-group/{network.node_group_id}")
    assert plugin.invoke(token, {"tags": {**tags, "Name": "others"}})["ids"] == []


def test_an_address_and_its_interface_are_found(plugin: Plugin, made: Workbench, network: Network) -> None:
    token = "aws:ec2/getElasticIp:getElasticIp"
    address = made(EIP, {"domain": "vpc", "tags": {"stack": "a"}}, "one")
    free = plugin.invoke(token, {"id": address.id})
    assert (free["publicIp"], free["tags"]) == (address.plain["publicIp"], {"stack": "a"})
    assert (free["associationId"], free["networkInterfaceId"], free["instanceId"]) == ("", "", "")
    mapping = {"subnetId": network.subnet_ids["eu-central-1a"], "allocationId": address.id}
    wanted = {"loadBalancerType": "network", "name": "held", "subnetMappings": [mapping]}
    made("aws:lb/loadBalancer:LoadBalancer", wanted, "one")
    used = plugin.invoke(token, {"id": address.id})
    assert used["associationId"].startswith("eipassoc-")
    interface = "aws:ec2/getNetworkInterface:getNetworkInterface"
    found = plugin.invoke(interface, {"id": used["networkInterfaceId"]})
    assert found["description"].startswith("ELB net/held/")
    filters = [
        {"name": "subnet-id", "values": [mapping["subnetId"]]},
        {"name": "description", "values": ["ELB net/*el*"]},
    ]
    several = "aws:ec2/getNetworkInterfaces:getNetworkInterfaces"
    assert plugin.invoke(several, {"filters": filters})["ids"] == [used["networkInterfaceId"]]
    filters[1]["values"] = ["ELB net/*other*"]
    assert plugin.invoke(several, {"filters": filters})["ids"] == []
    with pytest.raises(Failed, match="no matching EC2 EIP found"):
        plugin.invoke(token, {"id": "eipalloc-00000000000000000"})


def test_a_prefix_list_is_found_with_its_maximum(plugin: Plugin, boto: Clients) -> None:
    token = "aws:ec2/getManagedPrefixList:getManagedPrefixList"
    made = boto.ec2.create_managed_prefix_list(
        PrefixListName="offices",
        MaxEntries=7,
        AddressFamily="IPv4",
        Entries=[{"Cidr": "192.0.2.0/24", "Description": "one"}],
    )["PrefixList"]
    found = plugin.invoke(token, {"id": made["PrefixListId"]})
    assert (found["maxEntries"], found["name"]) == (7, "offices")
    assert found["entries"] == [{"cidr": "192.0.2.0/24", "description": "one"}]
    with pytest.raises(Failed, match="no matching EC2 Managed Prefix List found"):
        plugin.invoke(token, {"id": "pl-00000000000000000"})


def test_the_quota_of_addresses_was_raised(plugin: Plugin) -> None:
    token = "aws:servicequotas/getServiceQuota:getServiceQuota"
    found = plugin.invoke(token, {"serviceCode": "ec2", "quotaCode": "L-0263D0A3"})
    assert (found["value"], found["defaultValue"]) == (50, 5)


def test_the_quota_of_rules_is_awss_default(plugin: Plugin) -> None:
    token = "aws:servicequotas/getServiceQuota:getServiceQuota"
    found = plugin.invoke(token, {"serviceCode": "vpc", "quotaCode": "L-0EA8095F"})
    assert (found["value"], found["defaultValue"]) == (60, 60)
    with pytest.raises(Failed, match="NoSuchResourceException"):
        plugin.invoke(token, {"serviceCode": "vpc", "quotaCode": "L-00000000"})
