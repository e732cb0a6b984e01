from ipaddress import IPv4Address
from typing import Any

from sandbox.layout import Layout
from tests.integration.cloud.world import ZONES, Cloud, name, refusal, wait_until


def test_a_network_load_balancer_has_a_net_arn_and_its_own_dns_name(cloud: Cloud) -> None:
    made = _described(cloud, cloud.balancer(Name="front"))
    path = made["LoadBalancerArn"].partition(":loadbalancer/")[2]
    kind, label, number = path.split("/")
    assert (kind, label, len(number)) == ("net", "front", 16)
    assert made["DNSName"] == f"front-{number}.elb.eu-central-1.amazonaws.com"


def test_a_load_balancer_is_provisioning_and_soon_active(cloud: Cloud) -> None:
    cloud.faults(provisioning_s=0.3)
    balancer = cloud.balancer()
    assert _described(cloud, balancer)["State"]["Code"] == "provisioning"
    wait_until(lambda: _described(cloud, balancer)["State"]["Code"] == "active")


def test_each_zone_shows_the_elastic_ip_that_was_given_for_it(cloud: Cloud) -> None:
    given = {zone: cloud.address() for zone in ZONES}
    made = _described(cloud, _with_addresses(cloud, given))
    ips = {one["AllocationId"]: one["PublicIp"] for one in cloud.ec2.describe_addresses()["Addresses"]}
    shown = {zone["ZoneName"]: zone["LoadBalancerAddresses"] for zone in made["AvailabilityZones"]}
    assert shown == {
        zone: [{"IpAddress": ips[allocation], "AllocationId": allocation}]
        for zone, allocation in given.items()
    }


def test_while_held_an_elastic_ip_names_the_interface_that_holds_it_and_is_free_afterwards(
    cloud: Cloud,
) -> None:
    address = cloud.address()
    balancer = _with_addresses(cloud, {ZONES[0]: address})
    held = _address(cloud, address)
    interfaces = cloud.ec2.describe_network_interfaces(NetworkInterfaceIds=[held["NetworkInterfaceId"]])
    interface: Any = interfaces["NetworkInterfaces"][0]
    assert held["AssociationId"].startswith("eipassoc-")
    assert interface["Association"]["AllocationId"] == address
    assert interface["Description"] == f"ELB {balancer.partition(':loadbalancer/')[2]}"
    cloud.elb.delete_load_balancer(LoadBalancerArn=balancer)
    assert "AssociationId" not in _address(cloud, address)
    assert _interfaces(cloud, balancer) == []


def test_the_private_addresses_of_a_load_balancer_are_hosts_5_to_15_of_its_subnets(cloud: Cloud) -> None:
    balancer = cloud.balancer()
    privates = {one["AvailabilityZone"]: one["PrivateIpAddress"] for one in _interfaces(cloud, balancer)}
    assert privates == {ZONES[0]: "127.64.16.5", ZONES[1]: "127.64.32.5", ZONES[2]: "127.64.48.5"}


def test_an_elastic_ip_that_another_load_balancer_holds_is_in_use(cloud: Cloud) -> None:
    address = cloud.address()
    _with_addresses(cloud, {ZONES[0]: address})
    assert _refused(cloud, {ZONES[0]: address}) == (
        "ResourceInUse",
        "The allocation IDs are not available for use",
    )


def test_an_unknown_elastic_ip_is_not_found_and_nothing_is_made(cloud: Cloud) -> None:
    free = cloud.address()
    assert _refused(cloud, {ZONES[0]: free, ZONES[1]: "eipalloc-0"})[0] == "AllocationIdNotFound"
    assert cloud.elb.describe_load_balancers()["LoadBalancers"] == []
    assert "AssociationId" not in _address(cloud, free)


def test_n1_elastic_ips_come_from_the_sandboxs_own_network(cloud: Cloud, cloud_layout: Layout) -> None:
    made = [cloud.ec2.allocate_address(Domain="vpc") for _ in range(40)]
    ips = [IPv4Address(one["PublicIp"]) for one in made]
    for one in made:
        cloud.ec2.release_address(AllocationId=one["AllocationId"])
    assert len(set(ips)) == len(ips)
    assert all(ip in cloud_layout.elastic_network for ip in ips)


