"""The keys of `loadBalancer` through the real engine: in place, replaced, or not managed."""

from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.cloud.client import ec2_client
from sandbox.cloud.network import VPC_ID
from sandbox.cluster import Rest
from sandbox.layout import Layout
from sandbox.status import client
from tests.integration.infra.conftest import DevStack
from tests.integration.infra.test_edits import gone

pytestmark = [pytest.mark.toolchain, pytest.mark.timeout(900)]

ATTRIBUTES = {
    "deletion_protection.enabled": "true",
    "zonal_shift.config.enabled": "true",
    "dns_record.client_routing_policy": "availability_zone_affinity",
    "access_logs.s3.enabled": "true",
    "access_logs.s3.bucket": "logs",
    "access_logs.s3.prefix": "prod",
}
DEFAULTS = {
    "deletion_protection.enabled": "false",
    "zonal_shift.config.enabled": "false",
    "dns_record.client_routing_policy": "any_availability_zone",
}
NOT_MANAGED = {
    "deletionProtection": None,
    "zonalShift": None,
    "dnsClientRouting": None,
    "minimumCapacity": None,
}


@pytest.fixture(scope="module")
def up(stack: DevStack, control_plane: Layout) -> Iterator[DevStack]:
    stack.up().ok()
    yield stack
    stack.destroy().ok()
    gone(Rest(control_plane))


class Seen:
    """The stack's load balancer as AWS describes it."""

    def __init__(self, stack: DevStack, aws: Layout) -> None:
        self.elb: Any = client(aws, "elbv2")
        self.arn = stack.output("loadBalancerArn")
        (self.described,) = self.elb.describe_load_balancers(LoadBalancerArns=[self.arn])["LoadBalancers"]

    @property
    def attributes(self) -> dict[str, str]:
        found = self.elb.describe_load_balancer_attributes(LoadBalancerArn=self.arn)["Attributes"]
        return {each["Key"]: each["Value"] for each in found}

    @property
    def capacity(self) -> int | None:
        found = self.elb.describe_capacity_reservation(LoadBalancerArn=self.arn)
        units: int | None = found.get("MinimumLoadBalancerCapacity", {}).get("CapacityUnits")
        return units

    def change(self, attributes: dict[str, str]) -> None:
        pairs = [{"Key": key, "Value": value} for key, value in attributes.items()]
        self.elb.modify_load_balancer_attributes(LoadBalancerArn=self.arn, Attributes=pairs)


def test_attributes_change_in_place_and_null_leaves_them_to_others(up: DevStack, aws: Layout) -> None:
    arn = Seen(up, aws).arn
    ec2: Any = ec2_client(aws.aws_url)
    group = ec2.create_security_group(GroupName="own", Description="own", VpcId=VPC_ID)["GroupId"]
    listed = ec2.create_managed_prefix_list(
        PrefixListName="office", MaxEntries=2, AddressFamily="IPv4", Entries=[{"Cidr": "192.0.2.0/24"}]
    )["PrefixList"]["PrefixListId"]
    chosen = {
        "deletionProtection": True,
        "zonalShift": True,
        "dnsClientRouting": "availability_zone_affinity",
        "minimumCapacity": 3000,
        "enforcePrivateLink": False,
        "accessLogs": {"enabled": True, "bucket": "logs", "prefix": "prod"},
        "securityGroupIds": [group],
        "clientPrefixLists": [listed],
    }
    up.configure(loadBalancer=chosen, clientCidrs=[])
    up.up().ok()
    up.up("--refresh", "--expect-no-changes").ok()
    seen = Seen(up, aws)
    assert seen.arn == arn
    assert ATTRIBUTES.items() <= seen.attributes.items()
    assert seen.capacity == 3000
    assert seen.described["EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"] == "off"
    own = up.output("securityGroupId")
    assert sorted(seen.described["SecurityGroups"]) == sorted([own, group])
    rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [own]}])
    clients = [rule for rule in rules["SecurityGroupRules"] if not rule["IsEgress"]]
    assert {(rule["FromPort"], rule.get("PrefixListId")) for rule in clients} == {(80, listed), (443, listed)}

    up.configure(loadBalancer=NOT_MANAGED, clientCidrs=None)
    up.up().ok()
    assert Seen(up, aws).attributes.items() >= ATTRIBUTES.items()
    seen.change({**DEFAULTS, "access_logs.s3.enabled": "false"})
    seen.elb.modify_capacity_reservation(
        LoadBalancerArn=arn, MinimumLoadBalancerCapacity={"CapacityUnits": 4000}
    )
    up.up("--refresh", "--expect-no-changes").ok()
    assert Seen(up, aws).capacity == 4000
    assert DEFAULTS.items() <= seen.attributes.items()

    up.configure(loadBalancer=None)
    up.up("--refresh").ok()
    assert Seen(up, aws).capacity is None
    assert Seen(up, aws).arn == arn


def test_deletion_protection_is_aws_own_refusal(up: DevStack, aws: Layout) -> None:
    up.configure(loadBalancer={"deletionProtection": True})
    up.up().ok()
    refused = up.destroy()
    assert refused.code != 0
    assert "OperationNotPermitted" in refused.text
    up.configure(loadBalancer=None)
    up.up().ok()
    assert Seen(up, aws).attributes["deletion_protection.enabled"] == "false"


def test_another_scheme_or_name_replaces_the_load_balancer(up: DevStack, aws: Layout) -> None:
    before = Seen(up, aws).arn
    zones = up.configure(zones=None)["zones"]
    ec2: Any = ec2_client(aws.aws_url)
    (subnet,) = ec2.describe_subnets(SubnetIds=[zones["eu-central-1a"]["subnetId"]])["Subnets"]
    address = subnet["CidrBlock"].partition("/")[0].rpartition(".")[0] + ".9"
    inside = {zone: {**place} for zone, place in zones.items()}
    inside["eu-central-1a"]["privateAddress"] = address
    up.configure(zones=inside, loadBalancer={"scheme": "internal", "name": "inside"})
    up.up().ok()
    up.up("--refresh", "--expect-no-changes").ok()
    seen = Seen(up, aws)
    assert seen.arn != before
    assert (seen.described["Scheme"], seen.described["LoadBalancerName"]) == ("internal", "inside")
    assert up.output("staticIps") == {"eu-central-1a": address}
    assert ec2.describe_addresses()["Addresses"] == []
    up.configure(zones=zones, loadBalancer=None)
    up.up().ok()
    assert Seen(up, aws).described["Scheme"] == "internet-facing"
    assert len(up.output("staticIps")) == 3
