"""Load balancers with IPv6: subnets, listeners, addresses and the change of the type."""

from typing import Any

import pytest

from tests.integration.cloud.world import ZONES, Cloud, refusal

NO_BLOCK = ("ValidationError", "You must specify subnets with an associated IPv6 CIDR block.")


def described(cloud: Cloud, balancer: str) -> dict[str, Any]:
    (found,) = cloud.elb.describe_load_balancers(LoadBalancerArns=[balancer])["LoadBalancers"]
    return dict(found)


def block(cloud: Cloud, zone: str) -> str:
    (found,) = cloud.ec2.describe_subnets(SubnetIds=[cloud.network.subnet_ids[zone]])["Subnets"]
    return found["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"]


@pytest.fixture
def ipv4_subnet(cloud: Cloud) -> Any:
    """A subnet without an IPv6 block."""
    made = cloud.ec2.create_subnet(
        VpcId=cloud.network.vpc_id, CidrBlock="127.64.240.0/28", AvailabilityZone=ZONES[0]
    )["Subnet"]
    yield made["SubnetId"]
    cloud.ec2.delete_subnet(SubnetId=made["SubnetId"])


def test_the_type_changes_in_place(cloud: Cloud) -> None:
    balancer = cloud.balancer()
    before = described(cloud, balancer)
    assert before["IpAddressType"] == "ipv4"
    answer = cloud.elb.set_ip_address_type(LoadBalancerArn=balancer, IpAddressType="dualstack")
    assert answer["IpAddressType"] == "dualstack"
    assert described(cloud, balancer) == {**before, "IpAddressType": "dualstack"}
    cloud.elb.set_ip_address_type(LoadBalancerArn=balancer, IpAddressType="ipv4")
    assert described(cloud, balancer) == before


def test_a_load_balancer_is_dualstack_from_the_start(cloud: Cloud) -> None:
    assert described(cloud, cloud.balancer(IpAddressType="dualstack"))["IpAddressType"] == "dualstack"


def test_dualstack_needs_an_ipv6_block_of_each_subnet(cloud: Cloud, ipv4_subnet: str) -> None:
    wanted: Any = {"Name": "v4", "Type": "network", "SubnetMappings": [{"SubnetId": ipv4_subnet}]}
    assert refusal(cloud.elb.create_load_balancer, **wanted, IpAddressType="dualstack") == NO_BLOCK
    made = cloud.elb.create_load_balancer(**wanted)["LoadBalancers"][0]["LoadBalancerArn"]
    changed = refusal(cloud.elb.set_ip_address_type, LoadBalancerArn=made, IpAddressType="dualstack")
    assert changed == NO_BLOCK
    assert described(cloud, made)["IpAddressType"] == "ipv4"
    cloud.elb.delete_load_balancer(LoadBalancerArn=made)
    standing = cloud.balancer(ZONES[1:], IpAddressType="dualstack")
    subnets = [ipv4_subnet, *(cloud.network.subnet_ids[zone] for zone in ZONES[1:])]
    assert refusal(cloud.elb.set_subnets, LoadBalancerArn=standing, Subnets=subnets) == NO_BLOCK


def test_an_internal_load_balancer_has_ipv4_alone(cloud: Cloud) -> None:
    balancer = cloud.balancer(Scheme="internal")
    code, _ = refusal(cloud.elb.set_ip_address_type, LoadBalancerArn=balancer, IpAddressType="dualstack")
    assert code == "InvalidConfigurationRequest"


def test_a_type_of_application_load_balancers_is_refused(cloud: Cloud) -> None:
    code, text = refusal(
        cloud.elb.set_ip_address_type,
        LoadBalancerArn=cloud.balancer(),
        IpAddressType="dualstack-without-public-ipv4",
    )
    assert code == "InvalidConfigurationRequest"
    assert "dualstack-without-public-ipv4" in text


@pytest.mark.parametrize("protocol", ["UDP", "TCP_UDP"])
def test_udp_and_dualstack_exclude_each_other(cloud: Cloud, protocol: Any) -> None:
    balancer = cloud.balancer()
    actions: Any = [{"Type": "forward", "TargetGroupArn": cloud.group(Protocol=protocol)}]
    wanted: Any = {"LoadBalancerArn": balancer, "Port": 53, "DefaultActions": actions, "Protocol": protocol}
    made = cloud.elb.create_listener(**wanted)["Listeners"][0]["ListenerArn"]
    code, _ = refusal(cloud.elb.set_ip_address_type, LoadBalancerArn=balancer, IpAddressType="dualstack")
    assert code == "InvalidConfigurationRequest"
    cloud.elb.delete_listener(ListenerArn=made)
    cloud.elb.set_ip_address_type(LoadBalancerArn=balancer, IpAddressType="dualstack")
    code, text = refusal(cloud.elb.create_listener, **wanted)
    assert code == "InvalidConfigurationRequest"
    assert "EnablePrefixForIpv6SourceNat" in text


def test_a_given_ipv6_address_is_a_second_address_of_the_zone(cloud: Cloud) -> None:
    allocation = cloud.address()
    address = block(cloud, ZONES[0]).replace("::/64", "::15")
    mapping: Any = {
        "SubnetId": cloud.network.subnet_ids[ZONES[0]],
        "AllocationId": allocation,
        "IPv6Address": address,
    }
    wanted: Any = {"Name": "v6", "Type": "network", "SubnetMappings": [mapping]}
    for kind, given in (("ipv4", address), ("dualstack", "2001:db8::1")):
        mapping["IPv6Address"] = given
        code, _ = refusal(cloud.elb.create_load_balancer, **wanted, IpAddressType=kind)
        assert code == "InvalidConfigurationRequest"
    mapping["IPv6Address"] = address
    made = cloud.elb.create_load_balancer(**wanted, IpAddressType="dualstack")["LoadBalancers"][0]
    (zone,) = made["AvailabilityZones"]
    assert [each.get("AllocationId") for each in zone["LoadBalancerAddresses"]] == [allocation, None]
    assert zone["LoadBalancerAddresses"][1] == {"IPv6Address": address}