def test_an_elastic_ip_that_a_load_balancer_holds_cannot_be_released_or_taken_away(cloud: Cloud) -> None:
    address = cloud.address()
    _with_addresses(cloud, {ZONES[0]: address})
    association = _address(cloud, address)["AssociationId"]
    assert refusal(cloud.ec2.release_address, AllocationId=address)[0] == "AuthFailure"
    assert refusal(cloud.ec2.disassociate_address, AssociationId=association)[0] == "AuthFailure"
    assert _address(cloud, address)["AssociationId"] == association


def test_two_subnets_of_one_zone_are_refused(cloud: Cloud) -> None:
    subnet = cloud.network.subnet_ids[ZONES[0]]
    mappings = [{"SubnetId": subnet}, {"SubnetId": subnet}]
    wanted = {"Name": name("nlb"), "Type": "network", "SubnetMappings": mappings}
    assert refusal(cloud.elb.create_load_balancer, **wanted)[0] == "InvalidConfigurationRequest"


def test_an_unknown_subnet_and_an_unknown_security_group_are_not_found(cloud: Cloud) -> None:
    wanted: dict[str, Any] = {"Name": name("nlb"), "Type": "network"}
    code, _ = refusal(cloud.elb.create_load_balancer, Subnets=["subnet-0"], **wanted)
    assert code == "SubnetNotFound"
    subnets = [cloud.network.subnet_ids[ZONES[0]]]
    code, _ = refusal(cloud.elb.create_load_balancer, Subnets=subnets, SecurityGroups=["sg-0"], **wanted)
    assert code == "InvalidSecurityGroup"


def test_a_zone_can_join_and_leave_and_its_elastic_ip_is_free_again(cloud: Cloud) -> None:
    first, second = cloud.address(), cloud.address()
    balancer = _with_addresses(cloud, {ZONES[0]: first})
    both = _mappings(cloud, {ZONES[0]: first, ZONES[1]: second})
    cloud.elb.set_subnets(LoadBalancerArn=balancer, SubnetMappings=both)
    assert [zone["ZoneName"] for zone in _described(cloud, balancer)["AvailabilityZones"]] == list(ZONES[:2])
    cloud.elb.set_subnets(LoadBalancerArn=balancer, SubnetMappings=_mappings(cloud, {ZONES[1]: second}))
    assert [zone["ZoneName"] for zone in _described(cloud, balancer)["AvailabilityZones"]] == [ZONES[1]]
    assert "AssociationId" not in _address(cloud, first)


def test_the_elastic_ip_of_an_enabled_zone_cannot_be_changed(cloud: Cloud) -> None:
    balancer = _with_addresses(cloud, {ZONES[0]: cloud.address()})
    other = _mappings(cloud, {ZONES[0]: cloud.address()})
    code, _ = refusal(cloud.elb.set_subnets, LoadBalancerArn=balancer, SubnetMappings=other)
    assert code == "InvalidConfigurationRequest"


def test_a_load_balancer_created_without_security_group_can_never_get_one(cloud: Cloud) -> None:
    balancer = cloud.balancer()
    assert "SecurityGroups" not in _described(cloud, balancer)
    code, _ = refusal(
        cloud.elb.set_security_groups,
        LoadBalancerArn=balancer,
        SecurityGroups=[cloud.network.node_group_id],
    )
    assert code == "InvalidConfigurationRequest"


def test_the_security_groups_of_a_load_balancer_can_be_exchanged_but_not_removed(cloud: Cloud) -> None:
    one, two = _security_group(cloud), _security_group(cloud)
    balancer = cloud.balancer(SecurityGroups=[one])
    cloud.elb.set_security_groups(LoadBalancerArn=balancer, SecurityGroups=[two])
    assert _described(cloud, balancer)["SecurityGroups"] == [two]
    assert {group["GroupId"] for each in _interfaces(cloud, balancer) for group in each["Groups"]} == {two}
    code, _ = refusal(cloud.elb.set_security_groups, LoadBalancerArn=balancer, SecurityGroups=[])
    assert code == "InvalidConfigurationRequest"


def test_a_security_group_in_use_by_a_load_balancer_cannot_be_deleted(cloud: Cloud) -> None:
    group = _security_group(cloud)
    balancer = cloud.balancer(SecurityGroups=[group])
    assert refusal(cloud.ec2.delete_security_group, GroupId=group)[0] == "DependencyViolation"
    cloud.elb.delete_load_balancer(LoadBalancerArn=balancer)
    cloud.ec2.delete_security_group(GroupId=group)


