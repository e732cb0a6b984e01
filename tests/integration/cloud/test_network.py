from ipaddress import IPv4Address, IPv4Network
from typing import Any

from sandbox.cloud import network
from tests.integration.cloud.world import VPC_NETWORK, ZONES, Cloud


def test_the_network_has_the_ids_that_a_stack_configuration_names(cloud: Cloud) -> None:
    assert cloud.network == network.EXPECTED


def test_making_the_network_again_finds_the_same_and_makes_nothing(cloud: Cloud) -> None:
    before = cloud.revision()
    assert network.ensure_network(cloud.url, VPC_NETWORK) == cloud.network
    assert cloud.revision() == before


def test_the_subnets_are_public_tagged_as_kops_does_and_one_a_zone(cloud: Cloud) -> None:
    ids = list(cloud.network.subnet_ids.values())
    subnets = cloud.ec2.describe_subnets(SubnetIds=ids)["Subnets"]
    assert {one["AvailabilityZone"]: one["CidrBlock"] for one in subnets} == network.subnet_cidrs(VPC_NETWORK)
    for one in subnets:
        tags = {tag["Key"]: tag["Value"] for tag in one["Tags"]}
        assert tags["kubernetes.io/cluster/sandbox"] == "owned"
        assert tags["kubernetes.io/role/elb"] == "1"
        assert tags["Name"] == f"{one['AvailabilityZone']}.sandbox"


def test_nodes_reach_each_other_on_everything_and_nobody_else_reaches_them(cloud: Cloud) -> None:
    filters: Any = [{"Name": "group-id", "Values": [cloud.network.node_group_id]}]
    rules = cloud.ec2.describe_security_group_rules(Filters=filters)["SecurityGroupRules"]
    ingress = [one for one in rules if not one["IsEgress"]]
    assert [(one["IpProtocol"], one["ReferencedGroupInfo"]["GroupId"]) for one in ingress] == [
        ("-1", cloud.network.node_group_id)
    ]
    assert [one["CidrIpv4"] for one in rules if one["IsEgress"]] == ["0.0.0.0/0"]


def test_an_instance_is_running_in_its_zone_under_a_loopback_address_above_the_load_balancers(
    cloud: Cloud,
) -> None:
    made = network.run_node_instance(cloud.url, "worker", ZONES[1])
    found: Any = cloud.ec2.describe_instances(InstanceIds=[made.instance_id])["Reservations"][0]
    instance = found["Instances"][0]
    subnet = IPv4Network(network.subnet_cidrs(VPC_NETWORK)[ZONES[1]])
    assert instance["State"]["Name"] == "running"
    assert instance["Placement"]["AvailabilityZone"] == ZONES[1]
    assert instance["PrivateIpAddress"] == made.private_ip
    assert [group["GroupId"] for group in instance["SecurityGroups"]] == [cloud.network.node_group_id]
    assert {"Key": "sandbox:node", "Value": "worker"} in instance["Tags"]
    assert subnet[16] <= IPv4Address(made.private_ip) < subnet[-256]


def test_instances_never_share_an_address(cloud: Cloud) -> None:
    made = [network.run_node_instance(cloud.url, f"many-{one}", ZONES[2]) for one in range(5)]
    assert len({one.private_ip for one in made}) == len(made)