def test_interfaces_of_a_deleted_load_balancer_linger_and_hold_its_address_and_its_group(
    cloud: Cloud,
) -> None:
    """terraform-provider-aws#33645: AWS removes the interfaces some minutes after the load balancer."""
    cloud.faults(interface_linger_s=600)
    address, group = cloud.address(), _security_group(cloud)
    mappings = _mappings(cloud, {ZONES[0]: address})
    balancer = cloud.balancer(SubnetMappings=mappings, SecurityGroups=[group])
    cloud.elb.delete_load_balancer(LoadBalancerArn=balancer)

    assert (
        refusal(cloud.elb.describe_load_balancers, LoadBalancerArns=[balancer])[0] == "LoadBalancerNotFound"
    )
    assert len(_interfaces(cloud, balancer)) == 1
    assert refusal(cloud.ec2.release_address, AllocationId=address)[0] == "AuthFailure"
    assert refusal(cloud.ec2.delete_security_group, GroupId=group)[0] == "DependencyViolation"
    assert _refused(cloud, {ZONES[0]: address})[0] == "ResourceInUse"

    cloud.faults(interface_linger_s=0)
    assert _interfaces(cloud, balancer) == []
    cloud.ec2.release_address(AllocationId=address)
    cloud.ec2.delete_security_group(GroupId=group)


def test_lingering_interfaces_go_by_themselves(cloud: Cloud) -> None:
    cloud.faults(interface_linger_s=0.5)
    address = cloud.address()
    balancer = _with_addresses(cloud, {ZONES[0]: address})
    cloud.elb.delete_load_balancer(LoadBalancerArn=balancer)
    assert "AssociationId" in _address(cloud, address)
    wait_until(lambda: "AssociationId" not in _address(cloud, address))
    assert _interfaces(cloud, balancer) == []


def test_the_interfaces_of_a_load_balancer_are_attached_by_amazon(cloud: Cloud) -> None:
    """By owner and description the provider finds them (waitForNLBNetworkInterfacesToDetach)."""
    balancer = cloud.balancer()
    attachments = [each["Attachment"] for each in _interfaces(cloud, balancer)]
    assert [(one["InstanceOwnerId"], one["Status"]) for one in attachments] == [
        ("amazon-aws", "attached")
    ] * len(ZONES)
    by_owner: Any = [
        {"Name": "attachment.instance-owner-id", "Values": ["amazon-aws"]},
        {"Name": "description", "Values": [f"ELB {balancer.partition(':loadbalancer/')[2]}"]},
    ]
    found = cloud.ec2.describe_network_interfaces(Filters=by_owner)["NetworkInterfaces"]
    assert len(found) == len(ZONES)
    cloud.node()
    own: Any = [{"Name": "attachment.instance-owner-id", "Values": ["amazon-aws"]}]
    every = cloud.ec2.describe_network_interfaces(Filters=own)["NetworkInterfaces"]
    assert all(each["Description"].startswith("ELB net/") for each in every)


def test_a_security_group_that_another_groups_rule_names_cannot_be_deleted(cloud: Cloud) -> None:
    named, naming = _security_group(cloud), _security_group(cloud)
    permission: Any = {
        "IpProtocol": "tcp",
        "FromPort": 30080,
        "ToPort": 30080,
        "UserIdGroupPairs": [{"GroupId": named}],
    }
    cloud.ec2.authorize_security_group_ingress(GroupId=naming, IpPermissions=[permission])
    assert refusal(cloud.ec2.delete_security_group, GroupId=named)[0] == "DependencyViolation"
    cloud.ec2.delete_security_group(GroupId=naming)
    cloud.ec2.delete_security_group(GroupId=named)


def test_a_protected_load_balancer_cannot_be_deleted(cloud: Cloud) -> None:
    balancer = cloud.balancer()
    cloud.elb.modify_load_balancer_attributes(
        LoadBalancerArn=balancer, Attributes=[{"Key": "deletion_protection.enabled", "Value": "true"}]
    )
    code, _ = refusal(cloud.elb.delete_load_balancer, LoadBalancerArn=balancer)
    assert code == "OperationNotPermitted"


def test_deleting_a_load_balancer_takes_its_listeners_and_leaves_its_groups(cloud: Cloud) -> None:
    group, balancer = cloud.group(), cloud.balancer()
    listener = cloud.listener(balancer, group)
    cloud.elb.delete_load_balancer(LoadBalancerArn=balancer)
    assert refusal(cloud.elb.describe_listeners, ListenerArns=[listener])[0] == "ListenerNotFound"
    assert (
        cloud.elb.describe_target_groups(TargetGroupArns=[group])["TargetGroups"][0]["LoadBalancerArns"] == []
    )
    cloud.elb.delete_load_balancer(LoadBalancerArn=balancer)


def test_a_load_balancer_is_found_by_name_and_an_unknown_one_is_not(cloud: Cloud) -> None:
    balancer = cloud.balancer(Name="by-name")
    found = cloud.elb.describe_load_balancers(Names=["by-name"])["LoadBalancers"]
    assert [one["LoadBalancerArn"] for one in found] == [balancer]
    assert refusal(cloud.elb.describe_load_balancers, Names=["nobody"])[0] == "LoadBalancerNotFound"
    unknown = balancer[:-1] + "x"
    assert refusal(cloud.elb.describe_load_balancers, LoadBalancerArns=[unknown])[0] == "LoadBalancerNotFound"


def test_newer_attributes_are_kept_and_those_of_application_load_balancers_refused(cloud: Cloud) -> None:
    balancer = cloud.balancer()
    newer: Any = [{"Key": "some.newer.attribute", "Value": "on"}]
    cloud.elb.modify_load_balancer_attributes(LoadBalancerArn=balancer, Attributes=newer)
    shown = cloud.elb.describe_load_balancer_attributes(LoadBalancerArn=balancer)["Attributes"]
    assert {"Key": "some.newer.attribute", "Value": "on"} in shown
    other: Any = [{"Key": "idle_timeout.timeout_seconds", "Value": "60"}]
    code, message = refusal(
        cloud.elb.modify_load_balancer_attributes, LoadBalancerArn=balancer, Attributes=other
    )
    assert (code, "is not recognized" in message) == ("InvalidConfigurationRequest", True)


def test_tags_are_added_replaced_and_removed(cloud: Cloud) -> None:
    balancer = cloud.balancer(Tags=[{"Key": "a", "Value": "1"}])
    cloud.elb.add_tags(ResourceArns=[balancer], Tags=[{"Key": "a", "Value": "2"}, {"Key": "b", "Value": ""}])
    cloud.elb.remove_tags(ResourceArns=[balancer], TagKeys=["b"])
    shown = cloud.elb.describe_tags(ResourceArns=[balancer])["TagDescriptions"][0]["Tags"]
    assert shown == [{"Key": "a", "Value": "2"}]


def test_no_capacity_is_reserved(cloud: Cloud) -> None:
    answer = cloud.elb.describe_capacity_reservation(LoadBalancerArn=cloud.balancer())
    assert answer["CapacityReservationState"] == []


def _described(cloud: Cloud, balancer: str) -> dict[str, Any]:
    found = cloud.elb.describe_load_balancers(LoadBalancerArns=[balancer])["LoadBalancers"]
    return dict(found[0])


def _mappings(cloud: Cloud, allocations: dict[str, str]) -> Any:
    ids = cloud.network.subnet_ids
    return [{"SubnetId": ids[zone], "AllocationId": one} for zone, one in allocations.items()]


def _with_addresses(cloud: Cloud, allocations: dict[str, str]) -> str:
    return cloud.balancer(SubnetMappings=_mappings(cloud, allocations))


def _refused(cloud: Cloud, allocations: dict[str, str]) -> tuple[str, str]:
    return refusal(
        cloud.elb.create_load_balancer,
        Name=name("nlb"),
        Type="network",
        SubnetMappings=_mappings(cloud, allocations),
    )


def _address(cloud: Cloud, allocation: str) -> dict[str, Any]:
    return dict(cloud.ec2.describe_addresses(AllocationIds=[allocation])["Addresses"][0])


def _interfaces(cloud: Cloud, balancer: str) -> list[Any]:
    filters: Any = [{"Name": "description", "Values": [f"ELB {balancer.partition(':loadbalancer/')[2]}"]}]
    return list(cloud.ec2.describe_network_interfaces(Filters=filters)["NetworkInterfaces"])


def _security_group(cloud: Cloud) -> str:
    made = cloud.ec2.create_security_group(
        GroupName=name("group"), Description="for a test", VpcId=cloud.network.vpc_id
    )
    return made["GroupId"]
